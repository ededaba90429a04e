"""A process that is killed anywhere leaves a run that goes on to the same end, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume

SPEC = """
kbuild: 1
name: killed
data: {source: iris, split: {validation: 0.2, test: 0.2}, batch_size: 16}
model: [{Dense: {units: 16, activation: relu}}, BatchNormalization, {Dropout: 0.3}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 4, optimizer: {Adam: 1e-2}, checkpoint: {every: 4 steps}, early_stopping: {patience: 9}}
"""
PHASES = ("payload", "fsync", "manifest", "rename", "retention", "batch", "epoch")
FULL = os.environ.get("KBUILD_FULL") == "1"


def points() -> list[tuple[str, int]]:
    """Where to kill: every phase of a save twice in the commit tier, 200 points in the full one; seeded."""
    rng = np.random.default_rng(0)
    most = {"payload": 12, "fsync": 18, "manifest": 6, "rename": 6, "retention": 6, "batch": 4, "epoch": 4}
    if not FULL:
        return [(phase, int(rng.integers(1, most[phase] + 1))) for phase in PHASES[:5] for _ in range(2)] + [
            ("batch", 1),
            ("epoch", 2),
        ]
    return [(phase, int(rng.integers(1, most[phase] + 1))) for phase in (PHASES * 29)[:203]]


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "killed.yaml"
    path.write_text(SPEC)
    return path


def content(run: Path):
    newest = checkpoint.newest(run / "checkpoints")
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]
    counts = json.dumps([newest.state[key] for key in ("epoch", "batch", "best", "callbacks", "stopped")])
    return {name: (a.dtype.str, a.tobytes()) for name, a in newest.arrays.items()}, rows, counts


@pytest.fixture(scope="module")
def whole(spec, tmp_path_factory):
    return kbuild.fit(kbuild.load(spec), out=tmp_path_factory.mktemp("whole") / "run", report=Reporter()).path


@pytest.mark.parametrize(("phase", "count"), points())
def test_it_goes_on_to_the_same_end(phase, count, spec, whole, tmp_path):
    out = tmp_path / "run"
    script = Path(__file__).with_name("killed.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(kbuild.__path__[0]).parent)}
    done = subprocess.run(
        [sys.executable, script, spec, out, phase, str(count)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == -9, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == f"killed at {phase}"
    left = checkpoint.newest(out / "checkpoints")
    if left is None:
        assert count <= {"payload": 2, "fsync": 3}.get(phase, 1), "a checkpoint that was whole is gone"
        with pytest.raises(SpecError) as error:
            resume(out, report=Reporter())
        assert error.value.problems[0].code == "K623"
        return
    assert resume(out, report=Reporter()).status == "done"
    assert content(out) == content(whole)
    assert not [path for path in (out / "checkpoints").iterdir() if path.name.startswith(".")]
    assert (out / "history.csv").read_text().count("\n") == 5
