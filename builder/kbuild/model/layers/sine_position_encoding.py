"""SinePositionEncoding: sines and cosines that tell the places in a sequence apart."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class SinePositionEncoding(keras.layers.Layer):
    """Adds fixed sines and cosines to a sequence (Vaswani et al., arXiv:1706.03762, section 3.5).

    Feature 2i of step p gets sin(p / w^(2i/features)), feature 2i + 1 the cosine of the same angle.

    Args:
        max_wavelength: w; the wavelengths go from 2π to 2π·w.

    Input and output shape: (batch, time, features). A mask passes through.
    """

    def __init__(self, max_wavelength=10000, **kwargs):
        super().__init__(**kwargs)
        if max_wavelength <= 0:
            raise ValueError(f"`max_wavelength` must be positive. Received: max_wavelength={max_wavelength}")
        self.max_wavelength = max_wavelength
        self.supports_masking = True

    def build(self, input_shape):
        """No weights; refuses what is no sequence of vectors."""
        if len(input_shape) != 3:
            raise ValueError(f"the input must be (batch, time, features). Received: shape={input_shape}")

    def call(self, inputs):
        """The input plus the encoding of its places."""
        _, time, features = ops.shape(inputs)
        # Half precision cannot tell places beyond 2048 apart.
        places = ops.expand_dims(ops.arange(time, dtype="float32"), 1)
        feature = ops.arange(features, dtype="int32")
        exponent = ops.cast(2 * (feature // 2), "float32") / float(features)
        angles = places / ops.power(ops.cast(self.max_wavelength, "float32"), exponent)
        encoding = ops.where(feature % 2 == 0, ops.sin(angles), ops.cos(angles))
        return inputs + ops.cast(encoding, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "max_wavelength": self.max_wavelength}
