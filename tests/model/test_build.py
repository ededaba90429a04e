"""What stands around the network itself: preprocessing of several inputs, layers that adapt, failures of Keras."""

import keras
import numpy as np
import pytest

from kbuild.data.header import Header, Tensor
from kbuild.model.adapt import adapt
from kbuild.model.build import build, features
from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

TWO = """
kbuild: 1
data:
  source: iris
  preprocess: {b: [{Rescaling: 2.0}], a: [Normalization]}
model:
  inputs: {b: {shape: [3]}, a: {shape: [3]}}
  layers: [{Concatenate: , from: [b, a]}, {Dense: 1}]
"""
HEADER = Header({"b": Tensor((3,), "float32"), "a": Tensor((3,), "float32")})


def test_inputs_keep_their_own_preprocessing_in_whatever_order_they_are_named():
    plan = expand(load(TWO), HEADER)
    model = build(plan)
    numbers = np.random.default_rng(0)
    x = {"b": numbers.normal(size=(64, 3)).astype("float32"), "a": numbers.normal(5, 3, (64, 3)).astype("float32")}
    adapt(model, plan, x)
    scaled = features(model, plan)
    assert scaled is not None
    found = {name: keras.ops.convert_to_numpy(value) for name, value in scaled(x).items()}
    np.testing.assert_allclose(found["b"], 2 * x["b"], rtol=1e-6)
    np.testing.assert_allclose(found["a"], (x["a"] - x["a"].mean(0)) / x["a"].std(0), rtol=1e-4, atol=1e-5)


def test_without_preprocess_there_is_nothing_between_data_and_network():
    plan = expand(load("kbuild: 1\nmodel: {inputs: {x: [3]}, layers: [{Dense: 1}]}\n"))
    assert features(build(plan), plan) is None


def test_an_unknown_input_shape_cannot_be_built():
    spec = load("kbuild: 1\ndata: {source: iris}\nmodel: [{Dense: 1}]\n")
    with pytest.raises(SpecError, match="the shape of the input `input` is not known"):
        build(expand(spec))


def test_what_keras_refuses_is_a_problem_at_the_entry():
    spec = load(
        "kbuild: 1\nmodel: {inputs: {x: [8, 4]}, layers: [{Conv1D: {filters: 4, kernel_size: 1, kernel_initializer: {Identity: null}}}]}\n"
    )
    with pytest.raises(SpecError) as caught:
        build(expand(spec))
    problem = caught.value.problems[0]
    assert problem.code in {"K105", "K208"}
    assert problem.span is not None
    assert problem.span.line == 2


def test_under_mixed_precision_the_last_layer_is_in_float32():
    plan = expand(
        load("kbuild: 1\nmodel: {inputs: {x: [4]}, layers: [{Dense: 8, name: hidden}, {Dense: 3, name: final}]}\n")
    )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(plan)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("hidden").compute_dtype == "bfloat16"
    assert model.get_layer("final").compute_dtype == "float32"


def test_a_frozen_entry_learns_nothing_of_what_it_makes_while_it_is_built():
    entry = "{MultiHeadAttention: {num_heads: 2, key_dim: 3}, from: {query: x, value: x}, trainable: false}"
    model = build(expand(load(f"kbuild: 1\nmodel: {{inputs: {{x: [5, 4]}}, layers: [{entry}]}}\n")))
    assert model.trainable_weights == []
    assert model.count_params() == 118


FROZEN = """
kbuild: 1
blocks:
  frame: {layers: [{Dense: 4, name: inner}, BatchNormalization]}
  two: {layers: [{Conv1D: {filters: 4, kernel_size: 1}, name: conv}, BatchNormalization, {residual_in: null}]}
  residual_in: {layers: [{Dense: 4, name: last}]}
model:
  inputs: {x: {shape: [6, 4]}}
  layers:
    - {TimeDistributed: {layer: {frame: null}}, name: each, trainable: [KEYS]}
    - {two: null, name: block, repeat: 2, trainable: [KEYS]}
    - {chain: [{Dense: 4, name: one}, {MultiHeadAttention: {num_heads: 2, key_dim: 2}, name: att, from: [previous, previous]}], trainable: [KEYS]}
    - branches:
        - [{Dense: 4, name: left}]
        - [{Bidirectional: {GRU: {units: 2, return_sequences: true}}, name: right}]
      merge: Add
      trainable: [KEYS]
    - {reuse: block, name: again}
    - Flatten
    - {Dense: 2, name: head}
"""


@pytest.mark.parametrize(
    "keys", ["true", "false", "[each, one, left]", "[conv, '*', att]", "[each, '*last', right, att]"]
)
def test_what_is_frozen_is_what_kbuild_counts_as_frozen(keys):
    from kbuild.plan.cost import costs

    text = FROZEN
    names = keys.strip("[]").replace("'", "").split(", ")
    for inside in (["each"], ["conv", "last"], ["one", "att"], ["left", "right"]):
        here = [name for name in names if name == "*" or any(part in name for part in inside)]
        value = (
            keys if keys in ("true", "false") else f"[{', '.join(repr(name) for name in here)}]" if here else "false"
        )
        text = text.replace("[KEYS]", value, 1)
    plan = expand(load(text))
    model = build(plan)
    found = costs(plan)
    layers = {layer.name: layer for layer in model.layers}
    for step in plan.steps:
        if step.layer == step.name and step.name in layers:
            learned = sum(int(np.prod(weight.shape)) for weight in layers[step.name].trainable_weights)
            assert (step.name, found.steps[step.name].trainable) == (step.name, learned)
