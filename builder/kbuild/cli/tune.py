"""tune: the holes of a spec are searched, and the best network is a spec again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import BackendOption, DataRoots, Debug, Json, Quiet, Sets, Trust

if TYPE_CHECKING:
    from kbuild.search.study import Study
    from kbuild.train.run import Run
    from kbuild.train.runset import RunSet

SpecOrNone = Annotated[
    str | None, typer.Argument(metavar="SPEC", help="A file, or kbuild:NAME for a shipped spec; none with --resume.")
]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="STUDY", help="Go on with a study.")]
Parallel = Annotated[int | None, typer.Option("--parallel", metavar="N", min=1, help="Trials at the same time.")]
Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Train on a Ray cluster: local, auto, HOST:PORT or ray://HOST:PORT."),
]
Refit = Annotated[bool, typer.Option("--refit", help="Then train the best on all the data, test part excepted.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The study's directory; default runs/NAME-NNN.")]


def tune(
    spec: SpecOrNone = None,
    resume: Resume = None,
    parallel: Parallel = None,
    ray: Ray = None,
    refit: Refit = False,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    sets: Sets = None,
    data_roots: DataRoots = None,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> int:
    """Search the holes of a spec with KerasTuner."""
    if (spec is None) == (resume is None) or (resume is not None and (out is not None or sets or parallel or backend)):
        raise typer.BadParameter("give a SPEC, or --resume STUDY, whose spec, directory and ways stay as they are")
    from kbuild.cli.check import searched
    from kbuild.cli.output import say, say_json, tell
    from kbuild.plan.check import check
    from kbuild.search import tune as search
    from kbuild.search.seeing import reporter
    from kbuild.spec.load import load

    report = reporter(quiet or as_json)
    if resume is not None:
        found = search.resume(resume, data_roots=data_roots or (), trust=trust, ray=ray, report=report)
    else:
        read = load(str(spec), sets=sets or (), data_roots=data_roots or (), trust=trust)
        if not as_json:
            seen = check(read)
            tell([problem for problem in (*seen.problems, *searched(seen)[0]) if problem.severity != "hint"])
        command = ("kbuild", *sys.argv[1:])
        found = search.tune(read, out=out, backend=backend, parallel=parallel, ray=ray, command=command, report=report)
    if not (as_json or quiet):
        for line in _lines(found):
            say(line)
    again = None
    if refit and found.status == "done" and found.best is not None:
        from kbuild.search.refit import refit as train
        from kbuild.train import progress

        shown = progress.Reporter() if quiet or as_json else None
        again = train(found, data_roots=data_roots or (), trust=trust, report=shown)
    if as_json:
        say_json({**found.as_json(), **({} if again is None else {"refit": again.as_json()})})
    elif again is not None and not quiet:
        say(_refitted(again))
    return found.exit_code


def _refitted(run: "Run | RunSet") -> str:
    test = ", ".join(f"{name} {value:.4g}" for name, value in run.test.items() if value is not None)
    return f"\nrefit: {run.path}" + (f", test {test}" if test else "")


def _lines(study: "Study") -> list[str]:
    best, failed = study.best, sum(trial.status == "failed" for trial in study.trials)
    dropped = len(study.trials) - len(study.counted)
    also = [f"{failed} failed"] * bool(failed) + [f"{dropped} dropped"] * bool(dropped)
    lines = [f"\n{study.status}: {len(study.counted)} trials" + (f" ({', '.join(also)})" if also else "")]
    if best is not None:
        sd = "" if best.sd is None else f" ± {best.sd:.2g}"
        lines += [f"best: trial {best.number}, {study.objective} {best.score:.4g}{sd}"]
        lines += [f"  {path} = {value}" for path, value in best.values.items()]
        lines += [f"spec: {study.path / 'best.yaml'}"]
    if study.status == "stopped":
        return [*lines, f"next: kbuild tune --resume {study.path}"]
    after = f"next: kbuild fit {study.path / 'best.yaml'} · kbuild board {study.path}"
    return [*lines, after] if best is not None else lines
