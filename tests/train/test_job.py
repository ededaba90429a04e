"""What a job tells the layers of its model."""

import json

import pytest

import kbuild
from kbuild.train import checkpoint
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume

SPEC = """
kbuild: 1
data: {source: iris, batch_size: 30, split: {validation: 0, test: 30}}
model: [{Dense: 8}, ReLU, {ScheduledDropout: 0.5, name: drop}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 3, tensorboard: false, checkpoint: {every: 1 epoch, keep: 9}, TRAIN}
"""


def fit(path, train: str = "seed: 0"):
    return kbuild.fit(kbuild.load(SPEC.replace("TRAIN", train)), out=path, report=Reporter())


def counts(run) -> tuple[int, int]:
    layer = run.model.get_layer("drop")
    return int(layer.step), int(layer.length)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("job") / "whole")


def test_a_dropout_without_steps_lasts_as_long_as_the_run(whole, tmp_path):
    newest = checkpoint.newest(whole.path / "checkpoints")
    assert newest is not None
    # 120 examples in batches of 30: four steps an epoch
    assert sorted(int(a) for a in newest.arrays.values() if a.shape == () and a.dtype.kind in "iu")[-2:] == [12, 12]
    phased = fit(tmp_path / "phased", "phases: [{epochs: 1}, {epochs: 2}]")
    assert counts(phased)[1] == 12


def test_a_run_that_is_made_longer_keeps_the_length_that_it_began_with(whole, tmp_path):
    longer = resume(whole.path, epochs="+2", report=Reporter())
    newest = checkpoint.newest(longer.path / "checkpoints")
    assert newest is not None
    assert json.loads((longer.path / "run.json").read_text())["planned_epochs"] == 5
    values = sorted(int(a) for name, a in newest.arrays.items() if name.startswith("model") and a.shape == ())
    assert values == [12, 20]
