"""show: the expanded network, a line for each layer."""

from typing import TYPE_CHECKING

from kbuild.cli.options import BackendOption, Build, DataRoots, Debug, Json, OneSpec, Quiet, Sets, Trust

if TYPE_CHECKING:
    from kbuild.model.verify import Measured
    from kbuild.plan.check import Checked


def show(
    spec: OneSpec,
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
    from kbuild.cli.output import say_json, tell
    from kbuild.spec.load import load

    found, measured = checked(load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust), build, backend)
    problems = [p for p in (*found.problems, *(measured.problems if measured else ())) if p.severity != "hint"]
    if as_json:
        say_json(_json(found, measured))
        return
    if not quiet:
        tell(problems)
    _table(found, measured)


def _json(found: "Checked", measured: "Measured | None") -> dict[str, object]:
    from kbuild.plan.describe import as_json

    plan = measured.plan if measured else found.plan
    totals = {
        "params": measured.total if measured else None,
        "trainable": measured.trainable if measured else None,
        "flops": None,
    }
    return {**as_json(plan, measured.params if measured else None), "totals": totals}


def _table(found: "Checked", measured: "Measured | None") -> None:
    from kbuild.cli.output import say, show_table
    from kbuild.plan.describe import rows, summary

    plan = measured.plan if measured else found.plan
    columns = ["layer", "call", "from", "output", *(["parameters"] if measured else [])]
    cells = []
    for row in rows(plan):
        params = measured.params.get(row.name) if measured else None
        cells.append(
            [row.name, row.call, row.source, row.output, *([f"{params:,}" if params else ""] if measured else [])]
        )
    show_table(columns, cells, right=["parameters"])
    say()
    say(f"{plan.name}: {summary(plan)}")
    if measured:
        say(f"{measured.total:,} parameters, {measured.trainable:,} of them trainable")
    for head in found.heads:
        if head.why:
            say(f"output {head.output}: {head.why}")
