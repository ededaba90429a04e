"""Plan and the model that was built of it → what Keras knows of each step, and where the plan said otherwise."""

import math
from dataclasses import dataclass, replace
from typing import Any

import keras

from kbuild.plan.graph import written
from kbuild.plan.plan import Plan, Shape, Step
from kbuild.text.problem import Problem


@dataclass(frozen=True, slots=True)
class Measured:
    """What Keras says of a plan.

    Args:
        plan: the same with Keras's shapes where its own were unknown.
        params: parameters by step; a layer that is applied again counts at its first step.
        learned: those of them that training changes.
        total, trainable: parameters of the whole model.
        problems: shapes in which the plan and Keras differ.
    """

    plan: Plan
    params: dict[str, int]
    learned: dict[str, int]
    total: int
    trainable: int
    problems: tuple[Problem, ...]


def measure(plan: Plan, model: keras.Model) -> Measured:
    """Compare a plan with the model that `build` made of it."""
    layers = {layer.name: layer for layer in model.layers}
    steps: list[Step] = []
    problems: list[Problem] = []
    params: dict[str, int] = {}
    learned: dict[str, int] = {}
    for step in plan.steps:
        layer = layers.get(step.name)
        if layer is not None and step.layer == step.name:
            params[step.name] = int(layer.count_params())
            learned[step.name] = _count(layer.trainable_weights)
        found = _shapes(layer)
        if found is None or step.shapes == found:
            steps.append(step)
            continue
        if step.shapes is not None and len(step.shapes) == len(found) and not _agree(step.shapes, found):
            problems.append(_difference(step, found))
        steps.append(replace(step, shapes=found))
    total, trainable = int(model.count_params()), _count(model.trainable_weights)
    return Measured(replace(plan, steps=tuple(steps)), params, learned, total, trainable, tuple(problems))


def _count(weights: list[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _shapes(layer: Any) -> tuple[Shape, ...] | None:
    """Without the batch axis; None for an operation and for a layer that is applied more than once."""
    try:
        output = layer.output
    except AttributeError:
        return None
    tensors = keras.tree.flatten(output)
    return tuple(tuple(tensor.shape[1:]) for tensor in tensors)


def _agree(planned: tuple[Shape, ...], found: tuple[Shape, ...]) -> bool:
    pairs = [(a, b) for a, b in zip(planned, found, strict=True) if a is not None and b is not None]
    return all(
        len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True)) for a, b in pairs
    )


def _difference(step: Step, found: tuple[Shape, ...]) -> Problem:
    said, is_ = (", ".join(written(shape) for shape in shapes) for shapes in (step.shapes or (), found))
    return Problem(
        "K230",
        f"`{step.name}` gives {is_}, and kbuild took it for {said}",
        step.span,
        help="this is a mistake in kbuild, please report it; the network is built as Keras says",
        path=step.path,
        severity="warning",
    )
