"""Rows in order → how far right each node stands: straight where one follows another, in the middle of several."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_ROUNDS = 60
_LIGHT = 1e-6
"""The weight of what gives way to boxes: columns of nothing but bends."""


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two rows; each end with how far it is right of the node's middle."""

    source: str
    target: str
    out: float = 0.0
    into: float = 0.0


@dataclass(slots=True)
class _Column:
    """Nodes that stand in a straight line, each so far right of where the column stands."""

    nodes: dict[str, float]
    weight: float = 1.0
    at: float = 0.0
    pulls: list[tuple["_Column", float]] = field(default_factory=list)
    walls: dict[int, tuple["_Column", float]] = field(default_factory=dict)
    """What stands on the left of it, and how far away it is at least."""


def columns(
    rows: Sequence[Sequence[str]], links: Sequence[Link], widths: Mapping[str, float], light: Iterable[str], gap: float
) -> Mapping[str, float]:
    """The middle of each node.

    Args:
        light: bends and doors: they go round boxes, boxes do not make way for them.
        gap: between two nodes of a row, at least.
    """
    soft = set(light)
    found = _straight(rows, links, soft)
    every = list({id(column): column for column in found.values()}.values())
    for column in every:
        column.weight = _LIGHT if all(node in soft for node in column.nodes) else 1.0
    for row in rows:
        for left, right in pairwise(row):
            _wall(found, left, right, (widths[left] + widths[right]) / 2 + gap)
    for link in links:
        one, other = found[link.source], found[link.target]
        if one is not other:
            distance = one.nodes[link.source] + link.out - other.nodes[link.target] - link.into
            other.pulls.append((one, distance))
            one.pulls.append((other, -distance))
    _settle(every)
    return {node: found[node].at + found[node].nodes[node] for row in rows for node in row}


def _straight(rows: Sequence[Sequence[str]], links: Sequence[Link], soft: set[str]) -> dict[str, _Column]:
    """Nodes that follow each other, and have no other neighbour between them, in one column."""
    outs: dict[str, int] = {}
    ins: dict[str, int] = {}
    for link in links:
        outs[link.source] = outs.get(link.source, 0) + 1
        ins[link.target] = ins.get(link.target, 0) + 1
    found = {node: _Column({node: 0.0}) for row in rows for node in row}
    place = {node: (number, index) for number, row in enumerate(rows) for index, node in enumerate(row)}
    taken: dict[int, list[tuple[int, int]]] = {}
    bends_first = sorted(links, key=lambda link: not (link.source in soft and link.target in soft))
    for link in bends_first:
        if outs[link.source] != 1 or ins[link.target] != 1:
            continue
        (row, left), (_, right) = place[link.source], place[link.target]
        if any((a - left) * (b - right) < 0 for a, b in taken.get(row, ())):
            continue
        taken.setdefault(row, []).append((left, right))
        one, other = found[link.source], found[link.target]
        shift = one.nodes[link.source] + link.out - other.nodes[link.target] - link.into
        for node, offset in other.nodes.items():
            one.nodes[node] = offset + shift
            found[node] = one
    return found


def _wall(found: Mapping[str, _Column], left: str, right: str, apart: float) -> None:
    one, other = found[left], found[right]
    least = apart + one.nodes[left] - other.nodes[right]
    before = other.walls.get(id(one))
    if before is None or before[1] < least:
        other.walls[id(one)] = (one, least)


def _settle(every: list[_Column]) -> None:
    """Pull every column to the middle of its neighbours, as far as what stands beside it lets it."""
    order = _from_left(every)
    _push(order, [0.0] * len(order))
    for _ in range(_ROUNDS):
        wanted = [(column.at + _middle(column)) / 2 for column in order]
        if max((abs(want - column.at) for want, column in zip(wanted, order, strict=True)), default=0) < 0.01:
            break
        _push(order, wanted)


def _middle(column: _Column) -> float:
    """Where its neighbours want it. What is light counts for nothing beside boxes."""
    pulls = [pull for pull in column.pulls if pull[0].weight == 1.0]
    if not pulls and column.weight == _LIGHT:
        pulls = column.pulls
    if not pulls:
        return column.at
    return sum(other.at + distance for other, distance in pulls) / len(pulls)


def _from_left(every: list[_Column]) -> list[_Column]:
    """The columns so that each comes after all that stand left of it."""
    order: list[_Column] = []
    seen: set[int] = set()
    for column in every:
        waiting = [(column, iter(column.walls.values()))]
        while waiting:
            here, left = waiting[-1]
            following = next((other for other, _ in left if id(other) not in seen), None)
            if following is not None:
                waiting.append((following, iter(following.walls.values())))
                continue
            waiting.pop()
            if id(here) not in seen:
                seen.add(id(here))
                order.append(here)
    return order


@dataclass(slots=True)
class _Block:
    """Columns that touch, each so far right of where the block stands."""

    inside: list[tuple[_Column, float, float]]
    """Column, its distance from the block's place, where it wants to be."""

    @property
    def at(self) -> float:
        weight = sum(column.weight for column, _, _ in self.inside)
        return sum(column.weight * (want - off) for column, off, want in self.inside) / weight


def _push(order: list[_Column], wanted: list[float]) -> None:
    """Put the columns as near as they can be to where they want to be, in the sense of least squares.

    Blocks of columns that touch are merged from the left (Dwyer, Marriott, Stuckey: Fast node overlap removal, 2006).
    """
    block_of: dict[int, _Block] = {}
    for column, want in zip(order, wanted, strict=True):
        block = _Block([(column, 0.0, want)])
        column.at = want
        block_of[id(column)] = block
        while (worst := _worst(block, block_of)) is not None:
            left, right, apart = worst
            block = _joined(block_of[id(left)], block, left, right, apart)
            at = block.at
            for member, off, _ in block.inside:
                member.at = at + off
                block_of[id(member)] = block


def _worst(block: _Block, block_of: Mapping[int, _Block]) -> tuple[_Column, _Column, float] | None:
    worst, found = 1e-6, None
    for column, _, _ in block.inside:
        for left, apart in column.walls.values():
            over = left.at + apart - column.at
            if over > worst and block_of[id(left)] is not block:
                worst, found = over, (left, column, apart)
    return found


def _joined(one: _Block, other: _Block, left: _Column, right: _Column, apart: float) -> _Block:
    off_left = next(off for column, off, _ in one.inside if column is left)
    off_right = next(off for column, off, _ in other.inside if column is right)
    shift = off_left + apart - off_right
    return _Block(one.inside + [(column, off + shift, want) for column, off, want in other.inside])
