"""Rows of nodes → the same rows in an order with few crossings of edges (Sugiyama, Tagawa, Toda 1981: barycenters)."""

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise

_SWEEPS = 12

Rows = list[list[str]]


def ordered(rows: Rows, below: Mapping[str, Sequence[str]]) -> Rows:
    """Sort every row by where its neighbours stand, down and up in turn, and keep the best that was seen.

    Args:
        rows: nodes from left to right; the order is kept where it makes no difference.
        below: node → the nodes of the next row that it has an edge to.
    """
    above: dict[str, list[str]] = {}
    for source, targets in below.items():
        for target in targets:
            above.setdefault(target, []).append(source)
    best, least = rows, crossings(rows, below)
    now = rows
    for sweep in range(_SWEEPS):
        if not least:
            break
        now = _swept(now, above if sweep % 2 == 0 else below, down=sweep % 2 == 0)
        count = crossings(now, below)
        if count < least:
            best, least = now, count
    return best


def crossings(rows: Rows, below: Mapping[str, Sequence[str]]) -> int:
    """How often edges between neighbouring rows cross."""
    count = 0
    for upper, lower in pairwise(rows):
        place = {node: index for index, node in enumerate(lower)}
        seen: list[int] = []
        for node in upper:
            targets = sorted(place[target] for target in below.get(node, ()))
            count += sum(len(seen) - bisect_right(seen, target) for target in targets)
            for target in targets:
                insort(seen, target)
    return count


def _swept(rows: Rows, neighbours: Mapping[str, Sequence[str]], down: bool) -> Rows:
    swept = list(rows) if down else list(reversed(rows))
    for index in range(1, len(swept)):
        place = {node: position for position, node in enumerate(swept[index - 1])}
        swept[index] = _sorted(swept[index], place, neighbours)
    return swept if down else list(reversed(swept))


def _sorted(row: list[str], place: Mapping[str, int], neighbours: Mapping[str, Sequence[str]]) -> list[str]:
    """By the mean of their neighbours' places; what has none there stays where it is."""
    means: dict[str, float] = {}
    for node in row:
        places = [place[other] for other in neighbours.get(node, ()) if other in place]
        if places:
            means[node] = sum(places) / len(places)
    moving = iter(sorted(means, key=lambda node: means[node]))
    return [next(moving) if node in means else node for node in row]
