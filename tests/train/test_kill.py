"""A process that is killed anywhere leaves a run that goes on to the same end, bit for bit.

Every kill is a real SIGKILL of a real `kbuild` process: before an operation on a file of the run, in the middle of a
write, at a batch, at the end of an epoch.
"""

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
train: {epochs: 4, optimizer: {Adam: 1e-2}, checkpoint: {every: 4 steps}, early_stopping: {patience: 3}}
"""
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
STEPS = {"batch": BATCHES, "epoch": EPOCHS, "between": EPOCHS}
FULL = os.environ.get("KBUILD_FULL") == "1"
PHASES = tuple(phase for phase in (*PLACES, *STEPS) if FULL or phase not in ("state", "spec", "between"))
RNG = np.random.default_rng(0)
POINTS = [(phase, round(float(RNG.random()), 4)) for _ in range(14 if FULL else 1) for phase in PHASES]


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "killed.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def whole(spec, nursery, tmp_path_factory):
    """The run that nothing happened to, and what it did to files."""
    path = tmp_path_factory.mktemp("whole") / "run"
    done = nursery.run("fit", spec, "--out", path, "--quiet", disk=Disk(path) if nursery.disk else None)
    assert done.code == 0, done.err
    return path, done.touched


@pytest.fixture(scope="module")
def landed():
    """How often a kill has come, by phase."""
    return Counter()


def content(run: Path) -> dict[str, object]:
    """All of a finished run that is to be equal: every number but the seconds and the times."""
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]  # pyright: ignore
    history = [line.split(",")[:1] + line.split(",")[2:] for line in (run / "history.csv").read_text().splitlines()]
    info = json.loads((run / "run.json").read_text())
    return {
        "arrays": {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()},
        "rows": rows,
        "counts": json.dumps([newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped")]),
        "history": history,
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


def aimed(run: Path, phase: str, share: float, touched: tuple[str, ...]) -> dict[str, object]:
    """The order to kill at a phase, somewhere in all the times that a whole run passes it."""
    if phase in STEPS:
        return {"disk": Disk(run), "kill": [(phase, 1 + int(share * STEPS[phase]), signal.SIGKILL)]}
    operations, part = PLACES[phase]
    times = sum(line.split(" ")[0] in operations and part in line for line in touched)
    assert times, f"a whole run never passes {phase}"
    return {"disk": Disk(run, operations, part, 1 + int(share * times))}


def test_kills_go_where_they_are_sent(disk, whole):
    assert all(
        any(line.split()[0] in operations and part in line for line in whole[1]) for operations, part in PLACES.values()
    )


@pytest.mark.parametrize(("phase", "share"), POINTS)
def test_it_goes_on_to_the_same_end(phase, share, spec, whole, disk, landed, tmp_path):
    run = tmp_path / "run"
    done = disk.run("fit", spec, "--out", run, "--quiet", **aimed(run, phase, share, whole[1]))
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
    if phase == "batch":
        batches = 1 + int(share * BATCHES)
        assert batches - (saved[-1] if saved else 0) <= EVERY, "more than one interval is lost"
    if FULL and len(landed) % 2:
        # killed again while it goes on
        other = [*PLACES, *STEPS][int(share * 1e4) % (len(PLACES) + len(STEPS))]
        again = disk.run("fit", "--resume", run, "--quiet", **aimed(run, other, share / 2, whole[1]))
        assert again.code in (-9, 0), again.err[-2000:]
        if again.code == 0:
            same(run, whole[0])
            return
        landed[f"{other}, going on"] += 1
    again = disk.run("fit", "--resume", run, "--quiet")
    assert again.code == 0, again.err[-2000:]
    same(run, whole[0])
    assert not list(run.rglob(".*"))


def test_every_phase_was_hit(disk, landed, record_property):
    record_property("kills", dict(landed))
    assert {phase: landed[phase] for phase in PHASES} == Counter(phase for phase, _ in POINTS), dict(landed)
    assert len(POINTS) >= (200 if FULL else 12)
