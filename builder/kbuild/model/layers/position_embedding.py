"""PositionEmbedding: a learned vector for each place in a sequence."""

import keras
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="kbuild")
class PositionEmbedding(keras.layers.Layer):
    """Adds a learned vector to each step of a sequence (Gehring et al., arXiv:1705.03122, section 3.1).

    Args:
        length: the longest sequence that can come; shorter ones use the first vectors.
        initializer: of the (length, features) vectors.

    Input and output shape: (batch, time, features), time ≤ length. A mask passes through.
    """

    def __init__(self, length, initializer="uniform", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(length, int) or length < 1:
            raise ValueError(f"`length` must be a positive integer. Received: length={length}")
        self.length = length
        self.initializer = initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape):
        """Make the vectors; refuses a sequence that is known to be too long."""
        if len(input_shape) != 3:
            raise ValueError(f"the input must be (batch, time, features). Received: shape={input_shape}")
        if input_shape[1] is not None and input_shape[1] > self.length:
            raise ValueError(f"the input has {input_shape[1]} steps, more than `length`={self.length}")
        self.embeddings = self.add_weight(
            shape=(self.length, input_shape[-1]), initializer=self.initializer, name="embeddings"
        )

    def call(self, inputs):
        """The input plus the vectors of its places."""
        return inputs + ops.convert_to_tensor(self.embeddings)[: ops.shape(inputs)[1]]

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {
            **super().get_config(),
            "length": self.length,
            "initializer": initializers.serialize(self.initializer),
        }
