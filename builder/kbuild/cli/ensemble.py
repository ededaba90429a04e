"""ensemble: several runs become one model."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kbuild.cli.options import BackendOption, Debug, Json, Out, Quiet, Trust

if TYPE_CHECKING:
    from kbuild.train.run import Run

Runs = Annotated[list[Path], typer.Argument(metavar="RUN", help="Runs, a set of them, or with --top a study.")]
How = Annotated[
    Literal["average", "vote", "stack"], typer.Option("--how", help="How the answers of the members become one.")
]
Top = Annotated[int | None, typer.Option("--top", metavar="N", min=2, help="Of a study, its N best trials.")]


def ensemble(
    runs: Runs,
    how: How = "average",
    top: Top = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Make one model of several runs, and measure it beside them."""
    from kbuild.api import ensemble as join
    from kbuild.cli.output import say_json
    from kbuild.train.progress import reporter
    from kbuild.train.rundir import info

    command = ("kbuild", *sys.argv[1:])
    made = join(
        runs, how, top=top, out=out, backend=backend, trust=trust, command=command, report=reporter(quiet or as_json)
    )
    said = info(made.path)
    if as_json:
        keys = ("how", "held", "metrics", "test", "parameters", "of")
        say_json({"run": str(made.path), **{key: said[key] for key in keys}})
    elif not quiet:
        _table(made, said)


def _table(made: "Run", said: dict[str, object]) -> None:
    """The members and the ensemble side by side, on the parts that are new to all of them."""
    from kbuild.cli.output import number, say, show_table

    members: list[dict] = said["of"]  # pyright: ignore[reportAssignmentType]
    columns = [(part, name) for part in members[0] if part in ("validation", "test") for name in members[0][part]]
    whole = {"validation": {name.removeprefix("val_"): value for name, value in made.metrics.items()}}
    whole["test"] = dict(made.test)
    if columns:
        rows = [[str(one["run"]), *(number(one[part][name]) for part, name in columns)] for one in members]
        rows.append([str(said["how"]), *(number(whole[part][name]) for part, name in columns)])
        titles = [f"{part} {name}" for part, name in columns]
        show_table(["", *titles], rows, right=titles)
    else:
        say("no part of the data is new to all members, so there is nothing to measure on")
    say(f"run:  {made.path}")
    say(f"next: kbuild evaluate {made.path} · kbuild predict {made.path} INPUT")
