"""Scene → Cut: every edge in pieces, cut where it goes through the border of a frame, and rows between them filled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.draw.scene import Edge, Frame, Item, Scene

Path = tuple[str, ...]
"""The keys of the frames around a place, outermost first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an edge inside one frame: from a thing or a door to a thing or a door."""

    source: str
    target: str
    tensor: str
    """The box that the edge leaves: the name of its doors."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The pieces by the frame that they run in, and the labels of the boxes that they leave."""

    pieces: Mapping[Path, Sequence[Piece]]
    labels: Mapping[str, str]


def cut(scene: Scene) -> Cut:
    """Cut all edges of a scene."""
    paths = dict(_paths(scene.items, ()))
    pieces: dict[Path, dict[Piece, None]] = {}
    labels: dict[str, str] = {}
    for edge in scene.edges:
        for path, piece in _through(edge, paths):
            pieces.setdefault(path, {})[piece] = None
        if edge.label and edge.label not in labels.get(edge.source, ""):
            labels[edge.source] = ", ".join(filter(None, (labels.get(edge.source), edge.label)))
    return Cut({path: list(some) for path, some in pieces.items()}, labels)


def _paths(items: Sequence[Item], path: Path) -> Iterator[tuple[str, Path]]:
    for item in items:
        if isinstance(item, Frame):
            yield from _paths(item.items, (*path, item.key))
        else:
            yield item.key, path


def _through(edge: Edge, paths: Mapping[str, Path]) -> Iterator[tuple[Path, Piece]]:
    """An edge, cut where it goes through the border of a frame."""
    start, end = paths[edge.source], paths[edge.target]
    common = 0
    while common < min(len(start), len(end)) and start[common] == end[common]:
        common += 1
    out, into = f"out {edge.source}", f"in {edge.source}"
    for level in range(len(start), common, -1):
        inner = edge.source if level == len(start) else start[level]
        yield start[:level], Piece(inner, out, edge.source)
    source = start[common] if len(start) > common else edge.source
    target = end[common] if len(end) > common else edge.target
    yield start[:common], Piece(source, target, edge.source)
    for level in range(common + 1, len(end) + 1):
        inner = edge.target if level == len(end) else end[level]
        yield end[:level], Piece(into, inner, edge.source)


def hops(pieces: Sequence[Piece], rank: Mapping[str, int]) -> tuple[list[Piece], dict[str, int]]:
    """Pieces that go one row down each; edges of one tensor share their bends."""
    found: dict[Piece, None] = {}
    bends: dict[str, int] = {}
    for piece in pieces:
        before = piece.source
        for row in range(rank[piece.source] + 1, rank[piece.target]):
            bend = f"bend {piece.source} {piece.tensor} {row}"
            bends[bend] = row
            found[Piece(before, bend, piece.tensor)] = None
            before = bend
        found[Piece(before, piece.target, piece.tensor)] = None
    return list(found), bends
