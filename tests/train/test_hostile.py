"""Two fresh processes give the same bits, and nothing that a machine is set to changes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import kbuild
from kbuild.train import checkpoint
from kbuild.train.progress import Reporter

BUILDER = Path(kbuild.__path__[0]).parent
SPEC = """
kbuild: 1
name: hostile
data:
  source: digits
  split: {validation: 100, test: 1500}
  batch_size: 32
  preprocess: [{Rescaling: "${1 / 16}"}]
  augment: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}, {MixUp: {alpha: 0.2}}]
model: [Flatten, {Dense: 16}, BatchNormalization, ReLU, {Dropout: 0.3}, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 2, deterministic: true}
"""


def fit(folder: Path, *more: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Train in a process that nothing is inherited by."""
    folder.mkdir()
    (folder / "hostile.yaml").write_text(SPEC)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BUILDER), "HOME": str(folder), **settings}
    command = [sys.executable, "-m", "kbuild", "fit", "hostile.yaml", "--out", "run", *more]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def content(run: Path):
    found = checkpoint.newest(run / "checkpoints")
    assert found is not None
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in found.state["rows"]]  # pyright: ignore
    return {name: (array.dtype.str, array.tobytes()) for name, array in found.arrays.items()}, rows


@pytest.mark.full
def test_two_processes_on_a_friendly_and_a_hostile_machine(tmp_path):
    name = keras.backend.backend()
    friendly = fit(tmp_path / "friendly", "--backend", name)
    assert friendly.returncode == 0, friendly.stderr
    # no line of TensorFlow's, no warning of Python's
    assert friendly.stderr == ""
    assert not [
        line for line in friendly.stdout.splitlines() if "tensorflow" in line.lower() or "onednn" in line.lower()
    ]
    home = tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(
        json.dumps({"floatx": "float64", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"})
    )
    hostile = fit(
        tmp_path / "hostile", "--backend", name,
        HOME=str(home), KERAS_BACKEND="torch", KERAS_MAX_EPOCHS="1", KERAS_MAX_STEPS_PER_EPOCH="1", PYTHONHASHSEED="7", LC_ALL="C",
    )  # fmt: skip
    assert hostile.returncode == 0, hostile.stderr
    assert content(tmp_path / "hostile" / "run") == content(tmp_path / "friendly" / "run")
    notes = " ".join(json.loads((tmp_path / "hostile" / "run" / "run.json").read_text())["notes"])
    assert all(word in notes for word in ("KERAS_BACKEND", "KERAS_MAX_EPOCHS", "floatx"))


@pytest.mark.full
def test_a_home_that_nothing_can_be_written_to(tmp_path):
    done = fit(tmp_path / "run", HOME="/proc/nowhere")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.full
def test_runs_of_one_process_do_not_colour_each_other(tmp_path):
    """What a run leaves in the process (precision, seed, names of layers) changes nothing of the next."""
    plain = {"train.deterministic": False, "train.epochs": 1}

    def one(name: str, **overrides: object) -> Path:
        spec = kbuild.load(SPEC, overrides={**plain, **overrides})
        return kbuild.fit(spec, out=tmp_path / name, report=Reporter()).path

    first = one("first")
    one("mixed", **{"train.precision": "mixed_bfloat16", "train.seed": 5})
    again = one("again")
    assert content(again) == content(first)
    assert keras.config.dtype_policy().name == "float32"
    info = [json.loads((path / "run.json").read_text()) for path in (first, again)]
    assert [one["backend"] for one in info] == [keras.backend.backend()] * 2
    assert info[0]["witness"] == info[1]["witness"]


@pytest.mark.full
def test_memory_does_not_grow_with_the_runs(tmp_path):
    """After 50 runs in one process at most 1.2 times what it was after five."""
    code = f"""
import kbuild, resource, sys
from pathlib import Path
from kbuild.train.progress import Reporter
def now():
    return int(Path("/proc/self/statm").read_text().split()[1])
for number in range(50):
    kbuild.fit(kbuild.load({SPEC!r}, overrides={{"train.deterministic": False, "train.epochs": 1}}), out=Path(sys.argv[1]) / str(number), report=Reporter())
    if number == 4:
        early = now()
print(now() / early)
"""
    environment = {**os.environ, "PYTHONPATH": str(BUILDER)}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=environment, capture_output=True, text=True, timeout=3000
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout.split()[-1]) <= 1.2
