"""Rows with their columns → Layout: how high each row stands, and the wires between."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.draw.cut import Piece
from kbuild.plan.draw.places import Label, Layout, PlacedBox, PlacedFrame, Thing, Wire
from kbuild.plan.draw.scene import Box, Frame
from kbuild.plan.draw.sizes import FOOT, HEAD

_GAP, _LABELLED, _STUB = FOOT, 28.0, 15.0
_SLOPE, _STEEP = 0.12, 46.0
_APART = 16.0

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a hop leaves its upper row and reaches the lower one."""

    hop: Piece
    out: float
    into: float


@dataclass(frozen=True, slots=True)
class _Grid:
    """How the rows stand: of each its upper border, its height, and how far wires go straight down below it."""

    row: Mapping[str, int]
    tops: Sequence[float]
    heights: Sequence[float]
    stubs: Sequence[float]
    things: Mapping[str, Thing]

    def top(self, node: str) -> float:
        """The upper border of what stands in the middle of its row."""
        index = self.row[node]
        return self.tops[index] + (self.heights[index] - self.things[node].height) / 2


def put(
    rows: Rows, found: Sequence[Piece], things: Mapping[str, Thing], middles: Mapping[str, float],
    labels: Mapping[str, str], foot: float | None,
) -> Layout:  # fmt: skip
    """Put rows below each other and join them.

    Args:
        found: pieces from each row to the next.
        middles: where the middle of each node is.
        labels: by box.
        foot: room below the last row of a frame; None is no frame.

    Returns:
        A layout whose width is left open.
    """
    ends = _spread([_ends(hop, things, middles) for hop in found], things)
    grid, height = _grid(rows, ends, things, labels, foot)
    boxes: list[PlacedBox] = []
    frames: list[PlacedFrame] = []
    wires = [_wire(end, grid) for end in ends]
    notes: list[Label] = []
    for node, thing in ((node, things[node]) for row in rows for node in row if node in things):
        x, y = middles[node] - thing.width / 2, grid.top(node)
        if isinstance(thing.content, Frame):
            inner = thing.inside.moved(x, y)
            frames += [PlacedFrame(thing.content, x, y, thing.width, thing.height), *inner.frames]
            boxes += inner.boxes
            wires += inner.wires
            notes += inner.labels
            continue
        boxes.append(PlacedBox(thing.content, x, y, thing.width, thing.height, thing.lines))
        if node in labels:
            notes.append(_label(labels[node], middles[node], y + thing.height + 13, node, ends))
    return Layout(0.0, height, tuple(boxes), tuple(frames), tuple(wires), tuple(notes))


def _grid(
    rows: Rows, ends: Sequence[_Ends], things: Mapping[str, Thing], labels: Mapping[str, str], foot: float | None
) -> tuple[_Grid, float]:
    """The rows, and how high they are together."""
    row = {node: index for index, nodes in enumerate(rows) for node in nodes}
    holds = [[node for node in nodes if node in things] for nodes in rows]
    heights = [max((things[node].height for node in nodes), default=0.0) for nodes in holds]
    labelled = [any(node in labels and isinstance(things[node].content, Box) for node in nodes) for nodes in holds]
    bent: list[float] = [0.0] * len(rows)
    for end in ends:
        bent[row[end.hop.source]] = max(bent[row[end.hop.source]], abs(end.out - end.into))
    stubs = [_STUB if labelled[index] and bent[index] > 1 else 0.0 for index in range(len(rows))]
    tops: list[float] = []
    y = HEAD if foot is not None and holds[0] else 0.0
    for index in range(len(rows)):
        tops.append(y)
        y += heights[index] + stubs[index] + min(_STEEP, _SLOPE * bent[index])
        if holds[index]:
            leaves = index + 1 < len(rows) and not holds[index + 1]
            y += _LABELLED if labelled[index] else _GAP
            y += (foot or 0.0) - FOOT if leaves else 0.0
        elif index == 0:
            y += HEAD
    height = tops[-1] + heights[-1] + (foot or 0.0 if holds[-1] else 0.0)
    return _Grid(row, tops, heights, stubs, things), height


def _wire(end: _Ends, grid: _Grid) -> Wire:
    upper, lower = grid.row[end.hop.source], grid.row[end.hop.target]
    source, target = grid.things.get(end.hop.source), grid.things.get(end.hop.target)
    start = grid.top(end.hop.source) + source.height if source else grid.tops[upper]
    stop = grid.top(end.hop.target) if target else grid.tops[lower]
    turn = grid.tops[upper] + grid.heights[upper] + grid.stubs[upper]
    points = ((end.out, start), (end.out, turn), (end.into, grid.tops[lower]), (end.into, stop))
    arrow = target is not None and isinstance(target.content, Box)
    return Wire(points, arrow, end.hop.source, end.hop.target)


def _label(text: str, x: float, y: float, node: str, ends: Iterable[_Ends]) -> Label:
    """Left of the wire; right of it where all wires go to the left."""
    goes = [end.into - end.out for end in ends if end.hop.source == node]
    is_left = min(goes, default=0.0) >= -2 or max(goes) > 2
    return Label(text, x - 6 if is_left else x + 6, y, is_left)


def _ends(hop: Piece, things: Mapping[str, Thing], middles: Mapping[str, float]) -> _Ends:
    out = things[hop.source].door(hop.tensor, True) if hop.source in things else 0.0
    into = things[hop.target].door(hop.tensor, False) if hop.target in things else 0.0
    return _Ends(hop, middles[hop.source] + out, middles[hop.target] + into)


def _spread(ends: Sequence[_Ends], things: Mapping[str, Thing]) -> list[_Ends]:
    """Several wires into one box end side by side, one that comes straight down in the middle."""
    into: dict[str, list[_Ends]] = {}
    for end in ends:
        into.setdefault(end.hop.target, []).append(end)
    spread: list[_Ends] = []
    for target, several in into.items():
        thing = things.get(target)
        if thing is None or not isinstance(thing.content, Box) or len(several) == 1:
            spread += several
            continue
        several = sorted(several, key=lambda end: end.out)
        straight = [index for index, end in enumerate(several) if abs(end.out - end.into) < 1]
        middle = straight[0] if straight else (len(several) - 1) / 2
        apart = min(_APART, (thing.width / 2 - 10) / len(several))
        spread += [_Ends(e.hop, e.out, e.into + (index - middle) * apart) for index, e in enumerate(several)]
    return spread
