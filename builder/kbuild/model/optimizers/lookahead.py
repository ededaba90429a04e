"""Lookahead: slow weights that follow the fast ones of another optimizer."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class Lookahead(keras.optimizers.Optimizer):
    """Every few steps of another optimizer, goes back part of the way (Zhang et al., arXiv:1907.08610, algorithm 1).

    After `sync_period` steps the slow weights φ move to φ + slow_step·(θ - φ), where θ are the weights that the inner
    optimizer has reached, and θ starts again from there. Learning rate, weight decay, clipping, averages and
    accumulation are the inner optimizer's.

    Args:
        optimizer: the inner optimizer, or its name.
        sync_period: steps of it between two slow steps; k in the paper.
        slow_step: how far the slow weights go, 0 < slow_step ≤ 1; alpha in the paper.
    """

    def __init__(self, optimizer, sync_period=6, slow_step=0.5, name="lookahead"):
        super().__init__(learning_rate=0.0, name=name)
        if not isinstance(sync_period, int) or sync_period < 1:
            raise ValueError(f"`sync_period` must be a positive integer. Received: sync_period={sync_period}")
        if not 0 < slow_step <= 1:
            raise ValueError(f"`slow_step` must be above 0 and at most 1. Received: slow_step={slow_step}")
        # Keras looks for this name, to find averages and learning rate.
        self.inner_optimizer = keras.optimizers.get(optimizer)
        self.sync_period = sync_period
        self.slow_step = slow_step

    def build(self, variables):
        """Make the slow weights and the inner optimizer's variables."""
        if self.built:
            return
        self.inner_optimizer.build(variables)
        self._slow = self.add_optimizer_variables(variables, "slow")
        super().build(variables)

    def apply(self, grads, trainable_variables=None):
        """One step of the inner optimizer and, where it is due, a slow step."""
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        slow = [self._slow[self._get_variable_index(variable)] for variable in variables]
        pairs = [(variable, before) for variable, before in zip(variables, slow, strict=True) if before is not None]
        # Weights may be loaded after `build`, so the slow ones start at the first step.
        first = ops.equal(self.inner_optimizer.iterations, 0)
        starts = [ops.where(first, _value(variable), _value(before)) for variable, before in pairs]

        self.inner_optimizer.apply(grads, trainable_variables)

        due = ops.equal(ops.mod(self.inner_optimizer.iterations, self.sync_period), 0)
        for (variable, before), start in zip(pairs, starts, strict=True):
            # `where` instead of `cond`, whose branches must not assign on JAX.
            fast = _value(variable)
            after = ops.where(due, start + self.slow_step * (fast - start), start)
            variable.assign(ops.where(due, after, fast))
            before.assign(after)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        """At the end of training: the inner optimizer's averages, if it keeps any."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def save_own_variables(self, store):
        """Write what is not the inner optimizer's, which Keras writes beside it."""
        for index, variable in enumerate(self._variables):
            store[str(index)] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote."""
        for index, variable in enumerate(self._variables):
            variable.assign(store[str(index)])

    @property
    def variables(self):
        """Its own and the inner optimizer's."""
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self):
        """Steps of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self):
        """The inner optimizer's; can be set."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    def get_config(self):
        """Arguments, for saving."""
        return {
            "optimizer": keras.optimizers.serialize(self.inner_optimizer),
            "sync_period": self.sync_period,
            "slow_step": self.slow_step,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make it again from a saved model's config."""
        inner = keras.optimizers.deserialize(config["optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer": inner})


def _value(variable):
    return ops.convert_to_tensor(variable)
