"""lr: a learning-rate range test, drawn, with the rate that it suggests."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import BackendOption, DataRoots, Debug, Json, OneSpec, Quiet, Sets, Trust

if TYPE_CHECKING:
    from kbuild.train.lr import RangeTest

Low = Annotated[float, typer.Option("--from", metavar="RATE", help="The first rate.")]
High = Annotated[float, typer.Option("--to", metavar="RATE", help="The last rate.")]
Steps = Annotated[int | None, typer.Option("--steps", metavar="N", help="Default: an epoch, 200 to 400.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to put it; default runs/NAME-lr-NNN.")]
HIGHER = "look at lr.png; give a higher `--to`, or look for the reason in the data and the loss"


def lr(
    spec: OneSpec,
    low: Low = 1e-7,
    high: High = 10.0,
    steps: Steps = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> int:
    """Let the learning rate grow step by step, and suggest one."""
    from kbuild.cli.fit import read_spec
    from kbuild.cli.output import say, say_json

    silent = quiet or as_json
    read, problems = read_spec(spec, as_json, silent, sets, data_roots, trust)
    from kbuild.text.render import as_json as problems_json
    from kbuild.train.lr import lr as test
    from kbuild.train.progress import reporter

    found = test(
        read, low=low, high=high, steps=steps, out=out, backend=backend, command=("kbuild", *sys.argv[1:]),
        report=reporter(silent),
    )  # fmt: skip
    if as_json:
        say_json({**found.as_json(), **({"problems": problems_json(problems)} if problems else {})})
    elif quiet:
        say(found.set or f"{found.suggestion}")
    else:
        for line in _lines(found):
            say(line)
    if found.suggestion is None and not found.signal:
        _unsure(found, as_json)
    return found.exit_code


def _lines(found: "RangeTest") -> list[str]:
    """What a person is told."""
    from kbuild.cli.chart import WIDTH, chart
    from kbuild.train.figures import span

    lines = [""]
    if len(found.rates) > 1:
        braille = (sys.stdout.encoding or "").lower().startswith("utf")
        width = min(WIDTH, _columns() - 10)
        rates, curve = found.rates.tolist(), found.smoothed.tolist()
        lines += chart(rates, curve, span(found.smoothed), found.suggestion, width=max(width, 16), braille=braille)
        lines.append("")
    if found.suggestion is not None:
        lines.append(f"suggestion: {found.suggestion:g}, {found.found.why}; steepest at {found.found.steepest:.1e}")
    lines.append(f"{found.status} after {len(found.rates)} steps: {found.path}")
    if found.set is not None:
        lines.append(f"next: --set {found.set}")
    elif found.suggestion is not None:
        lines.append("next: the schedule has several rates; let its highest be the suggestion")
    return lines


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _unsure(found: "RangeTest", as_json: bool) -> None:
    """Say why nothing is suggested; in JSON it is said already."""
    from kbuild.cli.output import tell
    from kbuild.text.problem import Problem

    if not as_json:
        tell([Problem("K515", f"no rate can be suggested: {found.found.why}", help=HIGHER)])
