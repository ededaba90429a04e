"""AdaBound: Adam that turns into SGD."""

import keras
from keras import ops

from kbuild.model.optimizers.correction import correction


@keras.saving.register_keras_serializable(package="kbuild")
class AdaBound(keras.optimizers.Optimizer):
    """Adam with rates between two bounds that close on `final_lr` (Luo et al., arXiv:1902.09843, algorithm 2).

    As in the authors' code, the averages are corrected for their start at 0, the rate is not divided by √t, and the
    bounds follow the learning rate: when a schedule halves it, `final_lr` is halved too.

    Args:
        learning_rate: a number or a schedule.
        final_lr: the rate of the SGD that it becomes.
        gamma: how fast the bounds close: final_lr·(1 - 1/(gamma·t + 1)) and final_lr·(1 + 1/(gamma·t)).
        beta_1: decay of the average of gradients, 0 ≤ beta_1 < 1.
        beta_2: decay of the average of their squares, 0 ≤ beta_2 < 1.
        epsilon: added to the root of the average of squares.
        amsbound: whether that average may only grow.
        base_learning_rate: the learning rate that belongs to `final_lr`; by default the one at the start.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: as for `keras.optimizers.Adam`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        final_lr=0.1,
        gamma=1e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        amsbound=False,
        base_learning_rate=None,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name="adabound",
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
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1):
            raise ValueError(f"`beta_1` and `beta_2` must be below 1. Received: beta_1={beta_1}, beta_2={beta_2}")
        if final_lr <= 0 or gamma <= 0:
            raise ValueError(f"`final_lr` and `gamma` must be positive. Received: final_lr={final_lr}, gamma={gamma}")
        self.final_lr = final_lr
        self.gamma = gamma
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsbound = amsbound
        self.base_learning_rate = _first(self, learning_rate) if base_learning_rate is None else base_learning_rate
        if self.base_learning_rate <= 0:
            raise ValueError("the learning rate starts at 0, so `base_learning_rate` must be given")

    def build(self, variables):
        """Make the averages."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsbound:
            self._largest = self.add_optimizer_variables(variables, "largest_velocity")

    def update_step(self, gradient, variable, learning_rate):
        """One step for one variable."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign_add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1))
        self.assign_add(v, ops.multiply(ops.subtract(ops.square(gradient), v), 1 - self.beta_2))
        if self.amsbound:
            self.assign(self._largest[index], ops.maximum(self._largest[index], v))
            v = self._largest[index]
        alpha, low, high = (ops.cast(value, variable.dtype) for value in self._bounds(learning_rate))
        rates = ops.minimum(ops.maximum(alpha / ops.add(ops.sqrt(v), self.epsilon), low), high)
        self.assign_sub(variable, ops.multiply(rates, m))

    def _bounds(self, learning_rate):
        # In float32 whatever the variables are: half precision cannot count steps.
        step = ops.cast(self.iterations + 1, "float32")
        rate = ops.cast(learning_rate, "float32")
        alpha = rate * ops.sqrt(correction(self.beta_2, step)) / correction(self.beta_1, step)
        final = self.final_lr * rate / self.base_learning_rate
        return alpha, final * (1 - 1 / (self.gamma * step + 1)), final * (1 + 1 / (self.gamma * step))

    def get_config(self):
        """Arguments, for saving."""
        return {
            **super().get_config(),
            "final_lr": self.final_lr,
            "gamma": self.gamma,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsbound": self.amsbound,
            "base_learning_rate": self.base_learning_rate,
        }


def _first(optimizer, learning_rate) -> float:
    if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        return float(ops.convert_to_numpy(learning_rate(0)))
    return float(ops.convert_to_numpy(optimizer.learning_rate))
