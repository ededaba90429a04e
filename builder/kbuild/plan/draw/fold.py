"""Tree → which groups are open: as many levels as were asked for, or as many as a drawing can hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbuild.plan.draw.tree import Tree

MOST_BOXES = 60


@dataclass(frozen=True, slots=True)
class Fold:
    """What is not drawn in full, by key.

    Args:
        closed: groups that are one box.
        examples: repeats of which the first copy stands for all.
    """

    closed: frozenset[str] = frozenset()
    examples: frozenset[str] = frozenset()


def to_depth(items: Sequence[Tree], depth: int | None) -> Fold:
    """So many levels of blocks and repeats are open, 0 the top alone; None all.

    Chains and branches inside of them are no levels of their own: they are open where what is around them is.
    """
    if depth is None:
        return Fold()
    return Fold(frozenset(_deeper(items, depth)))


def _deeper(items: Sequence[Tree], depth: int) -> Iterator[str]:
    for item in items:
        if item.is_step:
            continue
        if depth <= 0:
            yield item.key
        else:
            yield from _below(item, depth)


def _below(item: Tree, depth: int) -> Iterator[str]:
    """The keys of what is closed inside a group that is open."""
    left = depth if item.is_quiet else depth - 1
    for inner in item.items:
        if inner.is_quiet:
            yield from _below(inner, left)
        else:
            yield from _deeper((inner,), left)


def to_fit(items: Sequence[Tree], most: int = MOST_BOXES) -> Fold:
    """Everything is open if it is not more than `most` boxes. Else of a repeat with copies that are alike the first
    stands for all; if that is not enough, the innermost groups become one box each, repeats before others, until it is.
    """
    if boxes(items, Fold()) <= most:
        return Fold()
    examples = frozenset(group.key for group, _ in _groups(items) if group.kind == "repeat" and alike(group))
    fold = Fold(examples=examples)
    found = [(level, group.kind == "repeat", group.key) for group, level in _groups(items) if not group.is_quiet]
    for stage in sorted({(level, is_repeat) for level, is_repeat, _ in found}, reverse=True):
        if boxes(items, fold) <= most:
            break
        closed = fold.closed | {key for level, is_repeat, key in found if (level, is_repeat) == stage}
        fold = Fold(frozenset(closed), examples)
    return fold


def boxes(items: Sequence[Tree], fold: Fold) -> int:
    """How many boxes a drawing has, its inputs and outputs not counted."""
    count = 0
    for item in items:
        if item.is_step or item.key in fold.closed:
            count += 1
        else:
            count += boxes(item.items[:1] if item.key in fold.examples else item.items, fold)
    return count


def alike(repeat: Tree) -> bool:
    """Whether all copies are the same calls in the same order; their arguments may differ."""
    first, *others = [[step.call.name for step in copy.steps] for copy in repeat.items]
    return bool(others) and all(other == first for other in others)


def _groups(items: Sequence[Tree], level: int = 0) -> Iterator[tuple[Tree, int]]:
    """Every group with how many are around it, but the copies of a repeat: they fold with it."""
    for item in items:
        if item.kind == "repeat":
            yield item, level
            for copy in item.items:
                yield from _groups(copy.items, level + 2)
        elif not item.is_step:
            yield item, level
            yield from _groups(item.items, level + 1)
