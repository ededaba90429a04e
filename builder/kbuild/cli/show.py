"""show: the expanded network: a table of its layers, a diagram, a drawing."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import BackendOption, Build, DataRoots, Debug, Json, OneSpec, Quiet, Sets, Trust

if TYPE_CHECKING:
    from kbuild.model.verify import Measured
    from kbuild.plan.check import Checked
    from kbuild.plan.cost import Costs
    from kbuild.plan.draw.table import Paint
    from kbuild.plan.plan import Plan

Fold = Annotated[bool, typer.Option("--fold", help="A row for each entry of the model: blocks and repeats folded.")]
Depth = Annotated[
    int | None, typer.Option("--depth", metavar="N", min=0, help="Open N levels of blocks and repeats; 0 is --fold.")
]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")]
Svg = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw the network; - is standard output.")]
_STYLES = {"head": "1", "group": "1", "gutter": "2", "dim": "2", "unknown": "33"}


def show(
    spec: OneSpec,
    fold: Fold = False,
    depth: Depth = None,
    mermaid: Mermaid = False,
    svg: Svg = None,
    build: Build = False,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Show the expanded network, layer by layer."""
    from kbuild.cli.check import checked
    from kbuild.cli.output import say, say_json, tell
    from kbuild.spec.load import load

    if (fold and depth is not None) or [as_json, mermaid, svg is not None].count(True) > 1:
        both = "`--fold` and `--depth`" if fold and depth is not None else "`--json`, `--mermaid` and `--svg`"
        raise typer.BadParameter(f"{both} exclude each other")
    levels = 0 if fold else depth
    found, measured = checked(load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust), build, backend)
    plan, costs = _known(found, measured)
    if as_json:
        say_json(_json(plan, costs))
        return
    problems = [p for p in (*found.problems, *(measured.problems if measured else ())) if p.severity != "hint"]
    if not quiet:
        tell(problems)
    if mermaid:
        from kbuild.plan.draw.mermaid import flowchart

        say(flowchart(plan, levels))
    elif svg is not None:
        _draw(plan, costs, levels, svg, quiet)
    else:
        _table(found, plan, costs, levels, measured is not None)


def _known(found: "Checked", measured: "Measured | None") -> "tuple[Plan, Costs]":
    """What kbuild knows of a network, and Keras's numbers where it does not."""
    if measured is None:
        return found.plan, found.costs
    from kbuild.plan.cost import Cost, Costs, costs

    known = costs(measured.plan)
    steps = dict(known.steps)
    for name, params in measured.params.items():
        learned = measured.learned[name]
        if steps[name].params is None:
            steps[name] = Cost(learned, params - learned, steps[name].flops, steps[name].kept)
    frozen = measured.total - measured.trainable
    return measured.plan, Costs(steps, Cost(measured.trainable, frozen, known.total.flops, known.total.kept))


def _json(plan: "Plan", costs: "Costs") -> dict[str, object]:
    from kbuild.plan.describe import as_json

    total = costs.total
    return {
        **as_json(plan, costs),
        "totals": {"params": total.params, "trainable": total.trainable, "flops": total.flops},
    }


def _draw(plan: "Plan", costs: "Costs", depth: int | None, file: Path, quiet: bool) -> None:
    from kbuild.cli.output import say
    from kbuild.plan.draw.svg import svg

    text = svg(plan, costs, depth)
    if str(file) == "-":
        say(text)
        return
    file.write_text(text + "\n", encoding="utf-8")
    if not quiet:
        say(f"{file}: {plan.name}")


def _table(found: "Checked", plan: "Plan", costs: "Costs", depth: int | None, is_built: bool) -> None:
    from kbuild.cli.output import say
    from kbuild.plan.describe import summary
    from kbuild.plan.draw.rows import rows
    from kbuild.plan.draw.table import aligned
    from kbuild.plan.draw.totals import totals
    from kbuild.plan.field import fields

    batch = found.spec.data.batch_size if found.spec.data else 1
    say(aligned(rows(plan, costs, depth, fields(plan)), _width(), _paint()))
    say()
    say(f"{plan.name}: {summary(plan)}")
    for line in totals(plan, costs, found.spec.train, batch, is_built, found.phases):
        say(line)
    for head in found.heads:
        if head.why:
            say(f"output {head.output}: {head.why}")


def _width() -> int:
    """Columns of the terminal, or of what COLUMNS says; 120 where the table goes into a file."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 120
    import shutil

    return shutil.get_terminal_size((120, 24)).columns


def _paint() -> "Paint | None":
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return None
    return lambda text, what: f"\033[{_STYLES[what]}m{text}\033[0m" if what and text.strip() else text
