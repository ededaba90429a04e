"""export: a run's model in another format."""

from pathlib import Path
from typing import Annotated

import typer

from kbuild.cli.options import BackendOption, Debug, Json, Quiet, RunDir, Trust

To = Annotated[str, typer.Option("--to", metavar="FORMAT", help="keras, savedmodel, onnx, litert or python.")]
File = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where to write; default RUN/export/NAME with its suffix.")
]


def export(
    run: RunDir,
    to: To,
    out: File = None,
    as_json: Json = False,
    quiet: Quiet = False,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Write the model of a run in another format, and compare."""
    from kbuild.cli.output import say, say_json
    from kbuild.train.export import export as write

    done = write(run, to, out, backend=backend, trust=trust)
    if as_json:
        say_json(done.as_json())
        return
    if not quiet:
        for note in done.notes:
            say(note)
        if done.difference is not None:
            say(f"loaded by another process, it differs from the model by {done.difference:.1e} at most")
    say(str(done.path))
