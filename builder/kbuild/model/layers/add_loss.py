"""AddLoss: any tensor of the network as a term of the loss."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class AddLoss(keras.layers.Layer):
    """Hands on its first input and adds the mean of the second to the loss.

    Args:
        weight: factor of the mean.

    Input: `[x, penalty]`, any shapes. Output: x, with its mask.
    """

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.supports_masking = True

    def build(self, input_shape):
        """No weights; refuses anything but two tensors."""
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(f"the inputs must be `[x, penalty]`. Received: shape={input_shape}")

    def call(self, inputs):
        """The first input."""
        x, penalty = inputs
        self.add_loss(self.weight * ops.mean(ops.cast(penalty, "float32")))
        return x

    def compute_mask(self, inputs, mask=None):
        """That of the first input."""
        return mask[0] if isinstance(mask, list | tuple) else None

    def compute_output_shape(self, input_shape):
        """That of the first input."""
        return tuple(input_shape[0])

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "weight": self.weight}
