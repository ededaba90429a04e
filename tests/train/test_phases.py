"""Phases: frozen, then thawed; a new optimizer each; a run that was stopped anywhere is the run that was not."""

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint, history
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume
from kbuild.train.verify import verify

SPEC = """
kbuild: 1
name: phases
data: {source: iris, split: {validation: 0.2, test: 0.2}, batch_size: 16}
model:
  - chain: [{Dense: {units: 12, use_bias: false}}, BatchNormalization, ReLU, {Dropout: 0.3}]
    name: backbone
    trainable: false
  - {Dense: {units: 3, activation: softmax}, name: head}
train:
  optimizer: {Adam: 1e-2}
  checkpoint: {every: 2 steps, keep: 99}
  execution: {jit: false}
  phases:
    - {epochs: 9, optimizer: {SGD: 0.9}, early_stopping: {monitor: val_loss, patience: 1, min_delta: 0.1}}
    - {epochs: 2, trainable: {backbone: true}, schedule: {plateau: {patience: 0, factor: 0.5, warmup: 1 epochs}}, class_weight: balanced}
    - {epochs: 3, trainable: {backbone: [dense*]}, optimizer: {AdamW: {learning_rate: 1e-2, use_ema: true}}, schedule: {cosine: {}}}
"""
STEPS = 6


class Told(Reporter):
    """Keeps what is said at the start of phases; sends a signal after an epoch."""

    def __init__(self, stop: int | None = None):
        self.lines: list[str] = []
        self._stop = stop

    def phase(self, text, epochs):
        self.lines.append(f"{text} ({epochs} in all)")

    def epoch(self, row, best):
        if row["epoch"] == self._stop:
            signal.raise_signal(signal.SIGTERM)


def fit(text, path, report=None, **overrides):
    return kbuild.fit(kbuild.load(text, overrides=overrides), out=path, report=report or Reporter())


def content(run: Path):
    """All that a run leaves that is to be equal: every number but the seconds."""
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]
    others = {key: newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped", "phase")}
    return {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()}, rows, json.dumps(others)


def weights(run: Path):
    return [a.tobytes() for a in kbuild.open_run(run).model.get_weights()]


def back_to(run: Path, at: int, out: Path) -> Path:
    """A run as if it had been killed after its checkpoint number `at`."""
    shutil.copytree(run, out)
    for path in sorted((out / "checkpoints").glob("step-*"))[at + 1 :]:
        shutil.rmtree(path)
    (out / "model.keras").unlink()
    info = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**info, "status": "running"}))
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    report = Told()
    run = fit(SPEC, tmp_path_factory.mktemp("whole") / "run", report)
    return run.path, report.lines


def test_each_phase_trains_what_it_says(whole):
    path, lines = whole
    columns = history.read(path / "history.csv")
    first = columns["phase"].count(1)
    assert 2 <= first < 9, "the first phase is to be stopped early"
    assert columns["phase"] == [1] * first + [2] * 2 + [3] * 3
    assert columns["epoch"] == list(range(1, first + 6))
    assert [line.split(": ")[1] for line in lines] == [
        "39 of 135 parameters learn, SGD at 0.9 (14 in all)",
        f"111 of 135 parameters learn, Adam at 0.01 ({first + 5} in all)",
        f"87 of 135 parameters learn, AdamW at 0.01 ({first + 5} in all)",
    ]
    assert lines[1].startswith(f"phase 2 of 3, epochs {first + 1} to {first + 2}: ")
    # the rate of the last step of an epoch: warm-up ends with the first, the cosine with the third
    rates = columns["learning_rate"]
    assert rates[:first] == pytest.approx([0.9] * first)
    assert rates[first] == pytest.approx(1e-2)
    step = np.array([1, 2, 3]) * STEPS - 1
    assert rates[-3:] == pytest.approx(0.5e-2 * (1 + np.cos(np.pi * step / (3 * STEPS))), rel=1e-5)


def test_what_is_frozen_stays(whole, tmp_path):
    path, _ = whole
    state = {}
    for folder in sorted((path / "checkpoints").glob("step-*")):
        found = checkpoint.load(folder)
        state[int(found.state["epoch"]), int(found.state["batch"])] = found
    start, first = state[0, 2].arrays, state[0, 4].arrays
    # of Dense, BatchNormalization (gamma, beta, mean, variance) and the head's two: the order of the model
    names = [variable.path for variable in kbuild.build(kbuild.load(SPEC)).variables]
    changed = [name for at, name in enumerate(names) if not np.array_equal(start[f"model/{at}"], first[f"model/{at}"])]
    assert {name.split("/")[0] for name in changed if "seed" not in name} == {"head"}
    began = next(f.state["phase"]["began"] for f in state.values() if f.state["phase"]["number"] == 2)
    two, four = state[began, 2].arrays, state[began, 4].arrays
    changed = [name for at, name in enumerate(names) if not np.array_equal(two[f"model/{at}"], four[f"model/{at}"])]
    assert {name.split("/")[0] for name in changed if "seed" not in name} == {"head", "dense"}


@pytest.mark.parametrize("restore", [True, False])
def test_the_next_phase_starts_from_the_best_epoch_or_the_last(restore, tmp_path):
    stopping = {"patience": 2, "min_delta": 0.5, "restore_best_weights": restore}
    still = {"epochs": 1, "optimizer": {"SGD": 1e-12}}
    phases = [{"epochs": 9, "optimizer": {"SGD": 0.9}, "early_stopping": stopping}, still]
    path = fit(
        SPEC, tmp_path / "run", **{"train.phases": phases, "train.checkpoint": {"every": "1 epoch", "keep": 99}}
    ).path
    found = [checkpoint.load(folder) for folder in sorted((path / "checkpoints").glob("step-*"))]
    (end,) = (f for f in found if f.state["stopped"])
    best = min(end.state["rows"], key=lambda row: row["val_loss"])["epoch"]
    assert best < end.state["epoch"], "the last epoch is not to be the best"
    start = found[best - 1] if restore else end
    head = [
        name for name, array in start.arrays.items() if name.startswith("model/") and array.shape in ((12, 3), (3,))
    ]
    assert len(head) == 2
    for name in head:
        np.testing.assert_allclose(found[-1].arrays[name], start.arrays[name], atol=1e-6)
        other = end if restore else found[best - 1]
        assert not np.allclose(found[-1].arrays[name], other.arrays[name], atol=1e-3)


def test_every_checkpoint_leads_to_the_same_end(whole, tmp_path):
    path, _ = whole
    found = [checkpoint.load(folder) for folder in sorted((path / "checkpoints").glob("step-*"))]
    at = [(f.state["phase"]["number"], int(f.state["batch"])) for f in found]
    (boundary,) = [n for n, f in enumerate(found) if f.state["stopped"] and at[n][0] == 0]
    assert at[boundary + 1][0] == 1, "it is the end of the first phase"
    last = next(n for n, (phase, batch) in enumerate(at) if phase == 2 and batch == 4)
    for number in (boundary, last):
        again = resume(back_to(path, number, tmp_path / str(number)), report=Reporter())
        assert again.status == "done"
        assert content(again.path) == content(path), at[number]
        assert weights(again.path) == weights(path)
        mine, theirs = (history.read(run / "history.csv") for run in (again.path, path))
        assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}


@pytest.mark.full
def test_every_single_checkpoint_leads_to_the_same_end(whole, tmp_path):
    path, _ = whole
    for number in range(len(list((path / "checkpoints").glob("step-*"))) - 1):
        again = resume(back_to(path, number, tmp_path / str(number)), report=Reporter())
        assert content(again.path) == content(path), number


@pytest.mark.full
def test_a_signal_in_the_second_phase(whole, tmp_path):
    path, lines = whole
    first = history.read(path / "history.csv")["phase"].count(1)
    run = fit(SPEC, tmp_path / "run", Told(stop=first + 1))
    assert (run.status, run.epochs) == ("stopped", first + 1)
    report = Told()
    again = resume(run.path, report=report)
    assert again.status == "done"
    assert content(run.path) == content(path)
    assert report.lines == lines[1:]


def test_its_first_steps_repeat(whole):
    assert verify(whole[0])["steps"]


def test_tensorboard_tells_the_phase_and_every_epoch_once(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path, _ = whole
    columns = history.read(path / "history.csv")
    events = EventAccumulator(str(path / "tensorboard" / "train")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("epoch_phase")]
    assert found == list(zip(columns["epoch"], columns["phase"], strict=True))
    assert [event.step for event in events.Scalars("epoch_loss")] == columns["epoch"]


@pytest.mark.full
def test_more_epochs_are_more_of_the_last_phase(tmp_path):
    one = {"train.phases": [{"epochs": 1}, {"epochs": 1, "trainable": {"backbone": True}}]}
    short = fit(SPEC, tmp_path / "short", **one)
    with pytest.raises(SpecError) as error:
        resume(short.path)
    assert error.value.problems[0].code == "K621"
    longer = resume(short.path, epochs="+2", report=Reporter())
    one["train.phases"][1]["epochs"] = 3
    long = fit(SPEC, tmp_path / "long", **one)
    assert (longer.epochs, long.epochs) == (4, 4)
    assert content(longer.path) == content(long.path)
    assert kbuild.load(longer.path / "spec.yaml").train.length == 4
    with pytest.raises(SpecError) as error:
        resume(short.path, epochs="1")
    assert [(p.code, p.message) for p in error.value.problems] == [("K105", "epoch 1 lies before the last phase")]


def test_another_phase_is_another_run(tmp_path):
    run = fit(SPEC, tmp_path / "run", Told(stop=1)).path
    text = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(text.replace("factor: 0.5", "factor: 0.4"))
    with pytest.raises(SpecError) as error:
        resume(run)
    (problem,) = error.value.problems
    assert problem.code == "K622"
    assert "`train.phases.1.schedule.plateau.factor` was `0.5` and is `0.4`" in problem.message


def test_what_is_wrong_with_the_last_phase_shows_before_the_first(tmp_path):
    phases = [{"epochs": 1}, {"epochs": 1, "callbacks": ["SwapEMAWeights"]}]
    with pytest.raises(SpecError) as error:
        fit(SPEC, tmp_path / "run", **{"train.phases": phases})
    assert [p.code for p in error.value.problems] == ["K164"]
    assert not (tmp_path / "run").exists()
