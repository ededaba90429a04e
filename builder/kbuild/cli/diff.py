"""diff: what changed between two specs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import DataRoots, Debug, Json, Quiet, Trust

if TYPE_CHECKING:
    from kbuild.plan.check import Checked
    from kbuild.plan.diff.page import Part

Before = Annotated[str, typer.Argument(metavar="A", help="A file, kbuild:NAME for a shipped spec, or a run directory.")]
After = Annotated[str, typer.Argument(metavar="B", help="The other one.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change B, as in --set train.epochs=5. May be repeated."),
]
LONGEST = 40
_STYLES = {"+": "green", "-": "red", "~": "yellow"}


def diff(
    a: Before,
    b: After,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Show what changed between two specs: layers, shapes, cost."""
    from kbuild.cli.output import say, say_json
    from kbuild.plan.diff import diff as compare
    from kbuild.plan.diff.json import as_json as plain
    from kbuild.plan.diff.page import headline, parts

    found = compare(_checked(a, (), data_roots, trust), _checked(b, sets or (), data_roots, trust))
    if as_json:
        say_json(plain(found))
        return
    if not quiet:
        say(f"{a} → {b}{''.join(f' --set {one}' for one in sets or ())}")
    say(headline(found))
    for part in parts(found):
        say()
        say(_drawn(part))


def _checked(name: str, sets: "list[str] | tuple[()]", roots: list[Path] | None, trust: bool) -> "Checked":
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    own = Path(name) / "spec.yaml"
    return check(load(str(own) if own.is_file() else name, sets=sets, data_roots=roots or (), trust=trust))


def _drawn(part: "Part") -> str:
    """A table as wide as the terminal, what was added green, removed red, changed yellow."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kbuild.plan.diff.page import RIGHT

    color = _colored()
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    console = Console(
        width=width,
        highlight=False,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(part.columns), header_style="bold")
    for column in part.columns:
        # a name is read as one word
        whole = column in RIGHT or (column == "layer" and max(len(row[1]) for row in part.rows) <= LONGEST)
        table.add_column(column, overflow="fold", no_wrap=whole, justify="right" if column in RIGHT else "left")
    for mark, *cells in part.rows:
        style = _STYLES.get(mark, "")
        table.add_row(Text(mark, style), Text(cells[0], style), *map(Text, cells[1:]))
    with console.capture() as printed:
        console.print(Text(part.title, "bold"))
        console.print(table)
    return "\n".join(line.rstrip() for line in printed.get().rstrip("\n").split("\n"))


def _colored() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
