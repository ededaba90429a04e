"""fit: a spec becomes a run, a run goes on, or its first steps are done again."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import BackendOption, DataRoots, Debug, Json, Out, Quiet, Sets, Trust

if TYPE_CHECKING:
    from kbuild.spec.hole import Hole
    from kbuild.spec.spec import Spec
    from kbuild.text.node import Node
    from kbuild.text.problem import Problem
    from kbuild.train.run import Run
    from kbuild.train.runset import RunSet

SpecOrNone = Annotated[
    str | None, typer.Argument(metavar="SPEC", help="A file, or kbuild:NAME for a shipped spec; none with --resume.")
]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run, or a set.")]
Verify = Annotated[
    Path | None, typer.Option("--verify", metavar="RUN", help="Do the first steps of a run again, and compare.")
]
Epochs = Annotated[
    str | None, typer.Option("--epochs", metavar="N|+N", help="With --resume: until epoch N, or N more.")
]


def fit(
    spec: SpecOrNone = None,
    resume: Resume = None,
    verify: Verify = None,
    epochs: Epochs = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> int:
    """Train a network and leave a run, or go on with one."""
    if [spec, resume, verify].count(None) != 2 or (spec is None and (out is not None or sets)):
        raise typer.BadParameter("give a SPEC, or --resume or --verify RUN, whose spec and directory stay as they are")
    if epochs is not None and resume is None:
        raise typer.BadParameter("--epochs is for --resume; else write --set train.epochs=N")
    if verify is not None:
        return _verified(verify, as_json, data_roots, trust, backend)
    if resume is not None:
        return _resumed(resume, epochs, as_json, quiet, data_roots, trust, backend)
    read, problems = read_spec(str(spec), as_json, quiet or as_json, sets, data_roots, trust)
    from kbuild.train.fit import fit as train
    from kbuild.train.progress import reporter

    silent = quiet or as_json
    run = train(read, out=out, backend=backend, command=("kbuild", *sys.argv[1:]), report=reporter(silent))
    return _ended(run, as_json, quiet, problems)


def read_spec(
    spec: str, as_json: bool, silent: bool, sets: Sets, data_roots: DataRoots, trust: bool
) -> "tuple[Spec, list[Problem]]":
    """The spec, what is not quite right with it, and what was taken for its holes; both are told."""
    from kbuild.cli.output import say, tell
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    taken: dict[str, Node] = {}

    def choose(path: str, hole: "Hole") -> "Node":
        taken[path] = hole.default
        return hole.default

    read = load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust, choose=choose)
    problems = [problem for problem in check(read).problems if problem.severity != "hint"]
    if not as_json:
        tell(problems)
    if not silent:
        for line in _defaults(taken):
            say(line)
    return read, problems


def _ended(run: "Run | RunSet", as_json: bool, quiet: bool, problems: "Sequence[Problem]" = ()) -> int:
    """Tell of a run that is over; its exit code."""
    from kbuild.cli.output import say_json
    from kbuild.text.render import as_json as problems_json
    from kbuild.train.run import Run

    if as_json:
        say_json({**run.as_json(), **({"problems": problems_json(problems)} if problems else {})})
    elif not quiet and isinstance(run, Run) and run.path.exists():  # of several processes, one leaves the run
        _where(run)
    elif not quiet and not isinstance(run, Run):
        _set(run)
    return run.exit_code


def _resumed(
    path: Path, epochs: str | None, as_json: bool, quiet: bool, data_roots: DataRoots, trust: bool, backend: str | None
) -> int:
    from kbuild.train.progress import reporter
    from kbuild.train.resume import resume

    run = resume(
        path, epochs=epochs, backend=backend, data_roots=data_roots or (), trust=trust,
        command=("kbuild", *sys.argv[1:]), report=reporter(quiet or as_json),
    )  # fmt: skip
    return _ended(run, as_json, quiet)


def _verified(path: Path, as_json: bool, data_roots: DataRoots, trust: bool, backend: str | None) -> int:
    from kbuild.cli.output import say, say_json
    from kbuild.train.verify import verify

    found = verify(path, backend=backend, data_roots=data_roots or (), trust=trust)
    if as_json:
        say_json({"ok": True, **found})
    else:
        say(f"{found['run']} repeats: after {found['steps']} steps every variable is equal, bit for bit")
    return 0


def _where(run: "Run") -> None:
    from kbuild.cli.output import number, say

    best = f"best epoch {run.best_epoch} of {run.epochs}" if run.best_epoch else f"{run.epochs} epochs"
    say(f"\n{run.status} in {run.seconds:.1f} s: {best}")
    if run.test:
        say("test: " + ", ".join(f"{name} {number(value)}" for name, value in run.test.items()))
    say(f"run:  {run.path}")
    if run.status == "stopped":
        say(f"next: kbuild fit --resume {run.path}")
    else:
        say(f"next: kbuild evaluate {run.path} · kbuild board {run.path.parent}")


def _set(found: "RunSet") -> None:
    """What the members of a set reached together."""
    from kbuild.cli.output import mean_and_sd, say, show_table

    done = len(found.done)
    say(f"\n{found.status} in {found.seconds:.1f} s: {done} of {found.size} members are done")
    for at, why in found.reasons.items():
        say(f"member {at} failed: {why}")
    parts = {"training": {}, "validation": {}, "test": {}}
    for name, mean in found.metrics.items():
        part = "validation" if name.startswith("val_") else "training"
        parts[part][name.removeprefix("val_")] = mean_and_sd(mean, found.sd[name])
    parts["test"] = {name: mean_and_sd(mean, found.test_sd[name]) for name, mean in found.test.items()}
    parts = {part: numbers for part, numbers in parts.items() if numbers}
    names = dict.fromkeys(name for numbers in parts.values() for name in numbers)
    if names:
        show_table(["", *parts], [[name, *(numbers.get(name, "") for numbers in parts.values())] for name in names])
        say(f"mean ± sample standard deviation (n - 1) of {done} members, each at its best epoch")
    say(f"runs: {found.path / 'members'}")
    if found.status == "stopped":
        say(f"next: kbuild fit --resume {found.path}")
    else:
        say(f"next: kbuild evaluate {found.path} · kbuild board {found.path.parent}")


def _defaults(taken: "dict[str, Node]") -> list[str]:
    from kbuild.text.node import plain
    from kbuild.text.write import write

    return [f"{path} is open and stands for {write(plain(value)).strip()}" for path, value in taken.items()]
