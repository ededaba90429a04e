"""LayerScale: a learned factor for each channel of a residual branch."""

import keras
from keras import initializers


@keras.saving.register_keras_serializable(package="kbuild")
class LayerScale(keras.layers.Layer):
    """Multiplies each channel by a learned factor that starts small (CaiT; Touvron et al., arXiv:2103.17239, eq. 4).

    Args:
        init_value: the factors at the start; the paper takes 0.1 for shallow networks down to 1e-6 for deep ones.

    Input and output shape: (batch, …, channels). A mask passes through.
    """

    def __init__(self, init_value=1e-4, **kwargs):
        super().__init__(**kwargs)
        self.init_value = init_value
        self.supports_masking = True

    def build(self, input_shape):
        """Make the factors."""
        self.gamma = self.add_weight(
            shape=(input_shape[-1],), initializer=initializers.Constant(self.init_value), name="gamma"
        )

    def call(self, inputs):
        """The scaled input."""
        return inputs * self.gamma

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "init_value": self.init_value}
