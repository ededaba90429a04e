"""RAdam: Adam that waits until its variance can be trusted."""

import keras
from keras import ops

from kbuild.model.optimizers.correction import correction


@keras.saving.register_keras_serializable(package="kbuild")
class RAdam(keras.optimizers.Optimizer):
    """Adam with a rectified variance: no warm-up needed (Liu et al., arXiv:1908.03265, algorithm 2).

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the average of gradients, 0 ≤ beta_1 < 1.
        beta_2: decay of the average of their squares, 0 < beta_2 < 1.
        epsilon: added to the root of the average of squares.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: as for `keras.optimizers.Adam`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name="radam",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        if not (0 <= beta_1 < 1 and 0 < beta_2 < 1):
            raise ValueError(f"`beta_1` and `beta_2` must be below 1. Received: beta_1={beta_1}, beta_2={beta_2}")
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        """Make the averages."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def update_step(self, gradient, variable, learning_rate):
        """One step for one variable."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign_add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1))
        self.assign_add(v, ops.multiply(ops.subtract(ops.square(gradient), v), 1 - self.beta_2))

        rectified, plain_rate, rectified_rate = self._rates(learning_rate)
        rate = ops.cast(ops.where(rectified, rectified_rate, plain_rate), variable.dtype)
        divisor = ops.where(rectified, ops.add(ops.sqrt(v), self.epsilon), 1.0)
        self.assign_sub(variable, ops.divide(ops.multiply(rate, m), divisor))

    def _rates(self, learning_rate):
        # In float32 whatever the variables are: half precision cannot count steps.
        step = ops.cast(self.iterations + 1, "float32")
        alpha = ops.cast(learning_rate, "float32") / correction(self.beta_1, step)
        longest = 2 / (1 - self.beta_2) - 1
        unbiased = correction(self.beta_2, step)
        length = longest - 2 * step * (1 - unbiased) / unbiased
        rectified = length > 4
        # The root is taken in both cases, so its argument must never be negative.
        safe = ops.maximum(length, 4.0)
        factor = (safe - 4) * (safe - 2) * longest / ((longest - 4) * (longest - 2) * safe)
        return rectified, alpha, alpha * ops.sqrt(factor * unbiased)

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
