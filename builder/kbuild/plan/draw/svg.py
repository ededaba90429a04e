"""Layout → SVG: one file that needs nothing else, no fonts, no scripts, no style sheets; readable on light and dark."""

from collections.abc import Iterator

from kbuild.plan.cost.cost import Costs
from kbuild.plan.draw import words
from kbuild.plan.draw.colours import FAINT, INK, WIRE, colours
from kbuild.plan.draw.fold import to_depth, to_fit
from kbuild.plan.draw.layout import layout
from kbuild.plan.draw.places import Label, Layout, PlacedBox, PlacedFrame, Wire
from kbuild.plan.draw.scene import scene
from kbuild.plan.draw.sizes import CALL, CARD, LINE, NOTE, PAD, STACK, TITLE, width
from kbuild.plan.draw.tree import tree
from kbuild.plan.plan import Plan

_MARGIN, _CAPTION = 20.0, 34.0
_FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"
_MUTED = "#6b7785"
"""What stands on no box: as far from white as from black."""


def svg(plan: Plan, costs: Costs | None = None, depth: int | None = None) -> str:
    """Draw a network, from above to below.

    Args:
        depth: how many levels of groups are open; None is as many as fit, repeats folded first.

    Returns:
        One `<svg>` element.
    """
    trees = tree(plan)
    fold = to_fit(trees) if depth is None else to_depth(trees, depth)
    return written(layout(scene(plan, costs, fold)), plan.name, _caption(plan, costs))


def written(found: Layout, name: str, caption: str = "") -> str:
    """A layout as SVG."""
    wide = max(found.width, width(name, 15, bold=True), width(caption, NOTE))
    shift = (wide - found.width) / 2
    placed = found.moved(_MARGIN + shift, _MARGIN + _CAPTION)
    total_width, total_height = wide + 2 * _MARGIN, found.height + 2 * _MARGIN + _CAPTION
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(total_width)}" height="{_n(total_height)}" '
        f'viewBox="0 0 {_n(total_width)} {_n(total_height)}" font-family="{_FONTS}" role="img">',
        f"<title>{_safe(name)}</title>",
        _text(_MARGIN, _MARGIN + 6, name, 15, _MUTED, bold=True),
        _text(_MARGIN, _MARGIN + 22, caption, NOTE, _MUTED),
    ]
    for frame in placed.frames:
        lines += _frame(frame)
    lines += [_wire(wire) for wire in placed.wires]
    lines += [_label(label) for label in placed.labels]
    for box in placed.boxes:
        lines += _box(box)
    return "\n".join([*(line for line in lines if line), "</svg>"])


def _caption(plan: Plan, costs: Costs | None) -> str:
    from kbuild.plan.describe import summary

    told = summary(plan)
    if costs is None:
        return told
    params, flops = costs.total.params, costs.total.flops
    return f"{told} · {words.number(params)} parameters · {words.scaled(flops)} FLOPs"


def _frame(placed: PlacedFrame) -> Iterator[str]:
    frame, x, y = placed.frame, placed.x, placed.y
    behind = 2 * STACK if frame.copies > 1 else 0.0
    wide, high = placed.width - behind, placed.height - behind
    for step in (2 * STACK, STACK) if behind else ():
        yield _rect(x + step, y + step, wide, high, 10, f'fill="none" stroke="{_MUTED}" stroke-opacity="0.35"')
    paint = f'fill="{_MUTED}" fill-opacity="0.08" stroke="{_MUTED}" stroke-opacity="0.55"'
    yield _rect(x, y, wide, high, 10, paint)
    yield _text(x + PAD - 4, y + 17, frame.title, TITLE, _MUTED, bold=True)
    yield _text(x + wide - PAD + 4, y + high - 6, frame.note, NOTE, _MUTED, anchor="end")


def _box(placed: PlacedBox) -> Iterator[str]:
    box, x, y, wide = placed.box, placed.x, placed.y, placed.width
    high = placed.height - (2 * CARD if box.kind == "fold" else 0.0)
    paint = colours(box.family)
    colour = f'fill="{paint.fill}" stroke="{paint.line}"'
    yield f"<g><title>{_safe(f'{box.name}: {box.written}, {box.output}')}</title>"
    for step in (2 * CARD, CARD) if box.kind == "fold" else ():
        yield _rect(x + step, y + step, wide, high, 7, f'{colour} stroke-opacity="0.6"')
    yield _rect(x, y, wide, high, high / 2 if box.kind in {"input", "output"} else 7, f'{colour} stroke-width="1.2"')
    for number, line in enumerate(placed.lines):
        yield _call(line, x + 12, y + 17 + LINE * number, first=number == 0)
    low = y + high - 9
    yield _text(x + 12, low, box.about, NOTE, FAINT)
    yield _text(x + wide - 12, low, " · ".join(filter(None, [box.output, box.note])), NOTE, FAINT, anchor="end")
    yield "</g>"


def _rect(x: float, y: float, wide: float, high: float, radius: float, paint: str) -> str:
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}"'
    return f'<rect {place} rx="{_n(radius)}" {paint}/>'


def _call(line: str, x: float, y: float, first: bool) -> str:
    """A line of a call, its name in bold."""
    name, bracket, rest = line.partition("(") if first else ("", "", line)
    bold = f'<tspan font-weight="600">{_safe(name)}</tspan>' if name else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(CALL)}" fill="{INK}">{bold}{_safe(bracket + rest)}</text>'


def _wire(wire: Wire) -> str:
    (x1, y1), (_, y2), (x2, y3), (_, y4) = wire.points
    if x1 == x2:
        path = f"M{_n(x1)} {_n(y1)}V{_n(y4)}"
    else:
        bend = (y3 - y2) / 2
        start = f"M{_n(x1)} {_n(y1)}" + (f"V{_n(y2)}" if y2 > y1 else "")
        curve = f"C{_n(x1)} {_n(y2 + bend)} {_n(x2)} {_n(y3 - bend)} {_n(x2)} {_n(y3)}"
        path = start + curve + (f"V{_n(y4)}" if y4 > y3 else "")
    drawn = f'<path d="{path}" fill="none" stroke="{WIRE}" stroke-width="1.3"/>'
    if wire.arrow:
        drawn += f'<path d="M{_n(x2)} {_n(y4)}l-3.5 -6.5h7z" fill="{WIRE}"/>'
    return drawn


def _label(label: Label) -> str:
    return _text(label.x, label.y, label.text, NOTE, _MUTED, anchor="end" if label.is_left else "")


def _text(x: float, y: float, text: str, size: float, fill: str, bold: bool = False, anchor: str = "") -> str:
    if not text:
        return ""
    more = (' font-weight="600"' if bold else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{fill}"{more}>{_safe(text)}</text>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _safe(text: str) -> str:
    """Text for XML; characters that XML cannot hold are shown as �."""
    from html import escape

    return escape("".join(mark if mark >= " " else "�" for mark in text))
