"""A compiled model and a batch → its loss, the gradients of its weights, and tensors inside it. Changes nothing.

One of the few files that know the backend. All is computed in a `keras.StatelessScope`: what the layers would assign
(moving averages, the state of dropout, metrics) is dropped with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

ops: Any = keras.ops  # its annotations say that functions return None


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass through a model, forward and backward, yields.

    Args:
        loss: of the batch, with all that layers add to it.
        gradients: in the order of `model.trainable_variables`; None where the loss does not depend on a variable, as
            far as the backend tells: JAX gives zeros.
        inner: the tensors that were asked for.
    """

    loss: float
    gradients: tuple[np.ndarray | None, ...]
    inner: tuple[np.ndarray, ...]


Pass = Callable[[Any, Any, Any], Passed]
"""(x, y, weights of the examples or None) → Passed."""
_Reduce = Callable[[Any], Any]


def gradients(model: Any, x: Any, y: Any = None, weights: Any = None) -> Passed:
    """The loss of a batch as in training (`training=True`), and its gradient for each trainable variable.

    Args:
        model: compiled.
        x, y, weights: as Keras's `train_on_batch` takes them.
    """
    return passing(model)(x, y, weights)


def passing(
    model: Any,
    inner: Sequence[Any] = (),
    gradient: _Reduce = lambda value: value,
    measures: Sequence[_Reduce] | None = None,
) -> Pass:
    """A pass to be made again and again; on JAX it is compiled once.

    Args:
        model: functional and compiled.
        inner: tensors of its graph to give back.
        gradient: applied to each gradient before it leaves the device, such as a norm.
        measures: likewise to `inner`, one for each.
    """
    # Keras counts the names that it makes up, and those of the models to come are not to depend on this one
    whole = keras.Model(model.input, {"inner": list(inner), "outputs": model.output}, name="inside")
    made = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}[keras.backend.backend()]
    return made(_Forward(model, whole, measures or [lambda value: value] * len(inner)), gradient)


class _Forward:
    """Forward through a model whose variables have the values that are given: a function of its arguments alone."""

    def __init__(self, model: Any, whole: Any, measures: Sequence[_Reduce]):
        self._model, self._whole, self._measures = model, whole, measures
        self.trainable = list(model.trainable_variables)
        self.others = [*model.non_trainable_variables, *model.metrics_variables, *model.optimizer.variables]

    def __call__(self, trainable: Any, others: Any, x: Any, y: Any, weights: Any) -> tuple[Any, tuple[Any, Any, Any]]:
        """The loss as the optimizer scales it (half precision), then the loss, the scale and the inner tensors."""
        model = self._model
        mapping = [*zip(self.trainable, trainable, strict=True), *zip(self.others, others, strict=True)]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
            out = self._whole(x, training=True)
            loss = model.compute_loss(x, y, out["outputs"], weights, training=True)
            inner = [
                measure(ops.cast(value, "float32")) for measure, value in zip(self._measures, out["inner"], strict=True)
            ]
            scaled, scale = (model.optimizer.scale_loss(value) for value in (loss, ops.ones((), "float32")))
        return scaled, (loss, scale, inner)


def _on_tensorflow(forward: _Forward, gradient: _Reduce) -> Pass:
    import tensorflow as tf

    def run(x: Any, y: Any, weights: Any) -> Passed:
        trainable, others = ([tf.convert_to_tensor(v.value) for v in group] for group in _groups(forward))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trainable)
            scaled, (loss, scale, inner) = forward(trainable, others, *_tensors(x, y, weights))
        # the gradient of a lookup holds the rows that were looked up
        found = [None if one is None else tf.convert_to_tensor(one) for one in tape.gradient(scaled, trainable)]
        return _passed(loss, [None if one is None else _reduced(one, scale, gradient) for one in found], inner)

    return run


def _on_jax(forward: _Forward, gradient: _Reduce) -> Pass:
    import jax  # pyright: ignore[reportMissingImports]

    # a pass is made a few times in a run: compiling it well takes far longer than running it
    options = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None

    @partial(jax.jit, compiler_options=options)
    def step(trainable: Any, others: Any, x: Any, y: Any, weights: Any) -> Any:
        (_, (loss, scale, inner)), found = jax.value_and_grad(forward, has_aux=True)(trainable, others, x, y, weights)
        return loss, [_reduced(one, scale, gradient) for one in found], inner

    def run(x: Any, y: Any, weights: Any) -> Passed:
        trainable, others = ([v.value for v in group] for group in _groups(forward))
        return _passed(*step(trainable, others, *_tensors(x, y, weights)))

    return run


def _on_torch(forward: _Forward, gradient: _Reduce) -> Pass:
    import torch  # pyright: ignore[reportMissingImports]

    def run(x: Any, y: Any, weights: Any) -> Passed:
        trainable, others = ([v.value.detach().clone() for v in group] for group in _groups(forward))
        for value in trainable:
            value.requires_grad_(True)
        scaled, (loss, scale, inner) = forward(trainable, others, *_tensors(x, y, weights))
        found = torch.autograd.grad(scaled, trainable, allow_unused=True)
        return _passed(loss, [None if one is None else _reduced(one, scale, gradient) for one in found], inner)

    return run


def _groups(forward: _Forward) -> tuple[list[Any], list[Any]]:
    return forward.trainable, forward.others


def _tensors(*values: Any) -> Any:
    return keras.tree.map_structure(lambda value: None if value is None else ops.convert_to_tensor(value), values)


def _reduced(found: Any, scale: Any, gradient: _Reduce) -> Any:
    return gradient(ops.cast(found, "float32") / scale)


def _passed(loss: Any, found: Sequence[Any], inner: Sequence[Any]) -> Passed:
    host = [None if one is None else np.asarray(ops.convert_to_numpy(one)) for one in found]
    return Passed(
        float(ops.convert_to_numpy(loss)), tuple(host), tuple(np.asarray(ops.convert_to_numpy(one)) for one in inner)
    )
