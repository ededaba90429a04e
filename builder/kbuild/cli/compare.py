"""compare: runs side by side, or the trials of a study, as tables and as pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kbuild.cli.options import DataRoots, Debug, Json, Quiet, Trust

Paths = Annotated[list[Path], typer.Argument(metavar="RUN…|STUDY", help="Two or more run directories, or one study.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="For the pictures; default runs/compare-NNN, STUDY/report.")
]
Pictures = Annotated[bool, typer.Option("--pictures/--no-pictures", help="Whether pictures are drawn.")]


def compare(
    paths: Paths,
    out: Out = None,
    pictures: Pictures = True,
    as_json: Json = False,
    quiet: Quiet = False,
    data_roots: DataRoots = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Show runs, or the trials of a study, side by side."""
    from kbuild.search.study import is_study
    from kbuild.train import rundir

    if out is not None and pictures:
        rundir.free(out)
    if len(paths) == 1 and is_study(rundir.info(paths[0])):
        _study(paths[0], out, pictures, as_json, quiet)
    else:
        _runs(paths, out, pictures, as_json, quiet, data_roots or [], trust)


def _study(path: Path, out: Path | None, pictures: bool, as_json: bool, quiet: bool) -> None:
    from kbuild.cli import compare_tables as tables
    from kbuild.cli.output import say, say_json
    from kbuild.search.compare import compare, draw
    from kbuild.search.study import open_study

    found = compare(open_study(path))
    drawn: Sequence[Path] = ()
    if pictures:
        folder = path / "report" if out is None else out
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            drawn = draw(found, folder)
    if as_json:
        say_json({**found.as_json(), "pictures": [str(picture) for picture in drawn]})
        return
    tables.study(found, quiet)
    if not quiet:
        _pictures(drawn)
        if (path / "trials.csv").is_file():
            say(f"all trials: {path / 'trials.csv'}")


def _runs(
    paths: Sequence[Path], out: Path | None, pictures: bool, as_json: bool, quiet: bool, roots: Sequence[Path],
    trust: bool,
) -> None:  # fmt: skip
    from kbuild.cli import compare_tables as tables
    from kbuild.cli.output import say_json
    from kbuild.train import figures, rundir
    from kbuild.train.compare import compare, curves

    found = compare(paths, data_roots=roots, trust=trust)
    drawn: list[Path] = []
    told = curves(found) if pictures else []
    if any(columns for _, columns in told):
        folder = rundir.create("compare", out, folders=())
        drawn = [folder / "curves.png"]
        with _writing(folder):
            figures.beside(drawn[0], told)
    if as_json:
        say_json({**found.as_json(), "pictures": [str(picture) for picture in drawn]})
        return
    tables.runs(found)
    if not quiet:
        _pictures(drawn)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the disk refuses is a problem of the place."""
    from kbuild.text.problem import Problem, SpecError

    try:
        yield
    except OSError as error:
        said = f"cannot draw into `{folder}`: {error.strerror or error}"
        help = "choose another place with `--out DIR`, or leave the pictures out with `--no-pictures`"
        raise SpecError(Problem("K602", said, help=help)) from None


def _pictures(drawn: Sequence[Path]) -> None:
    from kbuild.cli.output import say

    for picture in drawn:
        say(f"picture: {picture}")
