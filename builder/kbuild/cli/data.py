"""data: what a spec's data source is, with a few examples as text or as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from kbuild.cli.options import DataRoots, Debug, Json, OneSpec, Quiet, Sets, Trust

Picture = Annotated[Path | None, typer.Option("--picture", metavar="FILE", help="Draw examples into a PNG file.")]


def data(
    spec: OneSpec,
    picture: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Show a spec's data: shapes, classes, counts, examples."""
    from kbuild.cli.output import say, say_json
    from kbuild.data import describe
    from kbuild.data.load import load as load_data
    from kbuild.plan.check import placed
    from kbuild.spec.load import load
    from kbuild.text.problem import Problem, SpecError

    read = load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust)
    if read.data is None:
        problem = Problem(
            "K166", "the spec has no `data`", read.span(""), help="add a section, such as `data: {source: digits}`"
        )
        raise SpecError(problem)
    features = {given.name: given.shape for given in read.inputs}
    try:
        dataset = load_data(read.data, read.train.seed, features=features, trust=trust)
    except SpecError as error:
        raise SpecError(placed(error.problems, read)) from error
    if as_json:
        say_json(describe.describe(dataset.header, dataset))
    else:
        say(describe.text(dataset.header, dataset).rstrip())
    if picture is not None:
        describe.picture(dataset, picture)
        if not as_json and not quiet:
            say(f"examples drawn into {picture}")
