"""Plan → HTML for a notebook: the table with its groups to be folded by a click, the sums, and the drawing."""

from collections.abc import Iterator, Sequence
from html import escape

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.describe import summary
from kbuild.plan.draw import words
from kbuild.plan.draw.svg import svg
from kbuild.plan.draw.table import Row, rows
from kbuild.plan.draw.totals import totals
from kbuild.plan.plan import Plan

_MOST_DRAWN = 2_000
_GRID = "display:grid;grid-template-columns:minmax(10em,2fr) minmax(12em,3fr) minmax(8em,2fr) 9em 8em 5em 5em;gap:0 1em"
_HEADING = "display:inline-block;width:calc(100% - 1.4em);vertical-align:top"
_INSIDE = "border-left:1px solid #8884;margin-left:-.8em;padding-left:.4em"
_SUMMARY = "cursor:pointer;list-style-position:outside"


def page(plan: Plan, costs: Costs) -> str:
    """A plan as HTML that needs nothing else.

    A network of more than 2,000 steps is not drawn: the table says more of it.
    """
    found = rows(plan, costs)
    told = "".join(f"<div>{escape(line)}</div>" for line in totals(plan, costs))
    drawn = svg(plan, costs) if len(plan.steps) <= _MOST_DRAWN else ""
    picture = f'<details><summary style="{_SUMMARY}">drawing</summary>{drawn}</details>' if drawn else ""
    head = "".join(f"<b>{name}</b>" for name in ("layer", "call", "from", "output", "parameters", "share", "FLOPs"))
    return (
        '<div style="font-size:12px;line-height:1.6;font-variant-numeric:tabular-nums;text-align:left">'
        f"<div><b>{escape(plan.name)}</b>: {escape(summary(plan))}</div>"
        f'<div style="{_GRID};margin-left:1.2em">{head}</div>{"".join(_lines(found, 0))}{told}{picture}</div>'
    )


def _lines(found: Sequence[Row], level: int) -> Iterator[str]:
    """Rows as HTML, those of a group inside its `<details>`."""
    index = 0
    while index < len(found):
        row = found[index]
        index += 1
        if not row.is_open:
            yield f'<div style="margin-left:1.2em">{_cells(row)}</div>'
            continue
        start = index
        while index < len(found) and len(found[index].gutter) > len(row.gutter):
            index += 1
        inside = "".join(_lines(found[start:index], level + 1))
        opened = " open" if level == 0 and index - start <= 12 else ""
        yield (
            f'<details{opened} style="margin-left:1.2em"><summary style="{_SUMMARY};margin-left:-1.2em">'
            f'<div style="{_HEADING}">{_cells(row)}</div></summary><div style="{_INSIDE}">{inside}</div></details>'
        )


def _cells(row: Row) -> str:
    cost = row.cost or Cost()
    numbers = [words.number(cost.params), row.share, words.scaled(cost.flops)] if row.cost else ["", "", ""]
    name = escape(row.name) if row.kind in {"input", "step"} else f"<b>{escape(row.name)}</b>"
    cells = [name, *(escape(cell) for cell in (row.call, row.source, row.output, *numbers))]
    return f'<div style="{_GRID}">' + "".join(f"<span>{cell}</span>" for cell in cells) + "</div>"
