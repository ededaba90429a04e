"""Data that are not in memory train as those that are: the same batches, the same weights, at bounded memory."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kbuild
from kbuild.data.dataset import Part
from kbuild.data.stored import opened, stored
from kbuild.spec.call import Call
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint, stream
from kbuild.train.augment import Augment
from kbuild.train.feed import feed
from kbuild.train.progress import Reporter

ROOT = Path(__file__).parents[2]
RANDOM = np.random.default_rng(0)
N = 23


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def moved(tmp_path):
    """A part → the same with its examples in files."""

    def on_disk(array):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.raw"
        path.write_bytes(array.tobytes())
        return stored(opened(path), 0, array.shape, array.dtype)

    def make(part, *labels):
        x = {name: on_disk(array) for name, array in part.x.items()}
        y = {name: on_disk(array) if name in labels else array for name, array in part.y.items()}
        return Part(x, y, part.weights, part.ids)

    return make


def batches(fed, epoch, data=None):
    """All batches of an epoch, as NumPy."""
    fed.start(epoch)
    data = fed.data if data is None else data
    found = list(data) if hasattr(data, "element_spec") else [data[at] for at in range(len(data))]
    return [keras.tree.map_structure(np.asarray, batch) for batch in found]


def same(one, two):
    assert len(one) == len(two)
    for left, right in zip(one, two, strict=True):
        keras.tree.assert_same_structure(left, right)
        for a, b in zip(keras.tree.flatten(left), keras.tree.flatten(right), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


PART = Part(
    {
        "a": RANDOM.integers(0, 256, (N, 6, 6, 3), "u1"),
        "b": RANDOM.normal(size=(N, 4)),
        "c": RANDOM.random(N).astype(">f4"),
    },
    {"p": np.arange(N) % 3, "q": RANDOM.normal(size=(N, 40))},
)
FLIPPED = (Call("layers", "RandomFlip", {"mode": "horizontal"}), Call("layers", "GaussianNoise", {"stddev": 0.5}))
MIXED = (Call("layers", "MixUp", {"alpha": 0.4}),)
ONE_HOT = np.eye(3, dtype="f4")[np.arange(N) % 3]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (PART, dict),
        (PART, lambda: {"seed": 3}),
        (PART, lambda: {"seed": 3, "weights": {"p": np.arange(N, dtype="f4")}}),
        (PART, lambda: {"seed": 3, "augment": Augment({"a": FLIPPED}, 3)}),
        (Part({"a": PART.x["a"]}, {"q": ONE_HOT}), lambda: {"seed": 3, "augment": Augment({"a": MIXED}, 3)}),
        (Part({"a": PART.x["a"]}, {}), lambda: {"seed": 3, "reconstruct": True}),
    ],
    ids=["in order", "shuffled", "weighted", "augmented", "mixed", "reconstructed"],
)
def test_batches_are_those_of_data_in_memory(moved, part, keys):
    outputs = list(part.y) or ["output"]
    one, two = feed(part, 5, outputs, **keys()), feed(moved(part, "q"), 5, outputs, **keys())
    assert one.steps == two.steps == 5
    for epoch in (0, 1, 0):
        same(batches(one, epoch), batches(two, epoch))
    # what is left of an epoch that was left in the middle
    same(batches(one, 2)[3:], batches(two, 2, two.rest(3)))


def test_an_order_that_is_set_while_batches_are_read_ahead_holds_from_then_on(moved):
    one, two = feed(PART, 5, ["p"], seed=3), feed(moved(PART), 5, ["p"], seed=3)
    if keras.backend.backend() != "tensorflow":
        two.data[0]
    for epoch in (4, 5):
        same(batches(one, epoch), batches(two, epoch))


SPEC = """
kbuild: 1
name: streamed
data:
  source: {SOURCE}
  split: {validation: 0.2, test: 0.2}
  batch_size: 16
  preprocess: [Normalization]
  augment: [{GaussianNoise: 0.1}]
model: [Flatten, {Dense: {units: 8, use_bias: false}}, BatchNormalization, ReLU, {Dropout: 0.3}, {Dense: HEAD}]
train: {epochs: 2, checkpoint: {every: 2 steps, keep: 99}, EXTRA}
"""
TASKS = {
    "classes": ("npy: arrays, x: x, y: y", "{units: 3, activation: softmax}", "class_weight: balanced"),
    "one_hot": ("npz: arrays.npz, x: x, y: one_hot", "{units: 30, activation: softmax}", "seed: 4"),
    "numbers": ("npz: packed.npz, x: x, y: wide", "20", "seed: 5"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Arrays of 120 examples in every kind of file; a label of `one_hot` and of `wide` is too large to be held."""
    tmp_path = tmp_path_factory.mktemp("data")
    y = np.arange(120) % 3
    x = (RANDOM.normal(size=(120, 5, 4)) + y[:, None, None]).astype("f4")
    arrays = {"x": x, "y": y, "one_hot": np.eye(30)[np.arange(120) % 30], "wide": x.reshape(120, 20) / 2}
    (tmp_path / "arrays").mkdir()
    for name, array in arrays.items():
        np.save(tmp_path / "arrays" / f"{name}.npy", array)
    np.savez(tmp_path / "arrays.npz", **arrays)
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    return tmp_path


def spec(folder, task, **overrides):
    source, head, extra = TASKS[task]
    path = folder / "spec.yaml"
    path.write_text(SPEC.replace("SOURCE", source).replace("HEAD", head).replace("EXTRA", extra))
    return kbuild.load(path, overrides=overrides)


def fit(folder, task, held):
    """A run, trained once for all tests."""
    out = folder / f"{task} {held}"
    if not out.exists():
        kbuild.fit(spec(folder, task, **{"data.in_memory": held}), out=out, report=Reporter())
    return out


def content(run):
    """The numbers of a run's last checkpoint."""
    found = checkpoint.newest(run / "checkpoints")
    return {name: (array.dtype.str, array.tobytes()) for name, array in found.arrays.items()}


@pytest.mark.parametrize("task", ["classes", "numbers", pytest.param("one_hot", marks=pytest.mark.full)])
def test_a_network_comes_out_the_same_bit_for_bit(folder, task):
    runs = [fit(folder, task, held) for held in (True, False)]
    assert content(runs[0]) == content(runs[1])
    one, two = (json.loads((run / "run.json").read_text()) for run in runs)
    assert one["data"] == two["data"]
    assert one["inputs"] == two["inputs"]
    assert one["metrics"] == two["metrics"]
    assert any("not held in memory" in note for note in two["notes"])
    assert not any("not held in memory" in note for note in one["notes"])
    # of predictions that are not held in memory, sums come in another order
    left, right = (json.loads((run / "report" / "evaluation.json").read_text()) for run in runs)
    assert left["metrics"] == right["metrics"]
    for a, b in zip(keras.tree.flatten(left["outputs"]), keras.tree.flatten(right["outputs"]), strict=True):
        assert a == (pytest.approx(b, rel=1e-6) if isinstance(b, float) else b)


def test_a_run_goes_on_where_it_was_left(folder, tmp_path):
    from kbuild.train.resume import resume

    whole = fit(folder, "classes", False)
    path = tmp_path / "left"
    shutil.copytree(whole, path)
    kept = sorted((path / "checkpoints").glob("step-*"))
    for later in kept[2:]:
        shutil.rmtree(later)
    assert checkpoint.newest(path / "checkpoints").state["batch"] == 4
    info = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**info, "status": "running"}))
    resume(path, report=Reporter())
    assert content(path) == content(whole)


class Spoil(Reporter):
    """Cuts the data off after an epoch."""

    def __init__(self, file):
        self.file = file

    def epoch(self, row, best):
        with self.file.open("r+b") as opened_file:
            opened_file.truncate(900)


@pytest.mark.parametrize("epochs", [1, 3], ids=["before the test", "while training"])
def test_data_that_change_under_a_run_are_a_problem(folder, tmp_path, epochs):
    shutil.copytree(folder / "arrays", tmp_path / "arrays")
    made = spec(tmp_path, "classes", **{"data.in_memory": False, "train.epochs": epochs, "train.seed": 9})
    with pytest.raises(SpecError) as caught:
        kbuild.fit(made, out=tmp_path / "run", report=Spoil(tmp_path / "arrays" / "x.npy"))
    (problem,) = caught.value.problems
    assert problem.code == "K416"
    assert problem.message.endswith("x.npy` was changed while its examples were being read")


def test_a_failure_is_told_once_and_only_if_a_reader_failed(moved):
    assert stream.cause(ValueError("something else")) is None
    error = SpecError([])
    assert stream.cause(error) is error


CHILD = """
import re, sys
from pathlib import Path
import kbuild
from kbuild.train.progress import Reporter
for folder in map(Path, sys.argv[1:]):
    kbuild.fit(kbuild.load(folder / "large.yaml"), out=folder / "run", report=Reporter())
    print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""
LARGE = """
kbuild: 1
name: large
data:
  source: {npy: ., x: x, y: y}
  batch_size: 128
  preprocess: [Normalization]
  in_memory: 100 MB
model:
  - {Conv2D: {filters: 4, kernel_size: 3, strides: 2}}
  - Flatten
  - {Dense: {units: 10, activation: softmax}}
train: {epochs: 1, tensorboard: false}
"""


def large(folder, gigabytes):
    """A spec of data that take so much."""
    folder.mkdir()
    count = int(gigabytes * 1e9 / (64 * 64 * 3 * 4))
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, 64, 64, 3)}
    with (folder / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        piece = RANDOM.random((64, 64, 64, 3), dtype="f4").tobytes()
        each = len(piece) // 64
        for start in range(0, count, 64):
            file.write(piece[: (min(count, start + 64) - start) * each])
    np.save(folder / "y.npy", np.arange(count) % 10)
    (folder / "large.yaml").write_text(LARGE)
    return str(folder)


def peaks(*folders):
    """Bytes of resident memory at most, after each training of a process that does one after the other."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "builder"), "KERAS_BACKEND": keras.backend.backend()}
    done = subprocess.run([sys.executable, "-c", CHILD, *folders], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [int(line) * 1024 for line in done.stdout.split()]


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")


@pytest.mark.full
@linux
def test_memory_does_not_grow_with_the_data(tmp_path):
    # held in memory it would take twice its size and more: the arrays, their parts, the backend's own
    small, more = peaks(large(tmp_path / "small", 0.12), large(tmp_path / "large", 0.6))
    assert more - small < 350e6, (small, more)


@pytest.mark.full
@linux
def test_four_gigabytes_train_in_one_and_a_half(tmp_path):
    (peak,) = peaks(large(tmp_path / "large", 4.0))
    assert peak < 1.5e9
