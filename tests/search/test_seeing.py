"""What a person sees of a search."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from kbuild.search import live, seeing
from kbuild.search.study import Trial, place
from kbuild.train import history

TRIALS = (
    Trial(1, "done", {"model.a.units": 8, "train.rate": 0.5}, 0.5, params=1200, seconds=4.0),
    Trial(2, "done", {"model.a.units": 16, "train.rate": 0.25}, 0.25, sd=0.01, params=2400, seconds=6.0),
    Trial(3, "failed", {"model.a.units": 32}, reason="[red]no\x1b[31m memory\nleft"),
    Trial(4, "running", {"model.a.units": 64}),
)


def begin(path, *, members=0, epochs=2):
    """A run as training leaves it after some epochs."""
    for run in [path / "members" / str(n) for n in range(1, members + 1)] or [path]:
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps({"status": "running", "planned_epochs": 9}))
        rows = history.Writer(run / "history.csv")
        for epoch in range(1, epochs + 1):
            rows.append({"epoch": epoch, "seconds": 1.0, "learning_rate": 0.1, "loss": 1.0, "val_loss": 1 / epoch})


def printed(view, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(live.drawn(view))
    return [line.rstrip() for line in console.file.getvalue().split("\n")]  # pyright: ignore


def test_the_foot_of_a_terminal(tmp_path):
    begin(place(tmp_path, 4))
    running = {4: (75.0, live.far(tmp_path, 4, "val_loss")), 5: (1.0, live.far(tmp_path, 5, "val_loss"))}
    lines = printed(live.View("val_loss", TRIALS[1::-1], running, "3 of 9 trials"))
    assert lines[:3] == [
        "   best       val_loss  parameters    s  values",
        "trial 2  0.2500 ± 0.01       2,400  6.0  units=16 rate=0.25",
        "trial 1         0.5000       1,200  4.0  units=8 rate=0.5",
    ]
    assert lines[3:7] == [
        "training",
        "trial 4  1:15  epoch 2/9  val_loss 0.5000",
        "trial 5   1 s  starts",
        "3 of 9 trials",
    ]


def test_a_narrow_terminal_cuts_the_values_only():
    lines = printed(live.View("val_loss", TRIALS[1::-1], {}, "3 of 9 trials"), width=50)
    assert lines[1].startswith("trial 2  0.2500 ± 0.01       2,400  6.0  unit") and lines[1].endswith("…")


def test_how_far_a_trial_of_several_trainings_is(tmp_path):
    begin(place(tmp_path, 1), members=2, epochs=1)
    assert live.far(tmp_path, 1, "val_loss") == "training 2, epoch 1/9  val_loss 1.000"


@pytest.mark.parametrize("content", ["{torn", "[]", ""])
def test_what_cannot_be_read_is_left_out(tmp_path, content):
    begin(place(tmp_path, 1))
    (place(tmp_path, 1) / "run.json").write_text(content)
    assert live.far(tmp_path, 1, "val_loss") == ""
    assert live.far(None, 1, "val_loss") == ""


def test_nothing_of_a_spec_is_obeyed_by_a_terminal():
    line = seeing.line(TRIALS, 3, "val_loss", "min", 9, 30.0)
    assert "failed: [red]no␛[31m memory␊left" in line
    values = {"data.[bold]": "a\x1b[2Jb\nc", "other": "[link]"}
    lines = printed(live.View("val_loss", (Trial(1, "done", values, 1.0),), {}, "x"))
    assert lines[1].endswith("[bold]=a␛[2Jb␊c other=[link]")


def test_lines_where_there_is_no_terminal(capsys):
    report = seeing.Plain()
    report.start("val_loss", "min", 9, 2, Path("runs/s-001"))
    report.begun(2)
    report.tick(TRIALS, 30.0)
    report.ended(TRIALS, 2, 30.0)
    report.finish()
    assert capsys.readouterr().out.split("\n") == [
        "9 trials over 2 holes, for the minimum of val_loss",
        "trial 2/9  val_loss 0.25 ± 0.01  best  6.0 s, about 60 s left  units=16 rate=0.25",
        "",
    ]


def test_trials_that_are_dropped_have_numbers_too():
    trials = (*TRIALS, Trial(6, "dropped", {}))
    assert seeing.line(trials, 2, "val_loss", "min", 9, 30.0).startswith("trial  2/10  ")
