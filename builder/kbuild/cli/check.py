"""check: everything that can be known of specs before they are built."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kbuild.cli.options import BackendOption, Build, DataRoots, Debug, Json, Quiet, Sets, Specs, Trust
from kbuild.text.problem import Problem, SpecError

if TYPE_CHECKING:
    from kbuild.model.verify import Measured
    from kbuild.plan.check import Checked
    from kbuild.plan.plan import Plan

Format = Annotated[Literal["full", "github", "json"], typer.Option("--format", help="How problems are printed.")]
Hints = Annotated[bool, typer.Option("--hints", help="Show hints too.")]


def check(
    specs: Specs,
    build: Build = False,
    hints: Hints = False,
    format: Format = "full",
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> int:
    """Check specs: names, arguments, references, shapes."""
    from kbuild.spec.load import load

    problems: list[Problem] = []
    lines: list[str] = []
    known: dict[str, int] = {}
    code = 0
    for name in specs:
        try:
            spec = load(name, sets=sets or (), data_roots=data_roots or (), trust=trust)
            found, measured = checked(spec, build, backend)
            problems += _new(found.problems, problems)
            known = _known(found, measured)
            problems += measured.problems if measured is not None else ()
            more, space = searched(found)
            problems += _new(more, problems)
            lines += [_fine(name, found, measured), *space]
        except SpecError as error:
            if debug:
                raise
            problems += _new(error.problems, problems)
            code = code or error.exit_code
    shown = [p for p in problems if hints or p.severity != "hint"]
    _print(shown, lines, "json" if as_json else format, quiet, code, known if len(specs) == 1 else {})
    return code


def searched(found: "Checked") -> tuple[tuple[Problem, ...], list[str]]:
    """What is wrong with the space of a search, and what it is; nothing for a spec without `tune`."""
    if found.spec.tune is None:
        return (), []
    from kbuild.plan import corners
    from kbuild.plan.draw.space import lines
    from kbuild.plan.space import space

    where = space(found.spec, found.header)
    if not where.dims:
        return (), []
    ends = corners.corners(found.spec, found.header)
    wrong = tuple(corners.problems(found.spec, where, ends))
    if any(problem.severity == "error" for problem in wrong):
        raise SpecError(wrong)
    return wrong, list(lines(where, ends))


def checked(spec, build: bool, backend: str | None) -> "tuple[Checked, Measured | None]":
    """What is known of a spec, and, with `build`, what Keras says of it."""
    from kbuild.plan import check as stage

    if not build:
        return stage.check(spec), None
    found = stage.unless_open(spec)
    from kbuild.model import backend as engine

    engine.start(backend)
    from kbuild.model import build as builder
    from kbuild.model import learn, use, verify
    from kbuild.plan.applications import asking

    use.trusted(spec.use if spec.trust else ())
    if found is None or _unknown(found.plan):
        with asking(learn.ahead):
            found = stage.check(spec)
    return found, verify.measure(found.plan, builder.build(found.plan))


def _unknown(plan: "Plan") -> bool:
    return any(step.shapes is None for step in plan.steps)


def _new(more: tuple[Problem, ...], problems: list[Problem]) -> list[Problem]:
    seen = set(problems)
    return [problem for problem in more if problem not in seen]


def _known(found: "Checked", measured: "Measured | None") -> dict[str, int]:
    """`params`, `trainable` and `flops`, as far as they are known."""
    total = found.costs.total
    numbers = {
        "params": measured.total if measured else total.params,
        "trainable": measured.trainable if measured else total.trainable,
        "flops": total.flops,
    }
    return {key: value for key, value in numbers.items() if value is not None}


def _fine(name: str, found: "Checked", measured: "Measured | None") -> str:
    from kbuild.plan.describe import summary

    params = _known(found, measured).get("params")
    size = "" if params is None else f", {params:,} parameter{'' if params == 1 else 's'}"
    return f"{name}: fine ({summary(measured.plan if measured else found.plan)}{size})"


def _print(
    problems: list[Problem], lines: list[str], format: str, quiet: bool, code: int, known: dict[str, int]
) -> None:
    from kbuild.cli.output import say, say_json, tell
    from kbuild.text import render

    if format == "json":
        say_json({"ok": code == 0, "problems": render.as_json(problems), **known})
        return
    if format == "github":
        if problems:
            say(render.github(problems, Path.cwd()))
    else:
        tell(problems)
    for line in () if quiet else lines:
        say(line)
