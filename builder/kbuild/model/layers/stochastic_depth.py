"""StochasticDepth: leaves the branch of a residual block out, for some examples."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class StochasticDepth(keras.layers.Layer):
    """Sets all of an example to 0 with probability `rate`, in training (Huang et al., arXiv:1603.09382, eq. 2).

    It stands at the end of a residual branch, before the `Add`. What stays is scaled by 1 / (1 - rate), so that nothing
    is to be scaled afterwards (the paper's eq. 5 does that at test time instead).

    Args:
        rate: probability of leaving out, 0 ≤ rate < 1.
        seed: of the draws.

    Input and output shape: (batch, …). A mask passes through.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be at least 0 and below 1. Received: rate={rate}")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        """The input, in training without some examples."""
        if not training or self.rate == 0:
            return inputs
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        draws = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        factor = ops.cast(draws >= self.rate, "float32") / (1.0 - self.rate)
        return inputs * ops.cast(factor, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
