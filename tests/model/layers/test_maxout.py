import keras
import numpy as np
import pytest

from kbuild.model.layers import Maxout


@pytest.mark.parametrize("bias", [True, False])
def test_is_the_formula_of_the_paper(bias, rng):
    layer = Maxout(4, 3, use_bias=bias, bias_initializer="normal")
    x = rng.normal(size=(5, 2, 6)).astype("float32")
    y = keras.ops.convert_to_numpy(layer(x))
    kernel = keras.ops.convert_to_numpy(layer.kernel).reshape(6, 4, 3)
    offset = keras.ops.convert_to_numpy(layer.bias).reshape(4, 3) if bias else 0
    expected = (np.einsum("btd,dij->btij", x, kernel) + offset).max(-1)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    assert layer.count_params() == 6 * 12 + (12 if bias else 0)


def test_refuses_what_makes_no_layer():
    with pytest.raises(ValueError, match=r"`units` must be a positive integer. Received: units=-3"):
        Maxout(-3)
    with pytest.raises(ValueError, match=r"`pieces` must be a positive integer. Received: pieces=0"):
        Maxout(3, 0)
