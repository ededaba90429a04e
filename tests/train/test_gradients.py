"""Gradients beside Keras's own training step, and beside differences of losses that Keras evaluates."""

import keras
import numpy as np
import pytest

from kbuild.train import gradients, state

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6)).astype("float32")
Y = RNG.integers(0, 3, 12).astype("int32")
W = RNG.random(12).astype("float32")


def net(optimizer=None, noise=True, **compile):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    x = keras.layers.Dense(8, activation="tanh", kernel_regularizer="l2", name="a")(inputs)
    if noise:
        x = keras.layers.BatchNormalization(name="norm")(x)
        x = keras.layers.Dropout(0.5, seed=1)(x)
    outputs = keras.layers.Dense(3, activation="softmax", name="b")(x)
    model = keras.Model(inputs, outputs)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer or keras.optimizers.SGD(1.0), loss, metrics=["accuracy"], **compile)
    return model


def test_they_are_what_a_step_of_gradient_descent_takes_off():
    model = net()
    found = gradients.gradients(model, X, Y, W)
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    logs = model.train_on_batch(X, Y, W, return_dict=True)
    after = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    assert found.loss == pytest.approx(logs["loss"], rel=1e-5)
    assert len(found.gradients) == len(before) == 6
    for gradient, old, new in zip(found.gradients, before, after, strict=True):
        np.testing.assert_allclose(gradient, old - new, atol=2e-6)
    assert max(np.abs(gradient).max() for gradient in found.gradients) > 0.01


def test_they_are_the_slope_of_the_loss():
    model = net(noise=False)
    found = gradients.gradients(model, X, Y)
    start = model.get_weights()
    for seed in range(3):
        way = [np.random.default_rng(seed).normal(size=array.shape).astype("float32") for array in start]
        length = np.sqrt(sum(np.square(one).sum() for one in way))
        way = [one / length for one in way]
        losses = []
        for step in (-1e-2, 1e-2):
            model.set_weights([array + step * one for array, one in zip(start, way, strict=True)])
            losses.append(model.evaluate(X, Y, verbose=0, return_dict=True)["loss"])
        slope = sum(float((g * one).sum()) for g, one in zip(found.gradients, way, strict=True))
        assert slope == pytest.approx((losses[1] - losses[0]) / 2e-2, rel=0.01, abs=1e-3)


def test_nothing_is_changed():
    model = net(keras.optimizers.Adam(1e-2))
    model.train_on_batch(X, Y)
    before = state.arrays(model)
    drawn = keras.ops.convert_to_numpy(keras.random.SeedGenerator(3).state)
    look = gradients.passing(model, [model.get_layer("a").output])
    look(X, Y, None)
    look(X, Y, None)
    after = state.arrays(model)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name].tobytes() != after[name].tobytes()] == []
    assert any("seed" in v.path for v in model.non_trainable_variables), "the net should draw"
    np.testing.assert_array_equal(drawn, keras.ops.convert_to_numpy(keras.random.SeedGenerator(3).state))


def test_tensors_inside_come_out_and_reductions_run_on_the_device():
    model = net(noise=False)
    tensor = model.get_layer("a").output
    look = gradients.passing(
        model, [tensor], lambda g: keras.ops.sum(g * g), [lambda value: keras.ops.max(value, axis=0)]
    )
    found = look(X, Y, None)
    hidden = keras.ops.convert_to_numpy(keras.Model(model.input, tensor)(X))
    np.testing.assert_allclose(found.inner[0], hidden.max(axis=0), rtol=1e-5)
    whole = gradients.gradients(model, X, Y)
    np.testing.assert_allclose(found.gradients, [np.square(g).sum() for g in whole.gradients], rtol=1e-4)


def test_a_second_look_sees_new_weights():
    model = net(noise=False)
    look = gradients.passing(model)
    first = look(X, Y, None)
    model.set_weights([array * 2 for array in model.get_weights()])
    assert look(X, Y, None).loss == pytest.approx(gradients.gradients(model, X, Y).loss)
    assert first.loss != look(X, Y, None).loss


def test_a_scaled_loss_is_taken_back():
    scaled = net(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0)))
    plain, found = (gradients.gradients(model, X, Y) for model in (net(), scaled))
    assert found.loss == pytest.approx(plain.loss)
    for one, other in zip(found.gradients, plain.gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_rows_of_a_lookup_and_several_outputs():
    keras.utils.set_random_seed(0)
    inputs = {"words": keras.Input((4,), dtype="int32", name="words"), "size": keras.Input((1,), name="size")}
    x = keras.layers.Flatten()(keras.layers.Embedding(5, 2, name="e")(inputs["words"]))
    x = keras.layers.Concatenate()([x, inputs["size"]])
    outputs = {"p": keras.layers.Dense(1, name="p")(x), "q": keras.layers.Dense(1, name="q")(x)}
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(1.0), {"p": "mse", "q": "mae"}, loss_weights={"p": 1.0, "q": 0.5})
    x = {"words": RNG.integers(0, 4, (12, 4)).astype("int32"), "size": X[:, :1]}
    y = {"p": X[:, 1:2], "q": X[:, 2:3]}
    found = gradients.gradients(model, x, y)
    before = model.get_weights()
    model.train_on_batch(x, y)
    for gradient, old, new in zip(found.gradients, before, model.get_weights(), strict=True):
        assert gradient.shape == old.shape
        np.testing.assert_allclose(gradient, old - new, atol=2e-6)
    assert not found.gradients[0][4].any(), "a word that is not there"
