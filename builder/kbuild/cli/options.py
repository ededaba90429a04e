"""The options that verbs share, as types for their parameters."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Backend = Literal["tensorflow", "jax", "torch"]

Specs = Annotated[list[str], typer.Argument(metavar="SPEC", help="Files, or kbuild:NAME for shipped specs.")]
OneSpec = Annotated[str, typer.Argument(metavar="SPEC", help="A file, or kbuild:NAME for a shipped spec.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change the spec, as in --set train.epochs=5. May be repeated."),
]
DataRoots = Annotated[
    list[Path] | None,
    typer.Option("--data-root", metavar="DIR", help="A folder that data may lie in. May be repeated."),
]
Trust = Annotated[bool, typer.Option("--trust", help="Let the spec run code of its own.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but problems and what was asked for.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where in kbuild a problem was found.")]
BackendOption = Annotated[Backend | None, typer.Option("--backend", help="Where Keras computes.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The run directory; default runs/NAME-NNN.")]
Build = Annotated[bool, typer.Option("--build", help="Build the network with Keras too, and compare.")]
