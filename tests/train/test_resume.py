"""A run that was stopped and went on is, bit for bit, the run that was not."""

import json
import shutil
import signal
from pathlib import Path

import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume

SPEC = """
kbuild: 1
name: whole
data:
  source: iris
  split: {validation: 0.2, test: 0.2}
  batch_size: 16
model:
  - {Dense: {units: 16, use_bias: false}}
  - BatchNormalization
  - ReLU
  - Dropout: 0.3
  - {Dense: {units: 3, activation: softmax}}
train:
  optimizer: {Adam: 1e-2}
  epochs: 6
  checkpoint: {every: 1 epoch, keep: 99}
  early_stopping: {monitor: val_loss, patience: 4}
  schedule: {plateau: {patience: 1, factor: 0.5, warmup: 1 epochs}}
"""
IMAGES = """
kbuild: 1
name: images
data:
  source: digits
  split: {validation: 100, test: 1400}
  batch_size: 64
  preprocess: [{Rescaling: "${1 / 16}"}]
  augment: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}, {MixUp: {alpha: 0.2}}]
model: [Flatten, {Dense: 16}, ReLU, {Dropout: 0.2}, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 3, schedule: {cosine: {warmup: 1 epochs}}, checkpoint: {every: 2 steps, keep: 99}, optimizer: {AdamW: {learning_rate: 1e-2, use_ema: true}}}
"""


def fit(text, path, **overrides):
    return kbuild.fit(kbuild.load(text, overrides=overrides), out=path, report=Reporter())


def content(run: Path):
    """All that a run leaves that is to be equal: every number but the seconds."""
    newest = checkpoint.newest(run / "checkpoints")
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]
    others = {key: newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped")}
    return {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()}, rows, json.dumps(others)


def back_to(run: Path, at: int, out: Path) -> Path:
    """A run as if it had been killed after its checkpoint number `at`."""
    shutil.copytree(run, out)
    for path in sorted((out / "checkpoints").glob("step-*"))[at + 1 :]:
        shutil.rmtree(path)
    for name in ("model.keras", "report"):
        shutil.rmtree(out / name) if (out / name).is_dir() else (out / name).unlink()
    (out / "report").mkdir()
    info = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**info, "status": "running"}))
    return out


@pytest.fixture(scope="module", params=[SPEC, pytest.param(IMAGES, marks=pytest.mark.full)], ids=["columns", "images"])
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run"
    fit(request.param, path)
    return path


def test_every_checkpoint_leads_to_the_same_end(whole, tmp_path):
    count = len(list((whole / "checkpoints").glob("step-*")))
    assert count >= 5
    for at in range(count - 1):
        again = resume(back_to(whole, at, tmp_path / str(at)), report=Reporter())
        assert again.status == "done"
        assert content(again.path) == content(whole), at
        history = (again.path / "history.csv").read_text().splitlines()
        assert len(history) == len((whole / "history.csv").read_text().splitlines())


def test_checkpoints_lie_in_the_middle_of_epochs_too(whole):
    batches = {checkpoint.load(path).state["batch"] for path in (whole / "checkpoints").glob("step-*")}
    assert batches == {0} if whole_name(whole) == "whole" else len(batches) > 2


def whole_name(run):
    return json.loads((run / "run.json").read_text())["name"]


class Stop(Reporter):
    """Sends a signal at a step of the run."""

    def __init__(self, step):
        self.at = step

    def epoch(self, row, best):
        if row["epoch"] == self.at:
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_saves_and_the_run_goes_on(tmp_path, whole):
    spec = SPEC if whole_name(whole) == "whole" else IMAGES
    run = kbuild.fit(kbuild.load(spec), out=tmp_path / "run", report=Stop(2))
    assert (run.status, run.exit_code) == ("stopped", 143)
    again = resume(run.path, report=Reporter())
    assert again.status == "done"
    assert content(run.path) == content(whole)


def test_a_finished_run_can_be_made_longer(tmp_path):
    longest = {"train.early_stopping": False}
    short = fit(SPEC, tmp_path / "short", **{"train.epochs": 3, **longest})
    with pytest.raises(SpecError) as error:
        resume(short.path)
    assert error.value.problems[0].code == "K621"
    longer = resume(short.path, epochs="+3", report=Reporter())
    whole = fit(SPEC, tmp_path / "whole", **longest)
    assert (longer.epochs, whole.epochs) == (6, 6)
    assert content(longer.path) == content(whole.path)
    assert kbuild.load(longer.path / "spec.yaml").train.epochs == 6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("units: 16", "units: 17"), "`model.0.Dense.units` was `16` and is `17`"),
        (("patience: 4", "patience: 5"), "`train.early_stopping.patience` was `4` and is `5`"),
    ],
)
def test_another_spec_is_another_run(tmp_path, change, said):
    run = fit(SPEC, tmp_path / "run", **{"train.epochs": 1}).path
    text = (run / "spec.yaml").read_text()
    assert change[0] in text
    (run / "spec.yaml").write_text(text.replace(*change))
    with pytest.raises(SpecError) as error:
        resume(run, epochs="+1")
    (problem,) = error.value.problems
    assert problem.code == "K622" and said in problem.message
    assert error.value.exit_code == 5


def test_other_versions_are_another_run(tmp_path):
    run = fit(SPEC, tmp_path / "run", **{"train.epochs": 1}).path
    info = json.loads((run / "run.json").read_text())
    info["versions"]["keras"] = "3.0.0"
    (run / "run.json").write_text(json.dumps(info))
    with pytest.raises(SpecError) as error:
        resume(run, epochs="+1", backend="torch")
    assert "keras was 3.0.0" in error.value.problems[0].message
    assert "`torch` is asked for" in error.value.problems[0].message


def test_torn_checkpoints_give_way_and_none_is_an_error(tmp_path):
    run = fit(SPEC, tmp_path / "run", **{"train.epochs": 2}).path
    _, second = sorted((run / "checkpoints").glob("step-*"))
    (second / "arrays.npz").write_bytes(b"torn")
    notes = []

    class Notes(Reporter):
        def note(self, text):
            notes.append(text)

    assert resume(run, report=Notes()).epochs == 2
    assert any("not whole" in note for note in notes)
    for path in (run / "checkpoints").glob("step-*"):
        (path / "manifest.json").unlink()
    with pytest.raises(SpecError) as error:
        resume(run)
    assert error.value.problems[0].code == "K623"


def test_what_lies_in_the_run_is_left_alone(tmp_path):
    run = fit(SPEC, tmp_path / "run", **{"train.epochs": 1}).path
    mine = [run / "mine.txt", run / "checkpoints" / "mine.txt", run / "tensorboard" / "mine.txt"]
    for path in mine:
        path.write_text("mine")
    resume(run, epochs="+1", report=Reporter())
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_tensorboard_has_every_epoch_once(tmp_path, whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = back_to(whole, 2, tmp_path / "run")
    resume(out, report=Reporter())
    for part in ("train", "validation"):
        events = EventAccumulator(str(out / "tensorboard" / part)).Reload()
        for tag in events.Tags()["scalars"]:
            steps = [event.step for event in events.Scalars(tag)]
            assert steps == list(range(1, len(steps) + 1)), (part, tag)


def test_without_checkpoints_there_is_none(tmp_path):
    run = fit(SPEC, tmp_path / "run", **{"train.epochs": 1, "train.checkpoint": False}).path
    assert list((run / "checkpoints").iterdir()) == []
    assert (run / "model.keras").exists()


@pytest.mark.parametrize("every", ["0 epochs", "1.5 steps", "soon", "-1 minutes", "1 second"])
def test_an_interval_that_is_none_is_a_problem(every):
    with pytest.raises(SpecError) as error:
        kbuild.load(SPEC, overrides={"train.checkpoint": {"every": every}})
    (problem,) = error.value.problems
    assert (problem.code, problem.path) == ("K105", "train.checkpoint.every")
    assert "no interval" in problem.message
