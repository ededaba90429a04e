"""new: a spec to start from, for a data set."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from kbuild.spec.spec import Spec
    from kbuild.text.problem import SpecError

Source = Annotated[
    str | None,
    typer.Option("--data", metavar="SOURCE", help="A data set's name, an npz, csv or parquet file, or a folder."),
]
Destination = Annotated[
    Path | None, typer.Argument(metavar="[DEST]", help="The new file, or its folder; without, it is printed.")
]
Target = Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="What to predict; the last column.")]
Residual = Annotated[bool, typer.Option("--residual", help="For pictures: blocks with a shortcut.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def new(
    dest: Destination = None,
    data: Source = None,
    target: Target = None,
    residual: Residual = False,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Start a spec for a data set, by rules of thumb."""
    from kbuild.cli.output import say, say_json, tell
    from kbuild.data.guess import guess
    from kbuild.plan.check import check
    from kbuild.plan.start import Options, start
    from kbuild.plan.start.start import root
    from kbuild.spec.shipped import SCHEMA

    if data is None:
        raise _unsaid()
    found = guess(data, target)
    file = _file(dest, f"{found.name}.yaml")
    if dest is not None and file.exists() and not force:
        raise typer.BadParameter(f"{file} is there already; give another DEST, or --force")
    said = {"--data": data, "--target": target, "--residual": residual}
    schema = SCHEMA if dest is not None and (file.parent / SCHEMA).is_file() else ""
    options = Options(file.absolute(), str(file), _command(said), residual, schema)
    text = start(found, options)
    checked = check(_read(text, options.dest, root(found, options.dest.parent)))
    if dest is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    problems = [problem for problem in checked.problems if problem.severity != "hint"]
    if as_json:
        params = checked.costs.total.params
        say_json({"spec": text if dest is None else str(file), "name": checked.spec.name, "params": params})
        return
    tell(problems)
    if dest is None:
        say(text.rstrip())
    elif not quiet:
        say(str(file))


def _file(dest: Path | None, name: str) -> Path:
    if dest is None:
        return Path(name)
    return dest / name if dest.is_dir() or dest.suffix not in {".yaml", ".yml"} else dest


def _read(text: str, file: Path, outside: Path | None) -> "Spec":
    """The spec as if it stood in the file already: nothing is written that does not check."""
    from kbuild.spec.parse import parse
    from kbuild.spec.resolve import resolve
    from kbuild.text.read import read
    from kbuild.text.source import Source as Text

    found = resolve(read(Text(str(file), text, file)), file.parent)
    return parse(found.node, file.stem, file.parent, found.sources, (outside,) if outside else ())


def _command(said: dict[str, str | bool | None]) -> str:
    words = ["kbuild", "new"]
    for option, value in said.items():
        if value:
            words += [option] if value is True else [option, shlex.quote(str(value))]
    return " ".join(words)


def _unsaid() -> "SpecError":
    from kbuild.data.named import BUILT_IN, PUBLIC
    from kbuild.text.problem import Problem, SpecError

    help = (
        f"write `--data` and a name: {', '.join((*BUILT_IN, *PUBLIC))}; or a path: an npz, csv or parquet file, or a "
        "folder with a folder of pictures or texts for each class"
    )
    return SpecError(Problem("K104", "`kbuild new` starts from data, and none are named", help=help))
