"""Rows in order → how far right each node stands: straight where one follows another, in the middle of several."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_ROUNDS, _STILL = 60, 0.02
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
    found = {node: _Column({node: 0.0}) for row in rows for node in row}
    lines = _Lines(found, {node: (n, place) for n, row in enumerate(rows) for place, node in enumerate(row)}, {})
    lines.straighten(sorted(links, key=lambda link: not (link.source in soft and link.target in soft)))
    # once more without what is light: a box is straight below another, whatever else leaves one or comes to the other
    heavy = {node for column in found.values() if not soft.issuperset(column.nodes) for node in column.nodes}
    lines.straighten([link for link in links if link.source in heavy and link.target in heavy])
    every = list({id(column): column for column in found.values()}.values())
    for column in every:
        column.weight = _LIGHT if soft.issuperset(column.nodes) else 1.0
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


@dataclass(frozen=True, slots=True)
class _Lines:
    """Columns as they grow.

    Args:
        found: the column of each node.
        place: its row, and where in it.
        taken: the links that were made straight, by the row that they leave: others may not cross them.
    """

    found: dict[str, _Column]
    place: Mapping[str, tuple[int, int]]
    taken: dict[int, list[tuple[int, int]]]

    def straighten(self, links: Sequence[Link]) -> None:
        """Put two nodes in one column where no other link leaves the one or comes to the other."""
        outs = Counter(link.source for link in links)
        ins = Counter(link.target for link in links)
        for link in links:
            one, other = self.found[link.source], self.found[link.target]
            (row, left), (_, right) = self.place[link.source], self.place[link.target]
            is_only = outs[link.source] == 1 and ins[link.target] == 1 and one is not other
            if not is_only or any((a - left) * (b - right) < 0 for a, b in self.taken.get(row, ())):
                continue
            self.taken.setdefault(row, []).append((left, right))
            shift = one.nodes[link.source] + link.out - other.nodes[link.target] - link.into
            for node, offset in other.nodes.items():
                one.nodes[node] = offset + shift
                self.found[node] = one


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
        before = [column.at for column in order]
        _push(order, [(column.at + _middle(column)) / 2 for column in order])
        if all(abs(column.at - at) < _STILL for column, at in zip(order, before, strict=True)):
            break


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
    """Columns that touch.

    Args:
        inside: by identity, each with its distance from the block's place.
        weight, pull: sums over them, of weights and of where each would have the block, weighted.
        walls: what stands left of one of them in another block: that column, the one inside, how far apart.
    """

    inside: dict[int, tuple[_Column, float]]
    weight: float
    pull: float
    walls: list[tuple[_Column, _Column, float]]

    @property
    def at(self) -> float:
        return self.pull / self.weight


def _push(order: list[_Column], wanted: list[float]) -> None:
    """Put the columns as near as they can be to where they want to be, in the sense of least squares.

    Blocks of columns that touch are merged from the left (Dwyer, Marriott, Stuckey: Fast node overlap removal, 2006).
    """
    block_of: dict[int, _Block] = {}

    def place(column: _Column) -> float:
        block = block_of[id(column)]
        return block.at + block.inside[id(column)][1]

    for column, want in zip(order, wanted, strict=True):
        walls = [(left, column, apart) for left, apart in column.walls.values()]
        block = _Block({id(column): (column, 0.0)}, column.weight, column.weight * want, walls)
        block_of[id(column)] = block
        while block.walls:
            left, right, apart = max(block.walls, key=lambda wall: place(wall[0]) + wall[2] - place(wall[1]))
            if place(left) + apart - place(right) <= 1e-6:
                break
            block = _joined(block_of[id(left)], block, left, right, apart)
            for key in block.inside:
                block_of[key] = block
    for column in order:
        column.at = place(column)


def _joined(one: _Block, other: _Block, left: _Column, right: _Column, apart: float) -> _Block:
    """Two blocks as one, in which `right` stands as far right of `left` as it must."""
    shift = one.inside[id(left)][1] + apart - other.inside[id(right)][1]
    inside = one.inside | {key: (column, off + shift) for key, (column, off) in other.inside.items()}
    walls = [wall for wall in (*one.walls, *other.walls) if id(wall[0]) not in inside]
    return _Block(inside, one.weight + other.weight, one.pull + other.pull - other.weight * shift, walls)
