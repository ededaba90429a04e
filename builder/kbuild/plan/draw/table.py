"""Rows → text in aligned columns, as wide as a terminal."""

import re
from collections.abc import Callable, Iterator, Sequence

from kbuild.plan.draw import words
from kbuild.plan.draw.rows import Row

WIDTH = 120
_WANTED = {"layer": 32, "call": 20, "from": 16, "output": 14}
_LEAST = {"layer": 14, "call": 14, "from": 9, "output": 9}
_BREAK = re.compile(r"(?<=[-_,(\[])|(?= )|(?<=[a-z0-9])(?=[A-Z])")
_SHAPES = re.compile(r"(?<=\),) ")
_RIGHT = frozenset({"parameters", "FLOPs", "share", "field"})

Paint = Callable[[str, str], str]
"""(text, what it is) → the same text, with colour. What it is: `head`, `gutter`, `group`, `unknown`, `dim`, `""`."""


def aligned(found: Sequence[Row], width: int = WIDTH, paint: Paint | None = None) -> str:
    """Rows as text in columns. A cell too long for its column goes on in the line below; nothing is cut off.

    Args:
        width: characters a line, at least; a table that cannot be as narrow is as narrow as it can be.
    """
    color: Paint = paint or (lambda text, what: text)
    columns = _columns(found)
    cells = [[_cell(row, column) for column in columns] for row in found]
    widths = _widths(columns, found, cells, width)
    lines = ["  ".join(_padded(c, n, c in _RIGHT) for c, n in zip(columns, widths, strict=True)).rstrip()]
    lines = [color(lines[0], "head")]
    for row, line in zip(found, cells, strict=True):
        lines += _lines(row, line, columns, widths, color)
    return "\n".join(lines)


def _columns(found: Sequence[Row]) -> list[str]:
    columns = ["layer", "call", "from", "output"]
    if any(row.cost for row in found):
        columns += ["parameters", "share", "FLOPs"]
    return [*columns, "field"] if any(row.field for row in found) else columns


def _cell(row: Row, column: str) -> str:
    match column:
        case "layer":
            mark = "" if row.kind in {"input", "step"} or row.is_open else "▸ "
            return mark + row.name
        case "call":
            return row.call
        case "from":
            return row.source
        case "output":
            return row.output
        case "field":
            return row.field
        case "share":
            return row.share
    if row.cost is None:
        return ""
    return words.number(row.cost.params) if column == "parameters" else words.scaled(row.cost.flops)


def _widths(columns: list[str], found: Sequence[Row], cells: list[list[str]], width: int) -> list[int]:
    widths = [max(len(c), *(len(line[i]) for line in cells)) for i, c in enumerate(columns)] if cells else [8] * 8
    widths[0] = max(len("layer"), *(len(row.gutter) + len(line[0]) for row, line in zip(found, cells, strict=True)))
    spare = width - sum(widths) - 2 * (len(columns) - 1)
    for least in (_WANTED, _pieces(columns, found, cells), _LEAST):
        while spare < 0 and (wide := [i for i, c in enumerate(columns) if c in least and widths[i] > least[c]]):
            widths[max(wide, key=lambda i: widths[i] - least[columns[i]])] -= 1
            spare += 1
    return widths


def _pieces(columns: list[str], found: Sequence[Row], cells: list[list[str]]) -> dict[str, int]:
    """How wide a column must be so that no word in it is torn."""
    longest: dict[str, int] = {}
    for index, column in enumerate(columns):
        if column in _LEAST:
            before = [len(row.gutter) if index == 0 else 0 for row in found]
            words_in = zip(before, (line[index] for line in cells), strict=True)
            parts = _SHAPES if column == "output" else _BREAK
            longest[column] = max(gutter + max(map(len, parts.split(cell))) for gutter, cell in words_in)
    return longest


def _lines(row: Row, cells: list[str], columns: list[str], widths: list[int], color: Paint) -> Iterator[str]:
    parts = [
        wrapped(cell, max(room - len(row.gutter), 4) if c == "layer" else room) if c in _LEAST else [cell]
        for c, cell, room in zip(columns, cells, widths, strict=True)
    ]
    for number in range(max(len(part) for part in parts)):
        line = ""
        for index, (column, part, room) in enumerate(zip(columns, parts, widths, strict=True)):
            text = part[number] if number < len(part) else ""
            gutter = (row.below if number else row.gutter) if index == 0 else ""
            padded = _padded(text, room - len(gutter), column in _RIGHT)
            what = "unknown" if text == words.UNKNOWN else "group" if index == 0 and row.kind not in _PLAIN else ""
            what = "dim" if not what and row.kind not in _PLAIN and column in {"call", "from", "output"} else what
            line += color(gutter, "gutter") + color(padded, what) + ("" if index == len(columns) - 1 else "  ")
        yield line.rstrip()


_PLAIN = frozenset({"input", "step"})


def _padded(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` characters, broken at spaces, else inside a name, else anywhere."""
    lines: list[str] = []
    while len(text) > width:
        at = text.rfind(" ", 1, width + 1)
        if at < width // 3:
            at = max((m.start() for m in _BREAK.finditer(text) if m.start() <= width), default=0)
        at = at if at > 0 else width
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]
