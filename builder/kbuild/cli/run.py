"""fit, evaluate, predict: a spec becomes a run, and a run answers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from kbuild.cli.options import BackendOption, DataRoots, Debug, Json, Out, Quiet, RunDir, Sets, Trust

if TYPE_CHECKING:
    from kbuild.spec.hole import Hole
    from kbuild.text.node import Node
    from kbuild.train.run import Run

Part = Annotated[Literal["train", "validation", "test"], typer.Option("--part", help="Which part of the data.")]
Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT", help="Pictures, folders of them; csv, json, txt, npz or npy files.")
]


SpecOrNone = Annotated[
    str | None, typer.Argument(metavar="SPEC", help="A file, or kbuild:NAME for a shipped spec; none with --resume.")
]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run.")]
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
    """Train a spec's network and leave a run directory, or go on with one."""
    if [spec, resume, verify].count(None) != 2 or (spec is None and (out is not None or sets)):
        raise typer.BadParameter("give a SPEC, or --resume or --verify RUN, whose spec and directory stay as they are")
    if epochs is not None and resume is None:
        raise typer.BadParameter("--epochs is for --resume; else write --set train.epochs=N")
    if verify is not None:
        return _verified(verify, as_json, data_roots, trust, backend)
    if resume is not None:
        return _resumed(resume, epochs, as_json, quiet, data_roots, trust, backend)
    assert spec is not None
    from kbuild.cli.output import say, say_json, tell
    from kbuild.plan.check import check
    from kbuild.spec.load import load
    from kbuild.text.render import as_json as problems_json

    taken: dict[str, Node] = {}

    def choose(path: str, hole: "Hole") -> "Node":
        taken[path] = hole.default
        return hole.default

    read = load(spec, sets=sets or (), data_roots=data_roots or (), trust=trust, choose=choose)
    problems = [problem for problem in check(read).problems if problem.severity != "hint"]
    silent = quiet or as_json
    if not as_json:
        tell(problems)
    if not silent:
        for line in _defaults(taken):
            say(line)
    from kbuild.train.fit import fit as train
    from kbuild.train.progress import reporter

    run = train(read, out=out, backend=backend, command=("kbuild", *sys.argv[1:]), report=reporter(silent))
    if as_json:
        say_json({**run.as_json(), **({"problems": problems_json(problems)} if problems else {})})
    elif not quiet:
        _where(run)
    return run.exit_code


def _resumed(
    path: Path, epochs: str | None, as_json: bool, quiet: bool, data_roots: DataRoots, trust: bool, backend: str | None
) -> int:
    from kbuild.cli.output import say_json
    from kbuild.train.progress import reporter
    from kbuild.train.resume import resume

    run = resume(
        path, epochs=epochs, backend=backend, data_roots=data_roots or (), trust=trust,
        command=("kbuild", *sys.argv[1:]), report=reporter(quiet or as_json),
    )  # fmt: skip
    if as_json:
        say_json(run.as_json())
    elif not quiet:
        _where(run)
    return run.exit_code


def _verified(path: Path, as_json: bool, data_roots: DataRoots, trust: bool, backend: str | None) -> int:
    from kbuild.cli.output import say, say_json
    from kbuild.train.verify import verify

    found = verify(path, backend=backend, data_roots=data_roots or (), trust=trust)
    if as_json:
        say_json({"ok": True, **found})
    else:
        say(f"{path} repeats: after {found['steps']} steps every variable is equal, bit for bit")
    return 0


def evaluate(
    run: RunDir,
    part: Part = "test",
    as_json: Json = False,
    quiet: Quiet = False,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Measure a run's model on a part of its data."""
    from kbuild.cli.output import say, say_json
    from kbuild.train.score import evaluate as score

    report = score(run, part, backend=backend, trust=trust)
    if as_json:
        say_json(report)
        return
    say(f"{part} ({report['examples']} examples)")
    for name, value in _map(report["metrics"]).items():
        say(f"  {name} {_number(value)}")
    for name, output in _map(report["outputs"]).items():
        _output(name, _map(output))
    if not quiet:
        say(f"\npictures and evaluation.json are in {run / 'report'}")


def predict(
    run: RunDir,
    inputs: Inputs,
    as_json: Json = False,
    quiet: Quiet = False,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Let a run's model answer for new inputs."""
    from kbuild.cli.output import say, say_json
    from kbuild.train.predict import predict as answer

    answers = answer(run, inputs, backend=backend, trust=trust)
    if as_json:
        say_json(answers)
        return
    for one in answers:
        outputs = _map(one.get("outputs")) or {"": one}
        said = [f"{name} {_answer(_map(output))}".strip() for name, output in outputs.items()]
        say(f"{one['input']}: {'; '.join(said)}")


def _defaults(taken: "dict[str, Node]") -> list[str]:
    from kbuild.text.node import plain
    from kbuild.text.write import write

    return [f"{path} is open and stands for {write(plain(value)).strip()}" for path, value in taken.items()]


def _where(run: "Run") -> None:
    from kbuild.cli.output import say

    best = f"best epoch {run.best_epoch} of {run.epochs}" if run.best_epoch else f"{run.epochs} epochs"
    say(f"\n{run.status} in {run.seconds:.1f} s: {best}")
    if run.test:
        say("test: " + ", ".join(f"{name} {_number(value)}" for name, value in run.test.items()))
    say(f"run:  {run.path}")
    if run.status == "stopped":
        say(f"next: kbuild fit --resume {run.path}")
    else:
        say(f"next: kbuild evaluate {run.path} · kbuild board {run.path.parent}")


def _output(name: str, output: dict[str, object]) -> None:
    from kbuild.cli.output import say, show_table

    say(f"\noutput {name}")
    numbers = {key: value for key, value in output.items() if isinstance(value, int | float)}
    for key, value in numbers.items():
        say(f"  {key} {_number(value)}")
    classes = _map(output.get("per_class"))
    if classes:
        columns = list(next(iter(_map(row) for row in classes.values())))
        rows = [[label, *(_number(_map(row)[column]) for column in columns)] for label, row in classes.items()]
        show_table(["class", *columns], rows, right=columns)


def _answer(output: dict[str, object]) -> str:
    """`seven 0.98 (one 0.01, nine 0.01)`, `two, three`, or the numbers."""
    if "class" in output:
        ranked = sorted(_map(output["probabilities"]).items(), key=lambda item: -cast(float, item[1]))
        others = [f"{name} {share:.3f}" for name, share in ranked if name != output["class"]][:2]
        return f"{output['class']} {output['probability']:.3f} ({', '.join(others)})"
    if "labels" in output:
        return ", ".join(str(label) for label in cast(list[object], output["labels"])) or "none"
    text = str(output.get("value"))
    return text if len(text) <= 100 else f"{text[:100]}…  (--json has all)"


def _map(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
    return str(value)
