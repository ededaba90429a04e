"""What the pages of the rules claim, measured with Keras: what collapses, what is lost, what never learns."""

from importlib import import_module
from math import e

import numpy as np
import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def codes(text):
    return {problem.code for problem in check(load(text)).problems}


def spec(layers, shape):
    lines = "\n".join(f"    {line}" for line in layers.split("\n"))
    return f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: {list(shape)}}}}}\n  layers:\n{lines}\n"


def made(layers, shape):
    """The Keras model of some layers, and the codes of what the rules say of it."""
    import keras

    from kbuild.model.build import build

    keras.utils.set_random_seed(3)
    checked = check(load(spec(layers, shape)))
    return build(checked.plan), {problem.code for problem in checked.problems}


def noise(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def bend(model, shape):
    """How far a model is from an affine map: 0 for one that is."""
    one, other = noise(8, *shape), noise(8, *shape)[::-1]
    run = lambda x: np.asarray(model(x, training=False))  # noqa: E731
    mean = (run(one) + run(other)) / 2
    return float(np.abs(run((one + other) / 2) - mean).max() / np.abs(mean).max())


def randomized(model):
    """Every weight, the moving statistics too, is something."""
    for weight in model.weights:
        weight.assign(0.5 + np.abs(noise(*weight.shape)))
    return model


BETWEEN = [
    "BatchNormalization",
    "Dropout: 0.5",
    "GaussianDropout: 0.5",
    "Activation: linear",
    "AveragePooling1D: 2",
    "ZeroPadding1D: 1",
    "Cropping1D: 1",
    "ActivityRegularization: {l2: 0.1}",
    "Identity",
    "Flatten",
    "LayerNormalization",
    "MaxPooling1D: 2",
    "ReLU",
    "UnitNormalization",
    "Softmax",
    "GroupNormalization: 4",
]


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Dense: 8", "Dense: 8"),
        ("Conv1D: {filters: 8, kernel_size: 3}", "Conv1D: {filters: 8, kernel_size: 3}"),
        ("SeparableConv1D: {filters: 8, kernel_size: 3}", "SeparableConv1D: {filters: 8, kernel_size: 3}"),
    ],
    ids=["dense", "convolution", "separable"],
)
def test_k310_fires_where_two_layers_are_one_affine_map_and_only_there(keras, first, second, between):
    if between == "Flatten":
        second = "Dense: 8"
    model, said = made(f"- {first}\n- {between}\n- {second}", (12, 8))
    affine = bend(randomized(model), (12, 8)) < 1e-4
    assert affine == ("K310" in said)


def gradients(keras, model, x):
    """By weight path: the gradient of the sum of squares of what a model gives in training."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = keras.ops.sum(model(x, training=True) ** 2 * noise(*model.output_shape[1:]))
    found = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    return {weight.path: np.asarray(grad) for weight, grad in zip(model.trainable_weights, found, strict=True)}


def test_k312_the_bias_gets_no_gradient(keras):
    model, said = made("- {Dense: 8, name: a}\n- BatchNormalization\n- ReLU", (6,))
    assert "K312" in said
    found = gradients(keras, model, noise(32, 6))
    assert np.abs(found["a/bias"]).max() < 1e-4 * np.abs(found["a/kernel"]).max()


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_k314_the_variance_of_training_is_larger_by_what_is_said(keras, rate):
    x = noise(100_000, 1)
    in_training = np.asarray(keras.layers.Dropout(rate, seed=1)(x, training=True))
    assert in_training.var() / x.var() == pytest.approx(1 / (1 - rate), rel=0.03)


def test_k314_alpha_dropout_keeps_it(keras):
    x = noise(100_000, 1)
    assert np.asarray(keras.layers.AlphaDropout(0.5, seed=1)(x, training=True)).var() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("layer", "shape", "lost"),
    [
        ("MaxPooling2D: 2", (7, 8, 1), (1, 0)),
        ("AveragePooling2D: 3", (8, 7, 1), (2, 1)),
        ("Conv2D: {filters: 2, kernel_size: 3, strides: 2}", (8, 9, 1), (1, 0)),
        ("Conv2D: {filters: 2, kernel_size: 3, strides: 3}", (10, 11, 1), (1, 2)),
        ("DepthwiseConv2D: {kernel_size: 2, strides: 2}", (9, 9, 1), (1, 1)),
    ],
)
def test_k322_what_is_lost_changes_nothing(keras, layer, shape, lost):
    model, said = made(f"- {layer}", shape)
    assert "K322" in said
    x = noise(4, *shape)
    rows, columns = (size - gone for size, gone in zip(shape, lost, strict=False))
    changed = x.copy()
    changed[:, rows:], changed[:, :, columns:] = 9.0, 9.0
    np.testing.assert_array_equal(model(x), model(changed))
    nearer = x.copy()
    nearer[:, rows - 1 :], nearer[:, :, columns - 1 :] = 9.0, 9.0
    assert np.abs(np.asarray(model(x)) - np.asarray(model(nearer))).max() > 0


def test_k325_zeros_before_a_relu_never_learn(keras):
    model, said = made("- {Dense: {units: 8, activation: relu, kernel_initializer: zeros}, name: a}\n- Dense: 2", (6,))
    assert "K325" in said
    found = gradients(keras, model, noise(32, 6))
    assert np.abs(found["a/kernel"]).max() == np.abs(found["a/bias"]).max() == 0


@pytest.mark.parametrize("value", ["ones", "{Constant: 0.1}"])
def test_k325_units_of_two_constant_layers_stay_equal(keras, value):
    layer = f"{{units: 4, activation: tanh, kernel_initializer: {value}}}"
    model, said = made(f"- {{Dense: {layer}, name: a}}\n- {{Dense: {layer}, name: b}}\n- Dense: 2", (6,))
    assert "K325" in said
    model.compile("sgd", "mse")
    model.fit(noise(64, 6), noise(64, 2), epochs=3, verbose=0)
    kernel = np.asarray(model.get_layer("a").kernel)
    np.testing.assert_allclose(kernel, kernel[:, :1].repeat(4, axis=1), rtol=1e-5)
    assert np.ptp(kernel, axis=0).max() > 1e-4  # it did learn, as one unit


def test_k325_one_constant_layer_does_not_stay_so(keras):
    layer = "{units: 4, activation: tanh, kernel_initializer: {Constant: 0.1}}"
    model, _ = made(f"- {{Dense: {layer}, name: a}}\n- Dense: 2", (6,))
    model.compile("sgd", "mse")
    model.fit(noise(64, 6), noise(64, 2), epochs=3, verbose=0)
    assert np.ptp(np.asarray(model.get_layer("a").kernel), axis=1).max() > 1e-4


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_k327_no_class_gets_more_of_two_softmaxes(keras, classes):
    certain = keras.ops.one_hot(np.array([0]), classes) * 1000.0
    most = float(keras.ops.max(keras.ops.softmax(keras.ops.softmax(certain))))
    assert most == pytest.approx(e / (e + classes - 1), rel=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Flatten", (5,)),
        ("Reshape: [5, 3]", (5, 3)),
        ("MaxPooling1D: 1", (5, 3)),
        ("AveragePooling2D: {pool_size: 1, strides: 1}", (5, 4, 3)),
        ("ZeroPadding2D: 0", (5, 4, 3)),
        ("Cropping2D: [[0, 0], [0, 0]]", (5, 4, 3)),
        ("UpSampling2D: 1", (5, 4, 3)),
        ("Dropout: 0", (5,)),
    ],
)
def test_k328_what_changes_nothing_changes_nothing(keras, layer, shape):
    model, said = made(f"- {layer}", shape)
    assert "K328" in said
    x = noise(4, *shape)
    np.testing.assert_array_equal(np.asarray(model(x, training=True)), x)


def with_a_gpu(monkeypatch):
    monkeypatch.setattr(import_module("keras.src.backend.tensorflow.rnn"), "_is_gpu_available", lambda: True)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"dropout": 0.2},
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.2},
        {"unroll": True},
        {"use_bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_k329_is_what_keras_asks_for_cudnn(keras, monkeypatch, name, arguments):
    with_a_gpu(monkeypatch)
    layer = getattr(keras.layers, name)(4, **arguments)
    # with a GPU Keras keeps a layer that cuDNN computes from XLA; recurrent dropout it looks for when it computes
    able = not layer.supports_jit and not layer.cell.recurrent_dropout
    written = "".join(f", {key}: {str(value).lower()}" for key, value in arguments.items())
    assert able != ("K329" in codes(spec(f"- {name}: {{units: 4{written}}}\n- Dense: 2", (5, 3))))


def test_k329_a_gru_that_resets_before(keras, monkeypatch):
    with_a_gpu(monkeypatch)
    assert keras.layers.GRU(4, reset_after=False).supports_jit
    assert "K329" in codes(spec("- GRU: {units: 4, reset_after: false}\n- Dense: 2", (5, 3)))
