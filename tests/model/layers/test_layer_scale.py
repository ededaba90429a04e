import keras
import numpy as np

from kbuild.model.layers import LayerScale


def test_multiplies_each_channel_by_its_factor(rng):
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    layer = LayerScale()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), x * 1e-4, rtol=1e-5)
    layer.gamma.assign([1.0, 2.0, 3.0])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), x * [1, 2, 3], rtol=1e-6)
