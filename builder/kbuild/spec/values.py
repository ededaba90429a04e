"""Hole → the values that can be chosen for it, and back: what stands in its place when one is."""

import math
from collections.abc import Mapping
from decimal import Decimal

from kbuild.spec.hole import Choose, Hole, default
from kbuild.text.node import Node, Scalar, plain
from kbuild.text.problem import mistake
from kbuild.text.source import Span

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
    >>> values(hole(node({"$float": [0.0, 0.6], "step": 0.3})))
    (0.0, 0.3, 0.6)
    """
    if hole.kind == "choice":
        return tuple(hole.options)
    if hole.kind == "bool":
        return (False, True)
    if hole.kind == "float" and hole.step is None:
        return (float(hole.low),) if hole.low == hole.high else None
    step = hole.step if hole.step is not None else 1
    # as they are written: 0.1 three times is 0.3, and the last is never above the upper end
    low, by = Decimal(str(hole.low)), Decimal(str(step))
    if hole.step is not None and hole.sampling == "log":
        count = int(math.log(hole.high / hole.low, step) + 1e-9) + 1
        found = [low * by**i for i in range(count)]
    else:
        count = int((hole.high - hole.low) / step + 1e-9) + 1
        if count > 10**6:
            return None
        found = [low + by * i for i in range(count)]
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


def at(hole: Hole, share: float) -> Value:
    """The value of a hole at a share of its range, as evenly as its `sampling` says.

    >>> from kbuild.spec.hole import hole
    >>> from kbuild.text.node import node
    >>> [at(hole(node({"$int": [1, 4]})), share) for share in (0.0, 0.5, 1.0)]
    [1, 3, 4]
    """
    share = min(max(share, 0.0), 1.0)
    options = values(hole)
    if options is not None and (hole.sampling == "linear" or hole.step is not None):
        return options[min(int(share * len(options)), len(options) - 1)]
    low, high = float(hole.low), float(hole.high + (1 if hole.kind == "int" else 0))
    found = {
        "linear": lambda: low + share * (high - low),
        "log": lambda: low * (high / low) ** share,
        "reverse_log": lambda: high + low - low * (high / low) ** (1 - share),
    }[hole.sampling]()
    return min(math.floor(found), int(hole.high)) if hole.kind == "int" else min(found, float(hole.high))


class Chooser:
    """Chooses what it was given for a hole, and remembers what it chose where.

    Args:
        given: values by path.
        otherwise: asked for a hole that nothing was given for.
    """

    def __init__(self, given: Choices, otherwise: Choose = default):
        self.given, self._otherwise = given, otherwise
        self.taken: dict[tuple[str, int, int], dict[str, Node]] = {}
        """Where a hole is written → what stands in its place, by each path on which it was come upon."""

    def __call__(self, path: str, hole: Hole) -> Node:
        """What stands in a hole's place. Raises SpecError K132 for a value that is none of its own."""
        made = self._otherwise(path, hole)
        if path in self.given:
            chosen = self.given[path]
            if not _among(hole, chosen):
                said = f"`choices` gives `{chosen}` for `{path}`, which is none of its values"
                raise mistake("K132", said, hole.span, help=_own(hole))
            made = pick(hole, chosen)
        self.taken.setdefault(place(hole.span), {})[path] = made
        return made

    @property
    def reached(self) -> frozenset[str]:
        """The paths of all holes that were come upon."""
        return frozenset(path for found in self.taken.values() for path in found)


def place(span: Span) -> tuple[str, int, int]:
    """Where something is written, as a key."""
    return span.source.name, span.line, span.column


def _among(hole: Hole, chosen: Value) -> bool:
    if hole.kind == "choice":
        return str(chosen) in hole.options
    if hole.kind == "bool":
        return isinstance(chosen, bool)
    right = isinstance(chosen, int if hole.kind == "int" else int | float) and not isinstance(chosen, bool)
    return right and hole.low <= chosen <= hole.high  # pyright: ignore[reportOperatorIssue]


def _own(hole: Hole) -> str:
    if hole.kind == "choice":
        return "choose one of " + ", ".join(f"`{label}`" for label in hole.options)
    return "choose `true` or `false`" if hole.kind == "bool" else f"choose a number from {hole.low} to {hole.high}"
