"""schema: the format as JSON Schema, so that an editor completes and underlines."""

from pathlib import Path
from typing import Annotated

import typer

from kbuild.cli.options import Debug, Quiet, Trust

File = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it to this file.")]
Use = Annotated[
    list[Path] | None,
    typer.Option("--use", metavar="FILE", help="With the classes of a file of your own. May be repeated."),
]


def schema(out: File = None, use: Use = None, trust: Trust = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Print the JSON Schema of specs, for editors."""
    from kbuild.cli.output import say

    if out is None:
        say(written(use or (), trust))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    # an editor that reads it while it is written must not see half of it
    new = out.with_name(f".{out.name}.new")
    new.write_text(written(use or (), trust) + "\n", encoding="utf-8")
    new.replace(out)
    if not quiet:
        say(str(out))


def written(use: list[Path] | tuple[Path, ...] = (), trust: bool = False) -> str:
    """The schema of what is installed.

    Args:
        use: files of own code, whose classes join every namespace.
        trust: with the calls that run code.

    Raises:
        SpecError: K108 if a file of own code cannot be read.
    """
    from kbuild.data.named import BUILT_IN, PUBLIC
    from kbuild.spec.schema import schema as made
    from kbuild.spec.schema import text
    from kbuild.spec.signature import from_file

    own = [found for path in use for found in from_file(path)]
    return text(made((*BUILT_IN, *PUBLIC), own, trust or bool(use)))
