"""Model, Train and heads → the model compiled: losses and metrics of the heads, the learning rate of the schedule."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from kbuild.model import objects
from kbuild.plan.head import Head
from kbuild.plan.logs import metric_names
from kbuild.spec.call import Call
from kbuild.spec.names import snake_case
from kbuild.spec.train import Plateau, Train
from kbuild.text.problem import Problem, SpecError
from kbuild.train import distribute, execution
from kbuild.train.schedule import Scheduled


def compile(model: keras.Model, train: Train, heads: Sequence[Head], steps_per_epoch: int) -> None:
    """Compile `model` in place.

    Args:
        heads: one for each output of the model, in its order; one without a loss is not trained.
        steps_per_epoch: batches in an epoch, for schedules given in epochs or percent.

    Raises:
        SpecError: K163 if no output has a loss and no layer adds one; what `make` raises for its calls.
    """
    if all(head.loss is None for head in heads) and not _adds_loss(model):
        raise SpecError(
            Problem(
                "K163",
                "no output has a loss, so there is nothing to train",
                help="give `train.loss` for at least one output",
                path="train.loss",
            )
        )
    single = len(heads) == 1
    losses = {head.output: objects.make(head.loss) for head in heads if head.loss is not None}
    metrics = {head.output: _metrics(head.metrics) for head in heads if head.metrics}
    weights = {head.output: float(head.weight) for head in heads if head.loss is not None}
    with distribute.beside(model):
        metrics = {head.output: _metrics(head.metrics) for head in heads if head.metrics}
        model.compile(
            optimizer=optimizer(train, steps_per_epoch),
            loss=(next(iter(losses.values()), None) if single else losses or None),  # pyright: ignore
            loss_weights=None if single or all(w == 1 for w in weights.values()) else weights,
            metrics=(next(iter(metrics.values()), None) if single else metrics or None),
            **execution.arguments(train),  # pyright: ignore[reportArgumentType]
        )
        distribute.built(model)


def optimizer(train: Train, steps_per_epoch: int) -> keras.Optimizer:
    """The optimizer, its learning rate a schedule where the spec has one."""
    made: Any = objects.make(train.optimizer)
    if isinstance(made, str):
        made = keras.optimizers.get(made)
    if isinstance(train.schedule, Call):
        made.learning_rate = objects.make(train.schedule)
    elif train.schedule is not None and not isinstance(train.schedule, Plateau):
        base = number(made.learning_rate)
        made.learning_rate = Scheduled(train.schedule, base, steps_per_epoch, train.epochs)
    if train.accumulate > 1:
        # as Keras's argument of that name: an optimizer that wraps another leaves accumulation to it
        innermost(made).gradient_accumulation_steps = train.accumulate
    return made


def innermost(optimizer: Any) -> Any:
    """The optimizer that others are wrapped around, which takes the steps."""
    inner = getattr(optimizer, "inner_optimizer", None)
    return optimizer if inner is None else innermost(inner)


def rate(optimizer: Any) -> float:
    """The learning rate of the step with which an optimizer changed the weights last.

    Keras asks a schedule for the rate at a batch, also where the gradients of several make one change (`iterations`
    counts the changes).
    """
    inner = innermost(optimizer)
    scheduled = getattr(inner, "_learning_rate", None)
    if isinstance(scheduled, keras.optimizers.schedules.LearningRateSchedule):
        every = inner.gradient_accumulation_steps or 1
        step = max(int(number(inner.iterations)) * every - 1, 0)
        called: Any = scheduled
        return number(called(keras.ops.convert_to_tensor(step)))
    return number(optimizer.learning_rate)


def base_rate(optimizer: Any) -> float:
    """The learning rate that a schedule of the spec starts from, else that of the first step."""
    scheduled = getattr(innermost(optimizer), "_learning_rate", None)
    return scheduled.base if isinstance(scheduled, Scheduled) else rate(optimizer)


def number(scalar: object) -> float:
    """A tensor or variable of one element."""
    return float(np.asarray(keras.ops.convert_to_numpy(scalar)))


def _metrics(calls: Sequence[Call]) -> list[object]:
    """Metrics with names that do not depend on what else this process has made (Keras counts them up)."""
    return [
        name if call.namespace == "identifier" else objects.make(replace(call, args={**call.args, "name": name}))
        for call, name in zip(calls, metric_names(calls, _own_name), strict=True)
    ]


def _own_name(call: Call) -> str:
    """The name that the class of a metric has by default, of the user's own classes too."""
    default = inspect.signature(objects.find(call)).parameters.get("name")
    return default.default if default is not None and isinstance(default.default, str) else snake_case(call.name)


def _adds_loss(model: keras.Model) -> bool:
    return bool(model.losses) or any(type(layer).__name__ in ("AddLoss", "Sampling") for layer in model.layers)
