import keras
import numpy as np
import pytest

from kbuild.model.layers import InstanceNormalization


@pytest.mark.parametrize("axis", [-1, 1, 3])
def test_is_the_formula_of_the_paper(axis, rng):
    x = rng.normal(3.0, 2.0, size=(2, 4, 5, 3)).astype("float32")
    layer = InstanceNormalization(axis, epsilon=1e-3, gamma_initializer="normal", beta_initializer="normal")
    y = keras.ops.convert_to_numpy(layer(x))
    channels = np.moveaxis(x, axis, -1)
    mean, variance = channels.mean((1, 2), keepdims=True), channels.var((1, 2), keepdims=True)
    gamma, beta = (keras.ops.convert_to_numpy(weight) for weight in (layer.gamma, layer.beta))
    expected = (channels - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    np.testing.assert_allclose(y, np.moveaxis(expected, -1, axis), atol=1e-5)


def test_large_half_precision_numbers_do_not_overflow():
    x = np.linspace(-3e4, 3e4, 64, dtype="float16").reshape(1, 64, 1)
    y = keras.ops.convert_to_numpy(InstanceNormalization(dtype="mixed_float16")(x))
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.std(), 1, rtol=1e-2)


def test_refuses_what_has_no_places():
    with pytest.raises(ValueError, match="must have an axis between batch and channels"):
        InstanceNormalization()(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="the input has no channel axis 4"):
        InstanceNormalization(4)(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="`axis` must be an integer other than 0"):
        InstanceNormalization(0)
