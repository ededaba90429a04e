"""The block library against the same networks written by hand in Keras: shapes, parameters, outputs from the same weights."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import kbuild.blocks

ROOT = Path(__file__).parents[2]
BLOCKS = sorted(Path(kbuild.blocks.__path__[0]).glob("*.yaml"))
NORMS = layers.BatchNormalization | layers.LayerNormalization | layers.GroupNormalization


@pytest.fixture
def block(model_of):
    """(input shape, the entry) → model of one entry, or of several in a flow list."""

    def build(shape, entry: str) -> keras.Model:
        items = entry if entry.startswith("[") else f"[{{{entry}}}]"
        return model_of(f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: {list(shape)}}}}}\n  layers: {items}\n")

    return build


def same_outputs(ours: keras.Model, by_hand: keras.Model, shape) -> None:
    """Both give the same for random weights of the same shapes in the same order, matched by kind."""
    rng = np.random.default_rng(0)
    pools: dict[tuple, list] = {}
    for variable in by_hand.weights:
        value = rng.uniform(0.1, 0.9, variable.shape).astype("float32")
        variable.assign(value)
        pools.setdefault((variable.path.split("/")[-1], tuple(variable.shape)), []).append(value)
    for variable in ours.weights:
        variable.assign(pools[variable.path.split("/")[-1], tuple(variable.shape)].pop(0))
    assert not any(pools.values())
    x = rng.normal(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), by_hand.predict(x, verbose=0), rtol=2e-4, atol=1e-5)


def conv_norm(x, filters, size, strides=1, bias=False):
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=bias)(x)
    return layers.BatchNormalization()(x)


def excite(x, units, activation):
    weight = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weight = layers.Dense(units, activation=activation)(weight)
    return layers.Multiply()([x, layers.Dense(x.shape[-1], activation="sigmoid")(weight)])


@pytest.mark.parametrize(("channels", "stride"), [(8, 1), (4, 1), (8, 2)])
def test_residual_is_the_one_written_by_hand(block, channels, stride):
    shape = (8, 8, channels)
    inputs = x = keras.Input(shape)
    x = layers.ReLU()(conv_norm(inputs, 8, 3, stride))
    x = conv_norm(x, 8, 3)
    shortcut = inputs if (channels, stride) == (8, 1) else conv_norm(inputs, 8, 1, stride)
    by_hand = keras.Model(inputs, layers.ReLU()(layers.Add()([x, shortcut])))
    ours = block(shape, f"residual: {{filters: 8, stride: {stride}}}")
    assert ours.output_shape == by_hand.output_shape
    assert ours.count_params() == by_hand.count_params()
    same_outputs(ours, by_hand, shape)


@pytest.mark.parametrize(("channels", "stride", "bias"), [(8, 1, False), (4, 2, False), (4, 1, True)])
def test_bottleneck_is_the_one_written_by_hand(block, channels, stride, bias):
    shape = (8, 8, channels)
    inputs = keras.Input(shape)
    x = layers.ReLU()(conv_norm(inputs, 2, 1, bias=bias))
    x = layers.ReLU()(conv_norm(x, 2, 3, stride, bias=bias))
    x = conv_norm(x, 8, 1, bias=bias)
    shortcut = inputs if (channels, stride) == (8, 1) else conv_norm(inputs, 8, 1, stride, bias=bias)
    by_hand = keras.Model(inputs, layers.ReLU()(layers.Add()([x, shortcut])))
    ours = block(shape, f"bottleneck: {{filters: 2, stride: {stride}, bias: {str(bias).lower()}}}")
    assert ours.output_shape == by_hand.output_shape
    assert ours.count_params() == by_hand.count_params()
    same_outputs(ours, by_hand, shape)


def test_squeeze_excite_is_the_one_written_by_hand(block):
    shape = (6, 5, 12)
    inputs = keras.Input(shape)
    by_hand = keras.Model(inputs, excite(inputs, 3, "relu"))
    ours = block(shape, "squeeze_excite: 0.25")
    assert ours.output_shape == (None, *shape)
    same_outputs(ours, by_hand, shape)


def test_squeeze_excite_keeps_at_least_one_unit(block):
    assert block((4, 4, 2), "squeeze_excite: 0.1").count_params() == (2 + 1) + (1 * 2 + 2)


@pytest.mark.parametrize(("filters", "expand", "stride"), [(8, 6, 1), (8, 1, 1), (8, 4, 2), (16, 6, 1)])
def test_mb_conv_is_the_one_written_by_hand(block, filters, expand, stride):
    shape = (8, 8, 8)
    inputs = x = keras.Input(shape)
    if expand != 1:
        x = layers.Activation("swish")(conv_norm(x, 8 * expand, 1))
    x = layers.DepthwiseConv2D(5, strides=stride, padding="same", use_bias=False)(x)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    x = conv_norm(excite(x, 2, "swish"), filters, 1)
    by_hand = keras.Model(inputs, layers.Add()([inputs, x]) if (filters, stride) == (8, 1) else x)
    ours = block(shape, f"mb_conv: {{filters: {filters}, expand: {expand}, kernel: 5, stride: {stride}, drop: 0.1}}")
    assert ours.output_shape == by_hand.output_shape == (None, 8 // stride, 8 // stride, filters)
    assert ours.count_params() == by_hand.count_params()
    same_outputs(ours, by_hand, shape)
    drops = [layer for layer in ours.layers if type(layer).__name__ == "StochasticDepth"]
    assert len(drops) == int((filters, stride) == (8, 1))


def test_dense_block_concatenates_all_that_came_before(block):
    shape = (8, 8, 6)
    inputs = x = keras.Input(shape)
    for _ in range(3):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        y = layers.Conv2D(16, 1, use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        x = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same", use_bias=False)(y)])
    by_hand = keras.Model(inputs, x)
    ours = block(shape, "dense_block: {layers: 3, growth: 4}")
    assert ours.output_shape == (None, 8, 8, 18)
    same_outputs(ours, by_hand, shape)


def test_inception_is_the_one_written_by_hand(block):
    shape = (8, 8, 3)
    inputs = keras.Input(shape)

    def conv(x, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(x)

    pooled = layers.MaxPooling2D(3, 1, "same")(inputs)
    branches = [conv(inputs, 2, 1), conv(conv(inputs, 3, 1), 4, 3), conv(conv(inputs, 5, 1), 6, 5), conv(pooled, 7, 1)]
    by_hand = keras.Model(inputs, layers.Concatenate()(branches))
    ours = block(shape, "inception: {c1: 2, c3: [3, 4], c5: [5, 6], pool: 7}")
    assert ours.output_shape == (None, 8, 8, 19)
    same_outputs(ours, by_hand, shape)


@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_encoder_is_the_one_written_by_hand(block, norm_first):
    shape = (5, 8)
    inputs = keras.Input(shape)

    def before(x):
        return layers.LayerNormalization()(x) if norm_first else x

    def after(x):
        return x if norm_first else layers.LayerNormalization()(x)

    normed = before(inputs)
    x = after(layers.Add()([inputs, layers.MultiHeadAttention(2, 4)(normed, normed)]))
    y = layers.Dense(8)(layers.Dense(16, activation="relu")(before(x)))
    by_hand = keras.Model(inputs, after(layers.Add()([x, y])))
    ours = block(shape, f"transformer_encoder: {{heads: 2, ff: 16, norm_first: {str(norm_first).lower()}}}")
    assert ours.output_shape == (None, 5, 8)
    same_outputs(ours, by_hand, shape)


def test_self_attention_takes_the_size_of_its_heads(block):
    def attention(entry):
        return next(x for x in block((5, 8), entry).layers if isinstance(x, layers.MultiHeadAttention))

    assert attention("self_attention: 4").key_dim == 2
    assert attention("self_attention: {heads: 4, key_dim: 3, dropout: 0.2}").key_dim == 3


def test_mlp_puts_norm_activation_and_dropout_after_each_dense(block):
    ours = block((20,), "mlp: {units: [16, 8], norm: BatchNormalization, dropout: [0.3, 0]}")
    kinds = [type(layer).__name__ for layer in ours.layers[1:]]
    once = ["Dense", "BatchNormalization", "Activation"]
    assert kinds == [*once, "Dropout", *once]
    assert ours.count_params() == 20 * 16 + 4 * 16 + 16 * 8 + 4 * 8
    plain = block((20,), "mlp: [16, 8]")
    assert [type(layer).__name__ for layer in plain.layers[1:]] == ["Dense", "Activation"] * 2
    assert plain.count_params() == 21 * 16 + 17 * 8


def test_one_dropout_is_that_of_all(block):
    ours = block((20,), "mlp: {units: [16, 8], dropout: 0.25, activation: gelu}")
    assert [layer.rate for layer in ours.layers if isinstance(layer, layers.Dropout)] == [0.25, 0.25]


def test_mlp_takes_calls_for_norm_and_activation(block):
    ours = block((20,), "mlp: {units: [16], norm: {LayerNormalization: {epsilon: 1e-6}}, activation: {LeakyReLU: 0.2}}")
    dense, norm, _ = ours.layers[1:]
    assert (dense.use_bias, norm.epsilon) == (False, 1e-6)
    out = ours.predict(np.ones((1, 20), "float32"), verbose=0)
    normed = keras.Model(ours.input, norm.output).predict(np.ones((1, 20), "float32"), verbose=0)
    np.testing.assert_allclose(out, np.where(normed > 0, normed, 0.2 * normed), rtol=1e-5, atol=1e-6)


def test_conv_pool_takes_one_number_or_several(block):
    assert block((28, 28, 1), "conv_pool: 10").output_shape == (None, 14, 14, 10)
    several = block((28, 28, 1), "conv_pool: {filters: [10, 20], kernel: 5, padding: valid}")
    assert several.output_shape == (None, 4, 4, 20)
    assert several.count_params() == 260 + 5020


def test_vgg_head_is_twice_dense_relu_dropout(block):
    ours = block((2, 2, 3), "vgg_head: {units: 7, dropout: 0.4}")
    assert [type(layer).__name__ for layer in ours.layers[1:]] == ["Flatten", "Dense", "Dropout", "Dense", "Dropout"]
    assert ours.count_params() == 13 * 7 + 8 * 7


def test_all_arguments_of_a_block_may_be_one_choice_or_one_variable(block, model_of):
    chosen = block((20,), "mlp: {$choice: {small: {units: [16]}, big: {units: [64, 32]}}, default: big}")
    assert chosen.output_shape == (None, 32)
    assert block((20,), "mlp: {$choice: [[16], [64, 8]], default: [64, 8]}").output_shape == (None, 8)
    text = "kbuild: 1\nvars: {size: {units: [4], dropout: 0.5}}\nmodel:\n  inputs: {x: {shape: [3]}}\n  layers: [{mlp: $size}]\n"
    assert [type(layer).__name__ for layer in model_of(text).layers[1:]] == ["Dense", "Activation", "Dropout"]


EVERY = [
    ((8, 8, 4), "mlp: {units: [4], norm: BatchNormalization}"),
    ((8, 8, 4), "residual: 8"),
    ((8, 8, 4), "bottleneck: 2"),
    ((8, 8, 4), "dense_block: 2"),
    ((8, 8, 4), "mb_conv: 4"),
    ((8, 4), "self_attention: {heads: 2, norm_first: false}"),
    ((8, 4), "transformer_encoder: {heads: 2, ff: 8, norm_first: false}"),
]


@pytest.mark.parametrize(("shape", "entry"), EVERY)
def test_no_layer_right_before_a_normalization_has_a_bias(block, shape, entry):
    model = block(shape, entry)
    norms = [layer for layer in model.layers if isinstance(layer, NORMS)]
    assert norms
    for norm in norms:
        before = norm.input._keras_history.operation
        assert getattr(before, "use_bias", False) is False, before.name


def test_a_block_file_holds_one_block_of_its_name_and_says_what_it_is():
    assert {path.stem for path in BLOCKS} == {
        "mlp", "conv_pool", "residual", "bottleneck", "dense_block", "mb_conv", "squeeze_excite", "inception",
        "self_attention", "transformer_encoder", "vgg_head",
    }  # fmt: skip
    for path in BLOCKS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert re.findall(r"^(\w+):", text, re.MULTILINE) == [path.stem]


@pytest.mark.parametrize(
    ("name", "params"), [("ResNet50", 23_587_712), ("DenseNet121", 7_037_504), ("EfficientNetB0", 4_049_571)]
)
def test_the_networks_of_keras_applications_have_their_parameters(name, params):
    from kbuild.model.build import build
    from kbuild.plan.expand import expand
    from kbuild.spec.load import load

    file = {"ResNet50": "resnet50", "DenseNet121": "densenet121", "EfficientNetB0": "efficientnet_b0"}[name]
    ours = build(expand(load(ROOT / f"specs/{file}.yaml"), None))
    theirs = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(224, 224, 3))
    assert ours.count_params() == theirs.count_params() == params
    assert ours.output_shape == theirs.output_shape
    trainable = [sum(int(np.prod(v.shape)) for v in model.trainable_weights) for model in (ours, theirs)]
    assert trainable[0] == trainable[1]
