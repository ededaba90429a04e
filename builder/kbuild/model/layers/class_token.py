"""ClassToken: a learned first step of a sequence."""

import keras
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="kbuild")
class ClassToken(keras.layers.Layer):
    """Puts a learned vector before a sequence (ViT; Dosovitskiy et al., arXiv:2010.11929, eq. 1).

    Args:
        initializer: of the vector.

    Input shape: (batch, time, features). Output shape: (batch, time + 1, features). A mask grows by one step that
    counts.
    """

    def __init__(self, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.initializer = initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape):
        """Make the vector."""
        if len(input_shape) != 3:
            raise ValueError(f"the input must be (batch, time, features). Received: shape={input_shape}")
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), initializer=self.initializer, name="token")

    def call(self, inputs):
        """The vector, then the input."""
        batch, _, features = ops.shape(inputs)
        token = ops.broadcast_to(ops.cast(self.token, inputs.dtype), (batch, 1, features))
        return ops.concatenate([token, inputs], axis=1)

    def compute_mask(self, inputs, mask=None):
        """The same mask after a step that counts."""
        if mask is None:
            return None
        return ops.concatenate([ops.ones_like(mask[:, :1]), mask], axis=1)

    def compute_output_shape(self, input_shape):
        """One step more than the input."""
        batch, time, features = input_shape
        return (batch, None if time is None else time + 1, features)

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "initializer": initializers.serialize(self.initializer)}
