"""A model under TensorFlow's `MirroredStrategy` → whether its step is that of a single device. Raises SpecError K167.

Keras does not look after this strategy any more, so it is trusted only as far as it has been seen to be right: loss and
gradients of one step, on all devices and on one, for the batches that an epoch holds.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kbuild.model import objects
from kbuild.text.problem import Problem, SpecError

TOLERANCE = 1e-5
"""Of the loss and of each gradient, times its largest number where that is above 1."""
_JAX = "use JAX, where every device computes its share of the same batch: `--backend jax`"


def check(model: keras.Model, batches: Sequence[tuple], last: int) -> None:
    """Hold a step on all devices against the same step on one.

    Args:
        model: compiled; its variables are as before when this ends.
        batches: (x, y) or (x, y, weights), one of each size that an epoch holds.
        last: examples in the last batch of an epoch.

    Raises:
        SpecError: K167 if loss or gradients differ by more than 1e-5, or are known to.
    """
    strategy: Any = model.distribute_strategy  # pyright: ignore[reportAttributeAccessIssue]
    count = strategy.num_replicas_in_sync
    if last % count:
        raise _refused(
            f"the last batch of an epoch has {last} examples, which {count} devices cannot share evenly: TensorFlow "
            "would weigh them otherwise than those of other batches"
        )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.synchronized:
            help = f"write `synchronized: true` in `{layer.name}`, or {_JAX}"
            raise _refused(f"`{layer.name}` takes its statistics from the share of one device", help)
    before: list[Any] = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    try:
        for batch in batches:
            _compare(strategy, model, batch)
    except SpecError:
        raise
    except Exception as error:
        raise _refused(f"a step on {count} devices fails: {objects.sentence(error)}") from error
    finally:
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)


def _compare(strategy: Any, model: keras.Model, batch: tuple) -> None:
    import tensorflow as tf

    # masks of dropout are drawn by each device for its share, so that no two steps with them can be the same
    training = not any("seed" in variable.path for variable in model.non_trainable_variables)

    def step(*batch: Any) -> tuple:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=training), sample_weight=weights)
        return loss, tape.gradient(loss, model.trainable_variables)

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    data = tf.data.Dataset.from_tensors(batch).with_options(options)
    shares = next(iter(strategy.experimental_distribute_dataset(data)))
    found = strategy.run(tf.function(step), args=shares)
    found = [strategy.reduce("SUM", value, axis=None) for value in tf.nest.flatten(found) if value is not None]
    alone = [value for value in tf.nest.flatten(tf.function(step)(*batch)) if value is not None]
    names = ["the loss", *(f"the gradient of `{v.path}`" for v in model.trainable_variables)]
    for name, one, other in zip(names, alone, found, strict=False):
        one, other = (tf.convert_to_tensor(value).numpy() for value in (one, other))
        gap, size = float(np.abs(one - other).max()), max(1.0, float(np.abs(one).max()))
        if not gap <= TOLERANCE * size:
            count = strategy.num_replicas_in_sync
            raise _refused(f"a step on {count} devices is not that of one: {name} differs by {gap:.1e}")


def _refused(message: str, help: str = _JAX) -> SpecError:
    return SpecError(Problem("K167", message, help=help, path="train.distribute"))
