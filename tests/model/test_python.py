"""A network written as Python: run, it is the same network."""

from pathlib import Path

import keras
import numpy as np
import pytest

from kbuild.model.build import build
from kbuild.model.python import python
from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.train.execution import precision

FEW = ("digits_transformer", "digits_vae", "lstm_encoder_decoder", "siamese", "two_inputs_two_outputs")
SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


def ran(text, imports=()):
    """The model that the text makes."""
    names = {"keras": keras}
    exec("\n".join(imports) + "\n\n" + text, names)
    return names["network"]()


def same(spec):
    plan = check(spec).plan
    with precision(spec.train):
        model = build(plan)
    text, imports = python(plan, model, spec.train.precision)
    found = ran(text, imports)
    assert [one.name for one in found.layers] == [one.name for one in model.layers]
    assert [one.shape for one in found.weights] == [one.shape for one in model.weights]
    assert [one.trainable for one in found.layers] == [one.trainable for one in model.layers]
    found.set_weights(model.get_weights())
    rng = np.random.default_rng(0)
    given = {
        one.name: rng.integers(0, 2, (3, *(n or 5 for n in one.shape[1:]))).astype(one.dtype) for one in model.inputs
    }
    given = given if len(given) > 1 else next(iter(given.values()))
    for one, other in zip(*(keras.tree.flatten(net.predict_on_batch(given)) for net in (model, found)), strict=True):
        np.testing.assert_array_equal(one, other)
    return text


@pytest.mark.parametrize(
    "path", [path if path.stem in FEW else pytest.param(path, marks=pytest.mark.full) for path in SPECS],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_a_shipped_network_is_the_same(path):
    same(load(path))


NETWORKS = {
    "states": """
  inputs: {x: {shape: [5, 3]}}
  layers:
    - {LSTM: {units: 4, return_sequences: true, return_state: true}, name: first, outputs: [seen, h, c]}
    - {LSTM: 4, from: {sequences: first.seen, initial_state: [first.h, first.c]}}
    - {Dense: 2, name: return}
""",
    "operations": """
  inputs: {x: {shape: [6]}, y: {shape: [6]}}
  layers:
    - {ops.einsum: "bi,bj->bij", from: [x, y]}
    - {ops.max: {axis: -1, keepdims: false}}
    - {Dense: {units: 3, activation: leaky_relu, kernel_regularizer: {L2: 1e-4}, bias_initializer: {Constant: 0.5}}}
""",
    "again": """
  inputs: {x: {shape: [6]}, y: {shape: [6]}}
  layers:
    - {Dense: 4, name: shared, from: x}
    - {reuse: shared, from: y, name: other}
    - {ops.concatenate: {axis: -1}, from: [shared, other]}
    - {Dense: 2, name: class, trainable: false}
""",
    "nested": """
  inputs: {clip: {shape: [4, 8, 8, 1]}}
  layers:
    - {TimeDistributed: {layer: {frame: 3}}}
    - {Bidirectional: {layer: {GRU: 4}}}
    - {Dense: 2}
""",
    "several": """
  inputs: {a: {shape: [3]}, b: {shape: [4], dtype: int32}}
  layers:
    - {Embedding: {input_dim: 2, output_dim: 3}, from: b, name: words}
    - {GlobalAveragePooling1D: {}, name: mean}
    - {Concatenate: {}, from: [a, mean], name: both}
    - {Dense: 2, name: one}
    - {Dense: 3, name: two, from: both}
  outputs: [one, two]
""",
    "application": """
  inputs: {image: {shape: [32, 32, 3]}}
  layers:
    - {MobileNetV2: {include_top: false, weights: null, alpha: 0.35}, name: body, trainable: ["Conv_1*"], outputs: {low: block_1_project}}
    - GlobalAveragePooling2D
    - {Dense: 2}
""",
    "own": """
  inputs: {x: {shape: [6]}}
  layers: [{Maxout: {units: 4, pieces: 2}}, {ScheduledDropout: 0.2}, {Dense: 2}]
""",
}
BLOCK = """
blocks:
  frame: {params: {filters: $required}, layers: [{Conv2D: {filters: $filters, kernel_size: 3}}, Flatten]}
"""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_every_kind_is_the_same(name):
    block = BLOCK if "frame" in NETWORKS[name] else ""
    same(load(f"kbuild: 1\nname: {name}\n{block}\nmodel:{NETWORKS[name]}"))


def test_a_policy_holds_while_the_network_is_made_and_no_longer():
    text = same(load(f"kbuild: 1\nmodel:{NETWORKS['states']}", {"train.precision": "mixed_bfloat16"}))
    assert 'dtype="float32"' in text
    assert keras.config.dtype_policy().name == "float32"


def test_what_was_learned_from_the_data_and_is_no_weight_is_written_down():
    text = "kbuild: 1\nmodel: {inputs: {x: {shape: [1]}}, layers: [{Discretization: {num_bins: 3}, name: edges}, {Dense: 2}]}"
    plan = check(load(text)).plan
    model = build(plan)
    model.get_layer("edges").adapt(np.arange(10.0).reshape(-1, 1))
    found = ran(*python(plan, model))
    assert list(found.get_layer("edges").bin_boundaries) == list(model.get_layer("edges").bin_boundaries) != []


def test_a_script_reads_as_a_person_would_write_it():
    spec = load(
        "kbuild: 1\nname: small\nmodel: {inputs: {input: {shape: [4]}}, layers: [{mlp: {units: [8, 8], dropout: 0.1}}, {Dense: 3}]}"
    )
    plan = check(spec).plan
    assert python(plan, build(plan)) == (SMALL, [])


SMALL = """\
def network() -> keras.Model:
    \"\"\"The network, with new weights.\"\"\"
    input_ = keras.Input((4,), name="input")
    mlp_chain_0_dense = keras.layers.Dense(8, use_bias=True, name="mlp-chain-0-dense")(input_)
    mlp_chain_0_activation = keras.layers.Activation("relu", name="mlp-chain-0-activation")(mlp_chain_0_dense)
    mlp_chain_0_dropout = keras.layers.Dropout(0.1, name="mlp-chain-0-dropout")(mlp_chain_0_activation)
    mlp_chain_1_dense = keras.layers.Dense(8, use_bias=True, name="mlp-chain-1-dense")(mlp_chain_0_dropout)
    mlp_chain_1_activation = keras.layers.Activation("relu", name="mlp-chain-1-activation")(mlp_chain_1_dense)
    mlp_chain_1_dropout = keras.layers.Dropout(0.1, name="mlp-chain-1-dropout")(mlp_chain_1_activation)
    dense = keras.layers.Dense(3, name="dense")(mlp_chain_1_dropout)
    return keras.Model(input_, dense, name="small")"""
