"""(Plan, Costs) → rows, a layer or a folded group each → text in aligned columns."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.draw import words
from kbuild.plan.draw.fold import Fold, to_depth
from kbuild.plan.draw.tree import Tree, tree
from kbuild.plan.draw.wires import Wires, wires
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Step

WIDTH = 120
ABOVE = "↑"
_WANTED = {"layer": 32, "call": 20, "from": 16, "output": 14}
_LEAST = {"layer": 14, "call": 14, "from": 9, "output": 9}
_RIGHT = frozenset({"parameters", "FLOPs", "share", "field"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        kind: `input`, `step`, or that of a group.
        source: the names of what goes into it; an arrow for what the row above gives: most rows have one, and the
            others are what is to be seen.
        gutter: the lines of the tree before the name: `│ ├ `.
        below: the same where the row goes on below itself: `│ │ `.
        path: where in the spec; that of its first step for a group.
        is_open: whether what is in it follows.
        cost: None where nothing is asked; a group's is the sum.
        share: of all parameters: `12.3 %`.
        field: the receptive field, in pixels of the input: `7`, `3×5`.
    """

    kind: str
    name: str
    call: str
    source: str
    output: str
    path: str = ""
    gutter: str = ""
    below: str = ""
    is_open: bool = False
    cost: Cost | None = None
    share: str = ""
    field: str = ""


def rows(
    plan: Plan, costs: Costs | None = None, depth: int | None = None, fields: Mapping[str, str] | None = None
) -> list[Row]:
    """A row for each input, each step and each group.

    Args:
        depth: how many levels of groups are open, 0 the top alone; None all.
        fields: receptive fields by step, as text.
    """
    trees = tree(plan)
    made = _Rows(plan, costs, to_depth(trees, depth), fields or {}, wires(plan))
    shown = [Row("input", entry.name, "Input", "", words.shape(entry.shape)) for entry in plan.inputs]
    before = (0, shown[-1].name)
    for row, gives in made.level(trees, 0, ""):
        shown.append(replace(row, source=ABOVE) if row.source and (gives[0], row.source) == before else row)
        before = gives
    return shown


@dataclass(frozen=True, slots=True)
class _Rows:
    """What rows are made of."""

    plan: Plan
    costs: Costs | None
    fold: Fold
    fields: Mapping[str, str]
    wires: Wires

    def level(self, items: Sequence[Tree], level: int, before: str) -> Iterator[tuple[Row, tuple[int, str]]]:
        """The rows of what stands side by side, with what is in them; each with its level and what its neighbours
        call it."""
        for index, item in enumerate(items):
            last = index == len(items) - 1
            here, below = (before + ("└ " if last else "├ "), before + ("  " if last else "│ ")) if level else ("", "")
            if item.is_step:
                yield self.step(item, here, below), (level, item.name)
                continue
            is_open = item.key not in self.fold.closed
            yield self.group(item, here, below, is_open), (level, "" if is_open else item.name)
            if is_open:
                yield from self.level(item.items, level + 1, below)

    def step(self, item: Tree, gutter: str, below: str) -> Row:
        step = item.steps[0]
        call = words.short(step.call) + (" again" if step.layer != step.name else "")
        cost = self.costs.steps.get(step.name) if self.costs else None
        source = ", ".join(dict.fromkeys(self.wires.name(ref, step) for ref in tensors(step)))
        output = words.shapes(step.shapes)
        field = self.fields.get(step.name, "")
        share = self.share(cost)
        return Row("step", item.name, call, source, output, step.path, gutter, below, False, cost, share, field)

    def group(self, item: Tree, gutter: str, below: str, is_open: bool) -> Row:
        cost = total(self.costs, item.steps) if self.costs else None
        source = ", ".join(self.wires.entering(item.steps))
        output = ", ".join(words.shape(self.plan.shape(ref)) for ref in self.wires.outgoing(item.steps))
        path, share = item.steps[0].path, self.share(cost)
        return Row(item.kind, item.title, item.label, source, output, path, gutter, below, is_open, cost, share)

    def share(self, cost: Cost | None) -> str:
        return words.share(cost.params, self.costs.total.params) if cost and self.costs else ""


def total(costs: Costs, steps: Collection[Step]) -> Cost:
    """What some steps cost together; None in it where that of one is not known."""
    cost = Cost()
    for step in steps:
        cost += costs.steps.get(step.name, Cost(None, None, None, None))
    return cost


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
    for least in (_WANTED, _LEAST):
        while spare < 0 and (wide := [i for i, c in enumerate(columns) if c in least and widths[i] > least[c]]):
            widths[max(wide, key=lambda i: widths[i] - least[columns[i]])] -= 1
            spare += 1
    return widths


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
    """Text in lines of at most `width` characters, broken at spaces, else after `-`, `_` or a bracket."""
    lines: list[str] = []
    while len(text) > width:
        at = text.rfind(" ", 1, width + 1)
        if at < width // 3:
            at = max((text.rfind(mark, 1, width) + 1 for mark in "-_,(["), default=0)
        if at < width // 3 or at <= 0:
            at = width
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]
