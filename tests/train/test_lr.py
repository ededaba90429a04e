"""lr: a range test on real data: what it leaves, that it repeats, and that training at its suggestion is sane."""

import csv
import json
import signal
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train import steer, sweep
from kbuild.train.fit import prepared
from kbuild.train.progress import Reporter
from kbuild.train.signals import Signals

SPEC = """
kbuild: 1
name: flowers
data: {source: iris, batch_size: 16, preprocess: [Normalization]}
model: [{Dense: {units: 16, activation: relu}}, {Dropout: 0.1}, {Dense: {units: 3, activation: softmax}}]
train: {optimizer: {SGD: {momentum: 0.9}}, metrics: [accuracy], epochs: 3, schedule: cosine, seed: 3}
"""


class Notes(Reporter):
    def __init__(self):
        self.notes: list[str] = []
        self.done: list[int] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, done: int) -> None:
        self.done.append(done)


def tried(spec: str, out: Path, **more) -> kbuild.RangeTest:
    return kbuild.lr(kbuild.load(spec), out=out, **{"report": Reporter(), "steps": 120, **more})


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    notes = Notes()
    made = tried(SPEC, tmp_path_factory.mktemp("lr") / "one", report=notes, command=("kbuild", "lr"))
    return made, notes


def test_it_leaves_what_it_found(found):
    made, notes = found
    assert sorted(path.name for path in made.path.iterdir()) == ["lr.csv", "lr.json", "lr.png", "spec.yaml"]
    with (made.path / "lr.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx(made.rates, rel=1e-8)
    assert [float(row["loss"]) for row in rows] == pytest.approx(made.losses, rel=1e-8)
    assert [float(row["smoothed"]) for row in rows] == pytest.approx(made.smoothed, rel=1e-8)
    said = json.loads((made.path / "lr.json").read_text())
    assert said["suggestion"] == made.suggestion
    assert said["set"] == made.set == f"train.optimizer.SGD.learning_rate={made.suggestion:g}"
    assert (said["status"], said["seed"], said["planned_steps"]) == ("done", 3, 120)
    assert kbuild.load((made.path / "spec.yaml").read_text()).train.schedule is not None
    assert "`cosine` is left out of the test: its rate is what grows here" in notes.notes
    assert notes.done == list(range(1, len(made.rates) + 1))
    assert made.exit_code == 0


def test_the_losses_are_those_of_steps_that_keras_takes(found):
    """Keras's own `train_on_batch`, a rate at a time, on the batches of the run."""
    made, _ = found
    with prepared(kbuild.load(SPEC, overrides={"train.schedule": False}), None) as job:
        losses, epoch, batches = [], 0, iter(())
        for at, rate in enumerate(made.rates[:20]):
            if at % job.train.steps == 0:
                job.train.start(epoch)
                epoch, batches = epoch + 1, iter(job.train.data)
            job.model.optimizer.learning_rate = float(rate)
            job.model.reset_metrics()
            losses.append(job.model.train_on_batch(*next(batches), return_dict=True)["loss"])
    np.testing.assert_allclose(losses, made.losses[:20], rtol=1e-5)


def test_it_repeats_bit_for_bit_and_another_seed_does_not(found, tmp_path):
    made, _ = found
    again = tried(SPEC, tmp_path / "again")
    np.testing.assert_array_equal(again.losses, made.losses)
    other = tried(SPEC.replace("seed: 3", "seed: 4"), tmp_path / "other", steps=20)
    assert other.losses[0] != made.losses[0]


def test_it_ends_when_the_loss_diverges(tmp_path):
    made = tried(SPEC, tmp_path / "far", high=1e6)
    assert len(made.rates) < 120
    assert not made.smoothed[-1] <= 4 * made.smoothed[12:].min()
    assert made.status == "done"


@pytest.mark.full
def test_training_at_the_suggestion_beats_a_hundred_times_more_and_less(found, tmp_path):
    made, _ = found

    def loss(rate: float) -> float:
        more = {"train.optimizer.SGD.learning_rate": rate, "train.epochs": 8, "train.schedule": False}
        more |= {"train.checkpoint": False, "train.tensorboard": False}
        spec = kbuild.load(SPEC, overrides=more)
        try:
            return kbuild.fit(spec, out=tmp_path / f"{rate:g}", report=Reporter()).history["loss"][-1]
        except SpecError:
            return float("inf")

    suggested = made.suggestion
    assert suggested is not None
    assert loss(suggested) < min(loss(suggested * 100), loss(suggested / 100))


@pytest.mark.full
@pytest.mark.parametrize("more", [
    {"train.optimizer": {"Lookahead": "adam"}},
    {"train.optimizer": {"Adam": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 9}}}},
     "train.schedule": False, "train.phases": [{"epochs": 2}, {"epochs": 1, "optimizer": "sgd"}],
     "train.execution": {"steps_per_execution": 4}},
    pytest.param({"train.accumulate": 2, "train.schedule": "plateau",
                  "train.early_stopping": {"monitor": "val_accuracy"}}, marks=pytest.mark.full),
    pytest.param({"train.precision": "mixed_float16"}, marks=pytest.mark.full),
])  # fmt: skip
def test_it_takes_every_optimizer_as_it_is(tmp_path, more):
    spec = kbuild.load(SPEC, overrides=more)
    made = kbuild.lr(spec, out=tmp_path / "x", steps=40, low=1e-4, high=1e-1, report=Reporter())
    assert len(made.losses) == 40
    assert np.isfinite(made.losses).all()
    assert made.losses[30:].mean() < 0.9 * made.losses[:5].mean()  # the rates did reach the optimizer


def test_the_rate_reaches_the_innermost_optimizer(tmp_path):
    spec = kbuild.load(SPEC, overrides={"train.optimizer": {"Lookahead": "sgd"}, "train.schedule": False})
    with prepared(replace(spec, train=steer.constant(spec.train, 1e-7)), None) as job:
        seen: list[float] = []

        def step(done: int) -> None:
            getattr(job.model, "jax_state_sync", lambda: None)()  # on JAX the trainer holds the variables
            inner = job.model.optimizer.inner_optimizer
            seen.append(float(keras.ops.convert_to_numpy(inner.learning_rate)))

        sweep.run(job, np.asarray([1e-3, 1e-2, 1e-1]), Signals(), step)
    assert seen == pytest.approx([1e-3, 1e-2, 1e-1])


class Interrupted(Reporter):
    """Ctrl-C at a step, as the system sends it."""

    def step(self, done: int) -> None:
        if done == 30:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_leaves_what_there_is(found, tmp_path):
    made, _ = found
    stopped = tried(SPEC, tmp_path / "stopped", report=Interrupted())
    assert (stopped.status, stopped.signal, stopped.exit_code) == ("stopped", signal.SIGINT, 130)
    np.testing.assert_array_equal(stopped.losses, made.losses[:30])
    assert len((stopped.path / "lr.csv").read_text().splitlines()) == 31
    assert json.loads((stopped.path / "lr.json").read_text())["status"] == "stopped"
    assert (stopped.path / "lr.png").stat().st_size > 1000


def test_no_rate_is_suggested_where_the_loss_cannot_fall(tmp_path):
    spec = SPEC.replace("[{Dense: {units: 16", "[{Dense: {trainable: false, units: 16").replace(
        "{Dense: {units: 3,", "{Dense: {units: 3, kernel_initializer: zeros,"
    )
    made = tried(spec, tmp_path / "flat", low=1e-9, high=1e-7)
    assert (made.suggestion, made.set, made.exit_code) == (None, None, 4)
    assert made.found.why == "the loss hardly falls at any rate"


def test_a_directory_that_is_there_is_left_alone(found):
    made, _ = found
    before = {path: path.read_bytes() for path in made.path.iterdir()}
    with pytest.raises(SpecError) as error:
        tried(SPEC, made.path)
    assert error.value.problems[0].code == "K601"
    assert {path: path.read_bytes() for path in made.path.iterdir()} == before


@pytest.mark.parametrize(("more", "message"), [
    ({"low": 1.0, "high": 0.1}, "the rates must grow from above 0, not from 1 to 0.1"),
    ({"low": 0.0}, "the rates must grow from above 0, not from 0 to 10"),
    ({"high": float("inf")}, "the rates must grow from above 0, not from 1e-07 to inf"),
    ({"steps": 5}, "a range test of 5 steps shows no curve"),
])  # fmt: skip
def test_rates_that_cannot_be(tmp_path, more, message):
    with pytest.raises(SpecError) as error:
        tried(SPEC, tmp_path / "x", **more)
    assert [(problem.code, problem.message) for problem in error.value.problems] == [("K105", message)]
    assert list(tmp_path.iterdir()) == []


def test_a_spec_without_data(tmp_path):
    with pytest.raises(SpecError) as error:
        tried("kbuild: 1\nname: x\nmodel: {inputs: {a: {shape: [3]}}, layers: [{Dense: 2}]}\n", tmp_path / "x")
    assert error.value.problems[0].code == "K166"


def test_each_takes_the_next_free_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = (kbuild.lr(kbuild.load(SPEC), steps=20, report=Reporter()).path for _ in range(2))
    assert (str(first), str(second)) == ("runs/flowers-lr-001", "runs/flowers-lr-002")
