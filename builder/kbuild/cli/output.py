"""Values → standard output, problems → standard error."""

import json
import os
import sys
from collections.abc import Iterable, Sequence

from kbuild.text.problem import Problem


def say(text: str = "") -> None:
    """A line on standard output."""
    print(text, flush=True)


def say_json(value: object) -> None:
    """One JSON value on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False), flush=True)


def tell(problems: Iterable[Problem]) -> None:
    """Problems on standard error, with colours on a terminal."""
    from kbuild.text.render import full

    shown = tuple(problems)
    if shown:
        color = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        print(full(shown, color), file=sys.stderr, flush=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table as wide as the terminal; cells fold where it is narrow. Columns named in `right` are numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else 120, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    with console.capture() as printed:
        console.print(table)
    say("\n".join(line.rstrip() for line in printed.get().rstrip("\n").split("\n")))


def mean_and_sd(mean: float | None, sd: float | None) -> str:
    """`0.9600 ± 0.0123`; the mean alone where there is no deviation."""
    if mean is None:
        return "-"
    return number(mean) if sd is None else f"{number(mean)} ± {number(sd)}"


def number(value: object) -> str:
    """A measure as a person reads it."""
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
    return str(value)
