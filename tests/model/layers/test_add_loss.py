import keras
import numpy as np
import pytest

from kbuild.model.layers import AddLoss


def test_hands_on_the_first_and_adds_the_mean_of_the_second(rng):
    x, penalty = rng.normal(size=(4, 3)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")
    layer = AddLoss(0.25)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer([x, penalty])), x)
    np.testing.assert_allclose(float(layer.losses[0]), 0.25 * penalty.mean(), rtol=1e-5)


def test_keeps_the_mask_of_the_first():
    masked = keras.layers.Masking()(keras.Input((5, 6)))
    assert AddLoss()([masked, keras.Input((2,))])._keras_mask is not None


def test_refuses_a_lone_tensor():
    with pytest.raises(ValueError, match=r"the inputs must be `\[x, penalty\]`"):
        AddLoss()(np.zeros((2, 3)))
