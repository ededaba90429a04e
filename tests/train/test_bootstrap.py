"""Bagging: each member trains on a sample of its own, measured on the same parts, in memory or not, and goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import kbuild
from kbuild.data.load import load as load_data
from kbuild.train import checkpoint
from kbuild.train.fit import prepared
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume

SPEC = """
kbuild: 1
name: bag
data: {source: {npz: rows.npz, x: x, y: y}, split: {validation: 0.2, test: 0.2, seed: 3}, batch_size: 16}
model: [{Dense: {units: 6, activation: relu}}, {Dropout: 0.2}, {Dense: {units: 3, activation: softmax}}]
train: {bootstrap: true, epochs: 2, seed: 5, class_weight: balanced, checkpoint: {every: 2 steps, keep: 9}}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bag")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 4)).astype("float32")
    np.savez(folder / "rows.npz", x=x, y=x[:, :3].argmax(axis=1))
    (folder / "bag.yaml").write_text(SPEC)
    return folder / "bag.yaml"


@pytest.fixture(scope="module")
def bagged(file, tmp_path_factory):
    out = tmp_path_factory.mktemp("bagged") / "set"
    return kbuild.fit(kbuild.load(file, overrides={"train.repeats": 2}), out=out, report=Reporter())


def end(run: Path) -> tuple:
    """What a run came to, bit for bit."""
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in newest.state["rows"]]
    return {name: (array.dtype.str, array.tobytes()) for name, array in newest.arrays.items()}, rows


def rows(part) -> list[bytes]:
    return sorted(map(bytes, np.asarray(part.x["input"][:])))


def test_each_member_draws_from_the_same_training_part(bagged):
    samples, notes = [], []
    for run in bagged.members:
        spec = kbuild.load(run.path / "spec.yaml")
        whole = load_data(spec.data, spec.train.seed)
        with prepared(spec, None) as job:
            sample = rows(job.dataset.train)
            assert rows(job.dataset.validation) == rows(whole.validation)
            assert rows(job.dataset.test) == rows(whole.test)
            assert job.dataset.digest == whole.digest
        assert len(sample) == len(whole.train) == 60
        assert set(sample) < set(rows(whole.train))
        samples.append(sample)
        notes += [note for note in json.loads((run.path / "run.json").read_text())["notes"] if "bootstrap" in note]
    assert samples[0] != samples[1]
    expected = [f"bootstrap: {len(set(one))} of 60 training examples are drawn, some several times" for one in samples]
    assert notes == expected


def test_labels_and_weights_are_drawn_with_their_examples(file):
    spec = kbuild.load(file)
    with prepared(spec, None) as job:
        part = job.dataset.train
        assert (np.asarray(part.x["input"])[:, :3].argmax(axis=1) == np.asarray(next(iter(part.y.values())))).all()


@pytest.mark.full
def test_a_bagged_run_that_was_stopped_goes_on_to_the_same_bits(bagged, tmp_path):
    out = shutil.copytree(bagged.path, tmp_path / "set")
    second = out / "members" / "2"
    for path in sorted((second / "checkpoints").glob("step-*"))[2:]:
        shutil.rmtree(path)
    for where in (second, out):
        info = json.loads((where / "run.json").read_text())
        (where / "run.json").write_text(json.dumps({**info, "status": "running"}))
    assert resume(out, report=Reporter()).status == "done"
    assert end(second) == end(bagged.members[1].path)
    assert end(second) != end(bagged.members[0].path)


def test_data_that_are_not_in_memory_give_the_same_sample(file, bagged, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spec = kbuild.load(file, overrides={"data.in_memory": False})
    with prepared(spec, None) as job:
        assert job.dataset.train.streams
    assert end(kbuild.fit(spec, out=tmp_path / "run", report=Reporter()).path) == end(bagged.members[0].path)
