"""Scene → Layout: every box, frame and wire with its place. A frame is laid out by itself and then stands in the frame
around it like a box, with doors at its upper and lower border where wires go through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.draw.columns import Link, columns
from kbuild.plan.draw.cut import Cut, Path, Piece, cut, hops
from kbuild.plan.draw.order import ordered
from kbuild.plan.draw.places import Layout, Thing
from kbuild.plan.draw.ranks import ranks
from kbuild.plan.draw.route import put
from kbuild.plan.draw.scene import Frame, Item, Scene
from kbuild.plan.draw.sizes import CALL, CARD, FOOT, LINE, NOTE, PAD, STACK, TITLE, width

_LEAST_WIDTH, _MOST_WIDTH = 132.0, 320.0
_BETWEEN, _BEND = 16.0, 6.0


def layout(scene: Scene) -> Layout:
    """Give everything in a scene its place."""
    return _inside((), scene.items, cut(scene)).layout


@dataclass(frozen=True, slots=True)
class _Inside:
    layout: Layout
    ins: Mapping[str, float]
    outs: Mapping[str, float]


def _inside(path: Path, items: Sequence[Item], edges: Cut, behind: float = 0.0) -> _Inside:
    """What is in a frame, and where its doors are.

    Args:
        behind: room for the cards of a stack, on the right and below.
    """
    things = {item.key: _thing(path, item, edges) for item in items}
    pieces = edges.pieces.get(path, ())
    ins = list(dict.fromkeys(p.source for p in pieces if p.source not in things))
    outs = list(dict.fromkeys(p.target for p in pieces if p.target not in things))
    nodes = [*ins, *things, *outs]
    rank = ranks(nodes, [(p.source, p.target) for p in pieces], ins, outs)
    found, bends = hops(pieces, rank)
    rows: list[list[str]] = [[] for _ in range(1 + max(rank.values(), default=0))]
    for node, row in [*((node, rank[node]) for node in nodes), *bends.items()]:
        rows[row].append(node)
    below: dict[str, list[str]] = {}
    for hop in found:
        below.setdefault(hop.source, []).append(hop.target)
    rows = ordered(rows, below)
    widths = {node: things[node].width if node in things else _BEND for row in rows for node in row}
    links = [_link(hop, things) for hop in found]
    middles = columns(rows, links, widths, [*bends, *ins, *outs], _BETWEEN)
    left = min(middles[node] - widths[node] / 2 for row in rows for node in row)
    shift = (PAD if path else 0.0) - left
    middles = {node: round(middle + shift, 1) for node, middle in middles.items()}
    wide = max(middles[node] + widths[node] / 2 for row in rows for node in row) + (PAD + behind if path else 0.0)
    placed = put(rows, found, things, middles, edges.labels, FOOT + behind if path else None)
    return _Inside(
        Layout(round(wide, 1), placed.height, placed.boxes, placed.frames, placed.wires, placed.labels),
        {door.removeprefix("in "): middles[door] for door in ins},
        {door.removeprefix("out "): middles[door] for door in outs},
    )


def _thing(path: Path, item: Item, edges: Cut) -> Thing:
    if isinstance(item, Frame):
        inside = _inside((*path, item.key), item.items, edges, 2 * STACK if item.copies > 1 else 0.0)
        return _titled(inside, item)
    lines = _broken(item.written, _MOST_WIDTH - 24)
    note = f"{item.about}   {item.output} · {item.note}"
    wide = max(*(width(line, CALL, bold=True) for line in lines), width(note, NOTE) + 8) + 24
    high = 25 + LINE * len(lines) + (2 * CARD if item.kind == "fold" else 0.0)
    return Thing(round(max(wide, _LEAST_WIDTH)), high, item, lines)


def _titled(inside: _Inside, frame: Frame) -> Thing:
    """A frame, so wide that its title stands left of the first wire in, and its note right of the last one out."""
    room = 2 * PAD + width(frame.title, TITLE, bold=True)
    note = 2 * PAD + width(frame.note, NOTE)
    wide = inside.layout.width
    shift = max(0.0, room - min(inside.ins.values(), default=room), note - wide + max(inside.outs.values(), default=0))
    shift = float(round(shift))
    layout = inside.layout.moved(shift, 0)
    return Thing(
        layout.width + 2 * shift,
        layout.height,
        frame,
        inside=layout,
        ins={door: x + shift for door, x in inside.ins.items()},
        outs={door: x + shift for door, x in inside.outs.items()},
    )


def _broken(text: str, room: float) -> tuple[str, ...]:
    """A call in lines, broken after commas."""
    lines: list[str] = []
    line = ""
    for part in text.replace(", ", ",\0 ").split("\0"):
        if line and width(line + part, CALL, bold=True) > room:
            lines.append(line)
            line = part.strip()
        else:
            line += part
    return (*lines, line)


def _link(hop: Piece, things: Mapping[str, Thing]) -> Link:
    out = things[hop.source].door(hop.tensor, True) if hop.source in things else 0.0
    into = things[hop.target].door(hop.tensor, False) if hop.target in things else 0.0
    return Link(hop.source, hop.target, out, into)
