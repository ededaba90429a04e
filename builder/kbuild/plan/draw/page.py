"""Plan → HTML for a notebook: the table with its groups to be folded by a click, the sums, and the drawing."""

from collections.abc import Iterator, Sequence
from html import escape

from kbuild.plan.cost.cost import Costs
from kbuild.plan.describe import summary
from kbuild.plan.draw import words
from kbuild.plan.draw.rows import Row, rows
from kbuild.plan.draw.svg import svg
from kbuild.plan.draw.totals import totals
from kbuild.plan.field import fields
from kbuild.plan.plan import Plan

MOST_DRAWN = 2_000
_COLUMNS = ("layer", "call", "from", "output", "parameters", "share", "FLOPs", "field")
_STYLE = """
.kbuild{font-size:12px;line-height:1.7;text-align:left;font-variant-numeric:tabular-nums}
.kbuild .row{display:grid;grid-template-columns:3fr 3fr 2fr 2fr 7em 5em 5em 4em;gap:0 1em}
.kbuild .row span{overflow-wrap:anywhere}
.kbuild .row span:first-child{padding-left:calc(var(--level)*1.1em + 1.1em)}
.kbuild .row span:nth-child(n+5){text-align:right;white-space:nowrap}
.kbuild .head{border-bottom:1px solid #8886;font-weight:600}
.kbuild summary{cursor:pointer;list-style:none}
.kbuild summary::-webkit-details-marker{display:none}
.kbuild summary.row span:first-child{font-weight:600;padding-left:calc(var(--level)*1.1em)}
.kbuild summary.row span:first-child::before,.kbuild .draw::before{content:"▸";display:inline-block;width:1.1em}
.kbuild details[open]>summary.row span:first-child::before,.kbuild details[open]>.draw::before{content:"▾"}
.kbuild .row:hover{background:#8882}
"""


def page(plan: Plan, costs: Costs) -> str:
    """A plan as HTML that needs nothing else. A network of more than 2,000 steps is not drawn."""
    head = "".join(f"<span>{name}</span>" for name in _COLUMNS)
    table = "".join(_lines(rows(plan, costs, fields=fields(plan)), 0))
    told = "".join(f"<div>{escape(line)}</div>" for line in totals(plan, costs))
    drawing = ""
    if len(plan.steps) <= MOST_DRAWN:
        drawing = f'<details><summary class="draw">drawing</summary>{svg(plan, costs)}</details>'
    return (
        f'<div class="kbuild"><style>{_STYLE}</style><div><b>{escape(plan.name)}</b>: {escape(summary(plan))}</div>'
        f'<div class="row head" style="--level:0">{head}</div>{table}{told}{drawing}</div>'
    )


def _lines(found: Sequence[Row], level: int) -> Iterator[str]:
    """Rows as HTML, those of a group inside its `<details>`."""
    index = 0
    while index < len(found):
        row = found[index]
        index += 1
        start = index
        while index < len(found) and len(found[index].gutter) > len(row.gutter):
            index += 1
        if not row.is_open:
            yield f'<div class="row" style="--level:{level}">{_cells(row)}</div>'
            continue
        inside = "".join(_lines(found[start:index], level + 1))
        yield f'<details><summary class="row" style="--level:{level}">{_cells(row)}</summary>{inside}</details>'


def _cells(row: Row) -> str:
    numbers = [words.number(row.cost.params), row.share, words.scaled(row.cost.flops)] if row.cost else ["", "", ""]
    cells = (row.name, row.call, row.source, row.output, *numbers, row.field)
    return "".join(f"<span>{escape(cell)}</span>" for cell in cells)
