"""A process that is killed anywhere leaves a run that goes on to the same end, bit for bit.

Every kill is a real SIGKILL of a real `kbuild` process: before an operation on a file of the run, in the middle of a
write, at a batch, at the end of an epoch. A part of them: `KBUILD_FULL=1 pytest tests/train/test_kill.py -k "spread and
payload or every_phase"`.
"""

import csv
import json
import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nursery import Disk

from kbuild.train import checkpoint

SPEC = """
kbuild: 1
name: killed
data: {source: iris, split: {validation: 0.2, test: 0.2}, batch_size: 16}
model: [{Dense: {units: 16, activation: relu}}, BatchNormalization, {Dropout: 0.3}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 4, optimizer: {Adam: 1e-2}, checkpoint: {every: 4 steps}, early_stopping: {patience: 3}, execution: {steps_per_execution: 1}}
"""
# killed between two phases, within an accumulation; between executions of many steps, of a model that augments and mixes
PHASED = SPEC.replace(
    "train: {epochs: 4, optimizer: {Adam: 1e-2}, checkpoint: {every: 4 steps}",
    """train:
  {accumulate: 2, checkpoint: {every: 3 steps}, optimizer: {AdamW: {learning_rate: 1e-2, use_ema: true}},
  phases: [{epochs: 2}, {epochs: 2, optimizer: {SGD: 1e-3}, schedule: {plateau: {patience: 0}}}]""",
)
SPREAD = """
kbuild: 1
name: spread
data:
  source: digits
  split: {validation: 100, test: 1400}
  batch_size: 50
  augment: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}, {MixUp: {alpha: 0.2}}]
model: [{Rescaling: 0.06}, Flatten, {Dense: 16}, ReLU, {Dropout: 0.2}, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 4, schedule: {cosine: {warmup: 1 epochs}}, execution: auto, checkpoint: {every: 2 steps}}
"""
SPECS = {"plain": SPEC, "phased": PHASED, "spread": SPREAD}
EVERY, BATCHES, EPOCHS = 4, 24, 4
PLACES = {
    "payload": (("open", "write"), "arrays.npz"),
    "state": (("open", "write"), "state.json"),
    "manifest": (("open", "write"), "manifest.json"),
    "fsync": (("fsync",), "checkpoints/.step"),
    "rename": (("rename",), "checkpoints/.step"),
    "retention": (("unlink", "rmdir"), "checkpoints/step"),
    "history": (("open", "write", "fsync"), "history.csv"),
    "tensorboard": (("open", "write", "mkdir"), "tensorboard/"),
    "run.json": (("open", "write", "fsync", "rename"), "run.json"),
    "model.keras": (("open", "write", "fsync", "rename"), "model.keras"),
    "report": (("open", "write", "fsync", "rename"), "report/"),
    "spec": (("open", "write", "fsync", "rename"), "spec.yaml"),
}
STEPS = ("batch", "epoch", "between")
FULL = os.environ.get("KBUILD_FULL") == "1"
PHASES = tuple(phase for phase in (*PLACES, *STEPS) if FULL or phase not in ("state", "spec", "between"))
RNG = np.random.default_rng(0)
KINDS = [*["plain"] * 6, *["phased"] * 5, *["spread"] * 4] if FULL else ["plain"]
POINTS = [(kind, phase, round(float(RNG.random()), 4)) for kind in KINDS for phase in PHASES]
if not FULL:
    POINTS = [(list(SPECS)[at % 3], phase, share) for at, (_, phase, share) in enumerate(POINTS)]


@pytest.fixture(scope="module")
def wholes(nursery, tmp_path_factory):
    """By kind: the spec, the run that nothing happened to, and what it did to files."""
    folder, found = tmp_path_factory.mktemp("wholes"), {}

    def whole(kind: str) -> tuple[Path, Path, tuple[str, ...]]:
        if kind not in found:
            spec, path = folder / f"{kind}.yaml", folder / kind
            spec.write_text(SPECS[kind])
            done = nursery.run("fit", spec, "--out", path, "--quiet", disk=Disk(path) if nursery.disk else None)
            assert done.code == 0, done.err
            found[kind] = spec, path, done.touched
        return found[kind]

    return whole


@pytest.fixture(scope="module")
def landed():
    """How often a kill has come, by phase."""
    return Counter()


def content(run: Path) -> dict[str, object]:
    """All of a finished run that is to be equal: every number but the seconds and the times."""
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]  # pyright: ignore
    with (run / "history.csv").open() as file:
        history = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
    info = json.loads((run / "run.json").read_text())
    return {
        "arrays": {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()},
        "rows": rows,
        "counts": json.dumps([newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped")]),
        "history": history,
        "health": json.loads((run / "report" / "health.json").read_text()),
        "evaluation": json.loads((run / "report" / "evaluation.json").read_text()),
        "weights": weights(run / "model.keras"),
        "files": {str(path.relative_to(run)) for path in run.rglob("*") if "tfevents" not in path.name},
        "run": {key: info[key] for key in ("status", "epochs", "best_epoch", "metrics", "test", "signal")},
        "tensorboard": points(run / "tensorboard"),
    }


def same(one: Path, other: Path) -> None:
    found, wanted = content(one), content(other)
    for part, value in wanted.items():
        assert found[part] == value, part


def weights(file: Path) -> dict[str, bytes]:
    """What is in a `.keras` file, by the path in its HDF5."""
    import io
    import zipfile

    import h5py

    found: dict[str, bytes] = {}
    with zipfile.ZipFile(file) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as stored:
        stored.visititems(lambda name, item: found.update({name: item[()].tobytes()} if hasattr(item, "shape") else {}))
    return found


def points(folder: Path) -> dict[str, list]:
    """Every point of every chart: its step and value. Steps must rise."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for part in ("train", "validation", "."):
        events = EventAccumulator(str(folder / part)).Reload()
        for tag in events.Tags()["scalars"]:
            if tag != "epoch_seconds":
                found[f"{part}/{tag}"] = [(event.step, event.value) for event in events.Scalars(tag)]
                steps = [step for step, _ in found[f"{part}/{tag}"]]
                assert steps == sorted(set(steps)), (part, tag, steps)
        # one curve is in one file after the other, never in two at a time
        assert len(events.Tags()["tensors"]) == len(set(events.Tags()["tensors"]))
    return found


def aimed(run: Path, kind: str, phase: str, share: float, touched: tuple[str, ...]) -> dict[str, object]:
    """The order to kill at a phase, somewhere in all the times that a whole run passes it."""
    if phase in STEPS:
        # where executions have many steps there may be one end of a batch in an epoch
        times = BATCHES if (kind, phase) == ("plain", "batch") else EPOCHS
        return {"disk": Disk(run), "kill": [(phase, 1 + int(share * times), signal.SIGKILL)]}
    operations, part = PLACES[phase]
    times = sum(line.split(" ")[0] in operations and part in line for line in touched)
    assert times, f"a whole run never passes {phase}"
    return {"disk": Disk(run, operations, part, 1 + int(share * times))}


@pytest.mark.parametrize(("kind", "phase", "share"), POINTS)
def test_it_goes_on_to_the_same_end(kind, phase, share, wholes, disk, landed, tmp_path):
    spec, whole, touched = wholes(kind)
    run = tmp_path / "run"
    done = disk.run("fit", spec, "--out", run, "--quiet", **aimed(run, kind, phase, share, touched))
    assert (done.code, len(done.hit)) == (-9, int(phase in PLACES)), done.err[-2000:]
    landed[phase] += 1
    if not (run / "run.json").exists():
        # nothing was trained: it is no run yet, and says so
        again = disk.run("fit", "--resume", run)
        assert (again.code, phase in ("run.json", "spec")) == (5, True) and "K604" in again.err
        return
    saved = [int(line.split(".step-")[1][:10]) for line in done.touched if line.startswith("rename checkpoints/.step")]
    newest = checkpoint.newest(run / "checkpoints")
    assert (newest.step if newest else None) == (saved[-1] if saved else None)
    if (kind, phase) == ("plain", "batch"):
        lost = 1 + int(share * BATCHES) - (saved[-1] if saved else 0)
        assert lost <= EVERY, "more than one interval is lost"
    if FULL and len(landed) % 2:
        # killed again while it goes on
        other = [*PLACES, *STEPS][int(share * 1e4) % (len(PLACES) + len(STEPS))]
        again = disk.run("fit", "--resume", run, "--quiet", **aimed(run, kind, other, share / 2, touched))
        assert again.code in (-9, 0), again.err[-2000:]
        if again.code == 0:
            same(run, whole)
            return
        landed[f"{other}, going on"] += 1
    again = disk.run("fit", "--resume", run, "--quiet")
    assert again.code == 0, again.err[-2000:]
    same(run, whole)
    assert not list(run.rglob(".*"))


def test_every_phase_was_hit(disk, landed, request, record_property):
    record_property("kills", dict(landed))
    print("kills:", dict(landed))
    # a part of the points may have been asked for
    mine = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    wanted = Counter(item.callspec.params["phase"] for item in mine)
    assert {phase: landed[phase] for phase in wanted} == wanted, dict(landed)
    if len(mine) == len(POINTS):
        assert set(wanted) == set(PHASES)
    assert len(POINTS) >= (200 if FULL else 12)
