import keras
import numpy as np
import pytest

from kbuild.model.layers import StochasticDepth


def test_leaves_out_whole_examples_and_scales_the_rest():
    x = np.ones((20000, 2, 3), "float32")
    y = keras.ops.convert_to_numpy(StochasticDepth(0.25)(x, training=True)).reshape(20000, 6)
    assert (y.min(1) == y.max(1)).all()
    assert np.mean(y[:, 0] == 0) == pytest.approx(0.25, abs=0.015)
    np.testing.assert_allclose(y[y > 0], 1 / 0.75, rtol=1e-6)


def test_does_nothing_outside_training_nor_with_rate_0():
    x = np.ones((50, 3), "float32")
    assert (keras.ops.convert_to_numpy(StochasticDepth(0.5)(x)) == 1).all()
    assert (keras.ops.convert_to_numpy(StochasticDepth(0)(x, training=True)) == 1).all()


def test_refuses_what_is_no_rate():
    with pytest.raises(ValueError, match=r"`rate` must be at least 0 and below 1. Received: rate=1"):
        StochasticDepth(1)
