"""What is chosen for which network, data, backend and device, without training anything."""

import dataclasses

import keras
import pytest

from kbuild.plan.check import check
from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.spec.train import Checkpoint, Plateau, Train
from kbuild.train import execution_rule as rule

ADAM = Call("optimizers", "Adam")
DENSE = frozenset({"core", "activations", "normalization"})
CONVOLUTION = frozenset({"core", "convolutional", "pooling"})
LONG = rule.Case(
    families=DENSE,
    backend="tensorflow",
    accelerated=False,
    deterministic=False,
    compiles=True,
    held=True,
    steps=1000,
    all=10_000,
)


def case(**changed):
    return dataclasses.replace(LONG, **changed)


@pytest.mark.parametrize(
    ("changed", "jit", "steps", "why"),
    [
        ({}, True, 128, "dense layers on a CPU"),
        ({"held": False}, True, 128, "dense layers on a CPU"),
        ({"families": CONVOLUTION}, False, 128, "XLA is slow at convolutions on a CPU"),
        ({"families": DENSE | {"regularization"}}, False, 128, "XLA is slow at random numbers on a CPU"),
        ({"families": DENSE | {"regularization"}, "held": False}, False, 128, "XLA is slow at random numbers on a CPU"),
        ({"families": DENSE | {"regularization"}, "accelerated": True}, True, 32, "on a GPU, the loop is compiled"),
        ({"families": CONVOLUTION, "held": False}, False, 16, "XLA is slow at convolutions on a CPU"),
        ({"families": DENSE | {"pooling"}}, False, 128, "XLA is slow at convolutions on a CPU"),
        ({"families": DENSE | {"rnn"}}, False, 128, "XLA may be slow at such layers on a CPU"),
        ({"families": DENSE | {"rnn"}, "compiles": False}, False, 128, "a layer cannot be compiled by XLA"),
        ({"families": DENSE | {"layers"}}, False, 128, "XLA may be slow at such layers on a CPU"),
        ({"all": 100, "steps": 10}, False, 10, "too few steps for XLA to pay"),
        ({"deterministic": True}, False, 128, "operations that repeat bit for bit exclude XLA"),
        ({"deterministic": True, "families": CONVOLUTION}, False, 128, "operations that repeat bit for bit exclude XLA"),
        (
            {"deterministic": True, "families": CONVOLUTION, "held": False},
            False, 16, "operations that repeat bit for bit exclude XLA",
        ),
        ({"deterministic": True, "accelerated": True}, False, 128, "operations that repeat bit for bit exclude XLA"),
        ({"accelerated": True, "families": CONVOLUTION}, True, 32, "on a GPU, the loop is compiled"),
        ({"accelerated": True, "held": False}, True, 32, "on a GPU, compiled"),
        ({"accelerated": True, "compiles": False}, False, 32, "on a GPU"),
        ({"backend": "jax"}, True, 128, "JAX, the loop is compiled"),
        ({"backend": "jax", "deterministic": True}, True, 128, "JAX, the loop is compiled"),
        ({"backend": "jax", "held": False}, True, 1, "JAX compiles each step"),
        ({"backend": "jax", "families": CONVOLUTION}, True, 16, "JAX compiles each step"),
        ({"backend": "jax", "families": CONVOLUTION, "accelerated": True}, True, 32, "JAX, the loop is compiled"),
        ({"backend": "jax", "families": DENSE | {"layers"}}, True, 16, "JAX compiles each step"),
        ({"backend": "torch"}, False, 1, "torch runs step by step"),
        ({"steps": 45}, True, 45, "dense layers on a CPU"),
        ({"seconds": 0.02}, True, 50, "dense layers on a CPU; an execution takes about a second"),
        ({"seconds": 30.0}, True, 1, "dense layers on a CPU; an execution takes about a second"),
        ({"most": (4, "so that checkpoints come in time")}, True, 4, "dense layers on a CPU; so that checkpoints come in time"),
        ({"most": (4, "x"), "steps": 3}, True, 3, "dense layers on a CPU"),
    ],
)  # fmt: skip
def test_the_rule(changed, jit, steps, why):
    assert rule.choose(case(**changed)) == rule.Choice(jit, steps, why)


def test_only_what_no_rule_tells_is_measured():
    unknown = case(families=DENSE | {"attention"})
    assert rule.unknown(unknown)
    for changed in (
        {"families": DENSE},
        {"families": unknown.families | {"convolutional"}},
        {"backend": "jax"},
        {"accelerated": True},
        {"deterministic": True},
        {"compiles": False},
    ):
        assert not rule.unknown(dataclasses.replace(unknown, **changed)), changed


def test_how_a_choice_is_told_and_stored():
    choice = rule.Choice(True, 128, "dense layers on a CPU")
    assert str(choice) == "XLA, 128 steps at a time (dense layers on a CPU)"
    assert str(rule.Choice(False, 1, "torch runs step by step")) == "no XLA, 1 step at a time (torch runs step by step)"
    assert rule.stored(choice.as_json()) == choice
    assert rule.stored(None) is None


class Own(keras.layers.Dense):
    pass


class Strange(keras.layers.Layer):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("layers", "also"),
    [
        ([keras.layers.Dense(2), keras.layers.ReLU(), keras.layers.BatchNormalization()], set()),
        ([keras.layers.Rescaling(0.5), keras.layers.Dropout(0.1), Own(2)], set()),
        ([keras.layers.Reshape((4, 1)), keras.layers.Conv1D(2, 2)], {"convolutional"}),
        ([keras.layers.Reshape((4, 1)), keras.layers.GlobalAveragePooling1D()], {"pooling"}),
        ([keras.layers.Reshape((4, 1)), keras.layers.LSTM(2)], {"rnn"}),
        ([keras.layers.Reshape((2, 2, 1)), keras.layers.Resizing(3, 3)], {"image_preprocessing"}),
        ([Strange()], {"layers"}),
        ([keras.Sequential([keras.layers.Reshape((4, 1)), keras.layers.Conv1D(2, 2)])], {"convolutional"}),
    ],
)
def test_the_kinds_of_layers_come_from_keras(layers, also):
    x = inputs = keras.Input((4,))
    for layer in layers:
        x = layer(x)
    found = rule.families(keras.Model(inputs, x))
    assert also <= found
    assert rule.dense(found) is not bool(also)


def test_operations_and_attention():
    x = keras.Input((4, 3))
    assert rule.dense(rule.families(keras.Model(x, keras.layers.Dense(1)(keras.ops.exp(x) + 1))))
    attention = keras.layers.MultiHeadAttention(1, 2)(x, x)
    assert not rule.dense(rule.families(keras.Model(x, attention)))


def test_a_step_is_estimated_from_the_plan():
    text = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [1000]}}\n  layers: [{Dense: 500}]\n"
    plan = check(load(text)).plan
    # a multiply and an add for each weight, an add for each bias; forward and twice as much backward
    assert rule.seconds(plan, 10) == pytest.approx(3 * 10 * (2 * 1000 * 500 + 500) / rule.FLOPS, rel=1e-3)


@pytest.mark.parametrize(
    ("changed", "own", "most"),
    [
        ({}, False, None),
        ({}, True, (1, "a callback looks at every batch")),
        ({"checkpoint": None}, False, None),
        ({"checkpoint": Checkpoint(every="500 steps")}, False, (125, "so that checkpoints come in time")),
        ({"checkpoint": Checkpoint(every="7 steps")}, False, (7, "so that checkpoints come in time")),
        ({"checkpoint": Checkpoint(every="2 epochs")}, False, None),
        ({"schedule": Plateau()}, False, None),
        ({"schedule": Plateau(warmup="160 steps")}, False, (10, "so that the warm-up rises evenly")),
        ({"schedule": Plateau(warmup="5 steps")}, False, (1, "so that the warm-up rises evenly")),
    ],
)
def test_what_bounds_the_steps_of_an_execution(changed, own, most):
    assert rule.most(Train(optimizer=ADAM, **changed), 100, own) == most
