"""What a cost rule works on: one use of a layer, its shapes in and out; and how a rule is made of two functions."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kbuild.plan.cost.cost import Cost
from kbuild.plan.plan import Shape
from kbuild.plan.shapes.given import Given, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape


class Inside(Protocol):
    """The cost of a layer inside another, and the shape of what it gives."""

    def __call__(self, layer: object, shape: Shape) -> tuple[Cost, Shape]:
        """See `kbuild.plan.cost.table`."""
        ...


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a layer.

    Args:
        given: its arguments and the shapes that go in.
        outputs: the shapes that come out.
        inside: for layers that hold others.
    """

    given: Given
    outputs: Shapes
    inside: Inside

    @property
    def args(self) -> Mapping[str, object]:
        """The arguments as the user gave them."""
        return self.given.args

    def out(self) -> tuple[int, ...]:
        """The shape of the first output. Raises UnknownShape."""
        return known(self.outputs[0] if self.outputs else None)

    def numbers(self) -> int:
        """How many numbers the first output has. Raises UnknownShape."""
        return math.prod(self.out())

    def kept(self) -> int | None:
        """The same, or None where that is unknown: for layers that compute nothing and keep what they put out."""
        try:
            return self.numbers()
        except UnknownShape:
            return None

    def asks(self, arg: str, default: bool = True) -> bool:
        """Whether a switch is on."""
        return bool(self.args.get(arg, default))


Weights = tuple[int, int]
"""Trainable numbers, and the others."""

Work = tuple[int | None, int | None]
"""Operations, and numbers kept for the backward pass."""

Rule = Callable[[Use], Cost]


def rule(work: Callable[[Use], Work], weights: Callable[[Use], Weights] | None = None, *, holds: bool = False) -> Rule:
    """A rule of two functions, each of which may raise UnknownShape: the other's numbers stay known.

    Args:
        holds: the weights are those of layers inside: the argument `trainable` leaves them alone, as in Keras.
    """

    def cost(use: Use) -> Cost:
        learned, fixed = (0, 0) if weights is None else _attempt(weights, use)
        flops, kept = _attempt(work, use)
        found = Cost(learned, fixed, flops, kept)
        return found.fixed if use.args.get("trainable") is False and not holds else found

    return cost


def known(shape: Shape) -> tuple[int, ...]:
    """A shape of which every size is known. Raises UnknownShape."""
    if shape is None or None in shape:
        raise UnknownShape
    return shape  # type: ignore[return-value]


def numbers(shape: Shape) -> int:
    """How many numbers a tensor has. Raises UnknownShape."""
    return math.prod(known(shape))


def size(value: int | None) -> int:
    """A size that is known. Raises UnknownShape."""
    if value is None:
        raise UnknownShape
    return value


def last(shape: Shape) -> int:
    """The size of the last axis. Raises UnknownShape."""
    return size(shape[-1] if shape else None)


def _attempt(part: Callable[[Use], tuple[int | None, int | None]], use: Use) -> tuple[int | None, int | None]:
    try:
        return part(use)
    except (UnknownShape, ShapeMistake):
        return (None, None)
