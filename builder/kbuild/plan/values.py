"""Hole → the values that can be chosen for it, and back: what stands in its place when one is."""

import math
from collections.abc import Mapping

from kbuild.spec.hole import Hole
from kbuild.text.node import Node, Scalar, plain

Value = str | int | float | bool
Choices = Mapping[str, Value]
"""Path of a hole → what was chosen: the label of an option, a number or a flag."""

MOST = 32
"""Of a hole with more values its ends, its default and these many between are tried."""


def pick(hole: Hole, value: Value) -> Node:
    """What stands in a hole's place when `value` is chosen: the label of an option, a number or a flag.

    Raises:
        KeyError: there is no option of this label.
    """
    if hole.kind == "choice":
        return hole.options[str(value)]
    return Scalar(value, hole.span)


def value(hole: Hole) -> Value:
    """The value of its default."""
    if hole.kind == "choice":
        return next(label for label, option in hole.options.items() if option is hole.default)
    return plain(hole.default)  # pyright: ignore[reportReturnType]


def values(hole: Hole) -> tuple[Value, ...] | None:
    """All its values, in order; None if there is no end of them.

    >>> from kbuild.text.node import node
    >>> from kbuild.spec.hole import hole
    >>> values(hole(node({"$int": [2, 9], "step": 3})))
    (2, 5, 8)
    """
    if hole.kind == "choice":
        return tuple(hole.options)
    if hole.kind == "bool":
        return (False, True)
    if hole.kind == "float" and hole.step is None:
        return (float(hole.low),) if hole.low == hole.high else None
    step = hole.step if hole.step is not None else 1
    if hole.step is not None and hole.sampling == "log":
        count = int(math.log(hole.high / hole.low, step) + 1e-9) + 1
        found = [hole.low * step**i for i in range(count)]
    else:
        count = int((hole.high - hole.low) / step + 1e-9) + 1
        if count > 10**6:
            return None
        found = [hole.low + step * i for i in range(count)]
    return tuple(int(v) for v in found) if hole.kind == "int" else tuple(float(v) for v in found)


def tried(hole: Hole) -> tuple[Value, ...]:
    """The values that stand for all of a hole: every one, or its ends, its default and some between."""
    found = values(hole)
    if found is None:
        return tuple(dict.fromkeys((hole.low, value(hole), hole.high)))
    if len(found) <= MOST:
        return found
    step = len(found) / MOST
    some = {found[int(at * step)] for at in range(MOST)} | {found[-1], value(hole)}
    return tuple(option for option in found if option in some)
