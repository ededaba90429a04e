"""ScheduledDropout: dropout whose rate moves while the network trains."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class ScheduledDropout(keras.layers.Layer):
    """Dropout whose rate goes linearly from `rate` to `final_rate` over the first `steps` training steps, or over all.

    Rising, it is a curriculum (Morerio et al., arXiv:1703.06229, with a straight line for their exponential); falling,
    it lets the network settle. Kept values are scaled by 1 / (1 - rate). The step is counted in a weight of the layer,
    so it is saved and resumed with the model; a layer applied twice in a step (`reuse`) counts twice.

    Args:
        rate: fraction dropped at the first step, 0 ≤ rate < 1.
        steps: number of training steps until `final_rate` is reached. None is the whole run, of which `kbuild fit`
            tells the layer: as many as it had when it began, also where it is made longer later. The number is a
            weight of the layer, `length`; while it is 0, as it is where nobody tells, the rate stays as it is.
        final_rate: fraction dropped from then on, 0 ≤ final_rate < 1.
        seed: of the draws.

    Input and output shape: any. A mask passes through.
    """

    def __init__(self, rate, steps=None, final_rate=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        for key, value in (("rate", rate), ("final_rate", final_rate)):
            if not 0 <= value < 1:
                raise ValueError(f"`{key}` must be at least 0 and below 1. Received: {key}={value}")
        if steps is not None and (not isinstance(steps, int) or steps < 1):
            raise ValueError(f"`steps` must be a positive integer or None. Received: steps={steps}")
        self.rate = rate
        self.steps = steps
        self.final_rate = final_rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        """Make the step counter, and the place for the number of steps where that is not given."""
        self.step = self.add_weight(shape=(), initializer="zeros", dtype="int", trainable=False, name="step")
        if self.steps is None:
            self.length = self.add_weight(shape=(), initializer="zeros", dtype="int", trainable=False, name="length")

    def call(self, inputs, training=False):
        """The input with some values dropped, in training."""
        if not training:
            return inputs
        if self.steps is None:
            length = ops.cast(self.length, "float32")
            known, steps = ops.minimum(length, 1.0), ops.maximum(length, 1.0)
        else:
            known, steps = 1.0, self.steps
        progress = ops.minimum(ops.cast(self.step, "float32") / steps, 1.0) * known
        rate = self.rate + (self.final_rate - self.rate) * progress
        self.step.assign_add(1)
        draws = keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.seed_generator)
        factor = ops.cast(draws >= rate, "float32") / (1.0 - rate)
        return inputs * ops.cast(factor, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "steps": self.steps,
            "final_rate": self.final_rate,
            "seed": self.seed,
        }


def lasts(model, steps):
    """Tell the layers of a model that change over the whole run how long that is.

    Args:
        model: built.
        steps: training steps of the run.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, ScheduledDropout) and layer.steps is None:
            layer.length.assign(steps)
