"""What is wrong with real trainings is found, what is right is left alone, and looking changes nothing."""

import json
import math

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kbuild.spec.load import load
from kbuild.train import checkpoint, health, probing
from kbuild.train.findings import Known, Probe, findings
from kbuild.train.fit import fit, prepared
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume
from kbuild.train.run import open_run

NET = """
kbuild: 1
name: net
data: {source: digits, batch_size: 32, split: {validation: 0.15}, preprocess: [{Rescaling: 0.0625}]}
model: [Flatten, %s, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 3, %s}
"""
NOISY = NET % ("{Dense: 16}, BatchNormalization, ReLU, {Dropout: 0.3}", "optimizer: {Adam: 1e-2}")
SIGMOIDS = "{Dense: {units: 32, activation: sigmoid, kernel_initializer: {RandomNormal: {stddev: 0.05}}}, repeat: 20}"
LINEAR = "{Dense: {units: 32, kernel_initializer: {RandomNormal: {stddev: 0.5}}}, repeat: 10}"
TANH = "{Dense: {units: 32, activation: tanh, kernel_initializer: {RandomNormal: {stddev: 10.0}}}, name: flat}"
FEW = NET.replace("batch_size: 32, split: {validation: 0.15}", "batch_size: 5, split: {validation: 1000, test: 747}")


class Notes(Reporter):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def watched(text, tmp_path, overrides=None):
    """Keras's own `fit` of a spec with a Health beside it: the Health, the rows, and the best epoch."""
    (tmp_path / "report").mkdir(parents=True)
    with prepared(load(text, overrides or {}), None) as job:
        made, rows = health.Health(job, tmp_path, lambda probe: None), []

        class Rows(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                rows.append({"epoch": epoch + 1, **logs})

        job.model.fit(
            job.train.data, epochs=job.spec.train.epochs, verbose=0, shuffle=False,
            validation_data=job.validation.data, callbacks=[Rows(), made],
        )  # fmt: skip
        best = min(rows, key=lambda row: row["val_loss"])["epoch"]
        return made, rows, made.findings(rows, best)


@pytest.mark.parametrize(
    ("layers", "train", "kind", "name", "said"),
    [
        pytest.param(SIGMOIDS, "seed: 0", "vanishing", "dense-0", "use ReLU, BatchNormalization", id="sigmoids"),
        pytest.param(LINEAR, "seed: 0", "exploding", "dense-0", "set `global_clipnorm: 1.0`", id="large weights"),
        pytest.param("{Dense: 64}, ReLU", "optimizer: {Adam: 10}", "dead", "re_lu", "lower the learning rate (10 is 10,000 times Keras's own for `Adam`)", id="rate"),
        pytest.param("{Dense: {units: 64, bias_initializer: {Constant: -9}, activation: relu}}", "seed: 0", "dead", "dense", "or use LeakyReLU", id="negative biases"),
        pytest.param(TANH, "optimizer: {Adam: 1e-3}", "saturated", "flat", "take smaller initial weights", id="tanh"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_network_is_found(layers, train, kind, name, said, tmp_path):
    # the last layer gives logits: a softmax that is sure has a gradient of 0 in Keras on JAX
    text = (NET % (layers, train)).replace("{Dense: {units: 10, activation: softmax}}", "Dense: 10")
    made, _, found = watched(text, tmp_path)
    assert made.error is None
    assert (found[0].kind, name if kind == "exploding" else found[0].name) == (kind, name)
    assert said in found[0].sentence
    assert "\n" not in found[0].sentence and not found[0].sentence.endswith(".")


@pytest.mark.full
def test_a_network_that_learned_fifty_digits_by_heart_overfits(tmp_path):
    _, rows, (found,) = watched(FEW.replace("epochs: 3", "epochs: 25") % ("{Dense: 64}, ReLU", "seed: 0"), tmp_path)
    assert rows[-1]["accuracy"] - rows[-1]["val_accuracy"] > 0.1
    assert found.kind == "overfitting"
    assert found.sentence.startswith("the network overfits: `accuracy` is ")


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("digits_mlp", {"train.epochs": 8}),
        ("digits_cnn", {"train.epochs": 4}),
        ("iris_4_8_16_8_3", {"train.epochs": 30}),
        *(pytest.param(name, {}, marks=pytest.mark.full)
          for name in ("digits_mlp", "digits_cnn", "iris_4_8_16_8_3", "breast_cancer", "diabetes", "digits_autoencoder", "digits_vae", "digits_densenet")),
    ],
)  # fmt: skip
def test_nothing_is_said_of_the_shipped_specs(name, overrides, tmp_path):
    made, _, found = watched(f"kbuild:{name}", tmp_path, overrides)
    assert (made.error, found) == (None, [])
    assert made.probes and all(math.isfinite(norm) for norm in made.probes[-1].gradient_norm.values())


def arrays(path):
    found = checkpoint.newest(path / "checkpoints")
    return {name: (array.dtype.str, array.tobytes()) for name, array in found.arrays.items()}


def test_a_run_has_the_same_bits_with_and_without(tmp_path, monkeypatch):
    monkeypatch.setattr(health, "EVERY", 20)
    monkeypatch.setattr(health, "FEWEST", 1)
    runs = [fit(load(NOISY, {"train.health": on}), out=tmp_path / str(on), report=Notes()) for on in (True, False)]
    assert arrays(runs[0].path) == arrays(runs[1].path)
    assert [{**row, "seconds": 0} for row in zip_rows(runs[0])] == [{**row, "seconds": 0} for row in zip_rows(runs[1])]
    assert runs[0].test == runs[1].test
    probes = json.loads((runs[0].path / "report/health.json").read_text())["probes"]
    assert [probe["epoch"] for probe in probes] == [1, 2, 3]
    assert not (runs[1].path / "report/health.json").exists()
    assert runs[1].as_json()["health"] == []


def zip_rows(run):
    return [dict(zip(run.history, row, strict=True)) for row in zip(*run.history.values(), strict=True)]


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    notes = Notes()
    text = NET % ("{Dense: 64}, ReLU, {Dense: 8, name: deep}", "optimizer: {Adam: 10}")
    return fit(load(text), out=tmp_path_factory.mktemp("dead") / "run", report=notes), notes.notes


def test_one_sentence_at_the_end_says_so(dead):
    run, notes = dead
    # what is found, and what is likeliest, is not the same on every backend: bits decide at such a rate
    told = [note for note in notes if note.startswith("warning: ") and any(one in note for one in run.health)]
    assert len(told) == 1
    assert told[0].startswith(f"warning: {run.health[0]}")
    assert json.loads((run.path / "run.json").read_text())["health"] == list(run.health)
    assert open_run(run.path).as_json()["health"] == list(run.health) == run.as_json()["health"]


def test_what_is_said_of_the_optimizer_is_said_of_the_phase(tmp_path):
    phases = (
        "optimizer: {SGD: {learning_rate: 0.5, clipnorm: 1}}, phases: [{epochs: 1}, {epochs: 3, optimizer: {Adam: 10}}]"
    )
    text = NET.replace("epochs: 3, ", "") % ("{Dense: 64}, ReLU", phases)
    run = fit(load(text), out=tmp_path / "run", report=Notes())
    assert "lower the learning rate (10 is 10,000 times Keras's own for `Adam`)" in run.health[0]


def test_its_numbers_are_in_the_run_and_in_tensorboard(dead):
    run, _ = dead
    kept = json.loads((run.path / "report/health.json").read_text())
    (probe,) = kept["probes"]
    assert (probe["epoch"], probe["step"], probe["examples"], kept["error"]) == (3, 3 * 43, 128, None)
    assert list(probe["gradient_norm"]) == ["dense", "deep", "dense_1"]
    assert [one["sentence"] for one in kept["findings"]] == list(run.health)
    events = EventAccumulator(str(run.path / "tensorboard/train"))
    events.Reload()
    assert {"health/gradient_norm/deep", "health/dead/re_lu", "health/gap"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("health/gap")] == [1, 2, 3]
    (event,) = events.Scalars("health/dead/re_lu")
    assert (event.step, event.value) == (3, pytest.approx(probe["dead"]["re_lu"]))


def test_a_run_that_goes_on_keeps_its_probes(dead):
    run, _ = dead
    again = resume(run.path, epochs="+1", report=Notes())
    probes = json.loads((again.path / "report/health.json").read_text())["probes"]
    assert [probe["epoch"] for probe in probes] == [3, 4]


def test_a_probe_that_cannot_be_made_ends_nothing(tmp_path, monkeypatch):
    def fails(job):
        raise ValueError("no derivative\nof this")

    monkeypatch.setattr(health, "probing", fails)
    _, rows, _ = watched(NOISY, tmp_path)
    assert len(rows) == 3
    assert json.loads((tmp_path / "report/health.json").read_text())["error"] == "ValueError: no derivative of this"


def test_units_are_found_by_what_they_give():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.Flatten()(keras.layers.LeakyReLU(name="leaky")(x))
    shared = keras.layers.Dense(5, activation="tanh", name="twice")
    x = keras.layers.Dense(5)(shared(shared(keras.layers.Dense(5, activation="linear")(x))))
    x = keras.layers.Activation("sigmoid", name="act")(keras.ops.relu(x))
    x = keras.layers.LSTM(3, name="lstm")(keras.layers.Reshape((5, 1))(x))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="out")(x))
    found = [(one.name, one.kind, one.axis) for one in probing.units(model)]
    assert [one for one in found if one[0] != found[3][0]] == [
        ("conv", "relu", 3), ("twice", "tanh", 1), ("twice", "tanh", 1), ("act", "sigmoid", 1),
    ]  # fmt: skip
    assert found[3][1] == "relu"


def test_dead_units_are_those_that_are_0_for_every_example(tmp_path):
    with prepared(load(NET % ("{Dense: {units: 4, activation: relu}}", "seed: 0")), None) as job:
        layer = job.model.get_layer("dense")
        kernel, _ = layer.get_weights()
        layer.set_weights([np.abs(kernel) * [1, 1, -1, 0], np.float32([0, 0, 0, -1])])
        probe = probing.probing(job)(1, 2)
    assert (probe.epoch, probe.step, probe.dead) == (1, 2, {"dense": 0.5})


def rows(*pairs, name="loss"):
    return [{"epoch": at + 1, name: one, f"val_{name}": other} for at, (one, other) in enumerate(pairs)]


def test_bounds():
    known = Known(validation=400, best=1)
    quiet = Probe(1, 100, 128, 0.5, {"a": 1e-4, "b": 1.0}, {"a": 0.74}, {"a": 0.89})
    assert findings(quiet, rows((0.5, 0.9)), known) == []
    loud = Probe(1, 100, 128, 0.5, {"a": 1e-3, "b": 1e3 + 1}, {"a": 0.75}, {"a": 0.9})
    assert [one.kind for one in findings(loud, [], known)] == ["dead", "exploding", "saturated", "vanishing"]
    assert [one.kind for one in findings(loud, [], Known(clipped=True))] == ["dead", "saturated", "vanishing"]
    assert [one.kind for one in findings(loud, [], Known(scale=100.0))] == ["dead", "saturated", "vanishing"]
    assert findings(Probe(1, 9, 16, 0.5, {}, {"a": 1.0}), [], known) == [], "16 examples show no dead unit"


def test_a_gradient_of_0_everywhere_is_told_unless_all_is_learned():
    still = {"a": 0.0, "b": 0.0}
    (found,) = findings(Probe(1, 100, 128, 9.5, still), [], Known())
    assert found.sentence.startswith("the gradient is 0 in every layer while `loss` is 9.5")
    assert findings(Probe(1, 100, 128, 1e-6, still), [], Known()) == []


def test_luck_with_few_examples_is_no_overfitting():
    pairs = rows((1.0, 0.8), name="accuracy")
    assert [one.kind for one in findings(None, pairs, Known(validation=400, best=1))] == ["overfitting"]
    assert findings(None, pairs, Known(validation=9, best=1)) == []
    losses = rows((1.0, 2.1))
    assert [one.kind for one in findings(None, losses, Known(validation=400, best=1))] == ["overfitting"]
    assert findings(None, losses, Known(validation=9, best=1)) == []


def test_a_loss_that_rises_again_is_told_without_early_stopping():
    pairs = rows((2.0, 2.1), (1.6, 1.9), (1.0, 3.0))
    (found,) = findings(None, pairs, Known(validation=400, best=2))
    assert found.sentence.startswith(
        "the network overfits: `val_loss` was lowest in epoch 2, and is 1.58 times that at the end; set `early_stopping`"
    )
    assert findings(None, pairs, Known(validation=400, best=2, stops=True)) == []


def test_a_metric_that_was_no_number():
    (found,) = findings(None, rows((0.5, math.nan), (0.4, 0.5)), Known(best=2))
    assert found.sentence.startswith(
        "`val_loss` was no finite number in 1 of 2 epochs, first in epoch 1; such an epoch is never the best"
    )
