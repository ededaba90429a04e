"""evaluate, predict: a run answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from kbuild.cli.options import BackendOption, Debug, Json, Quiet, RunDir, Trust

if TYPE_CHECKING:
    pass

Part = Annotated[Literal["train", "validation", "test"], typer.Option("--part", help="Which part of the data.")]
Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT", help="Pictures, folders of them; csv, json, txt, npz or npy files.")
]


def evaluate(
    run: RunDir,
    part: Part = "test",
    as_json: Json = False,
    quiet: Quiet = False,
    trust: Trust = False,
    backend: BackendOption = None,
    debug: Debug = False,
) -> None:
    """Measure a run, or each of a set, on a part of its data."""
    from kbuild.cli.output import number, say, say_json
    from kbuild.train.score import evaluate as score

    report = score(run, part, backend=backend, trust=trust)
    if as_json:
        say_json(report)
        return
    if "members" in report:
        _members(report)
        return
    say(f"{part} ({report['examples']} examples)")
    for name, value in _map(report["metrics"]).items():
        say(f"  {name} {number(value)}")
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


def _members(report: dict[str, object]) -> None:
    from kbuild.cli.output import number, say, show_table

    members = cast(list[dict[str, object]], report["members"])
    numbers = {name: _map(of) for name, of in _map(report["metrics"]).items()}
    rows = [
        [Path(str(one["run"])).name, str(one["examples"]), *(number(_map(one["metrics"])[name]) for name in numbers)]
        for one in members
    ]
    for word, key in (("mean", "mean"), ("± sd", "sd")):
        rows.append([word, "", *("-" if of[key] is None else number(of[key]) for of in numbers.values())])
    say(str(report["part"]))
    show_table(["member", "examples", *numbers], rows, right=["examples", *numbers])
    say("sd: sample standard deviation (n - 1)")
    say(f"\nmore of each member is in its own report: {Path(str(report['run'])) / 'members'}")


def _output(name: str, output: dict[str, object]) -> None:
    from kbuild.cli.output import number, say, show_table

    say(f"\noutput {name}")
    numbers = {key: value for key, value in output.items() if isinstance(value, int | float)}
    for key, value in numbers.items():
        say(f"  {key} {number(value)}")
    classes = _map(output.get("per_class"))
    if classes:
        columns = list(next(iter(_map(row) for row in classes.values())))
        rows = [[label, *(number(_map(row)[column]) for column in columns)] for label, row in classes.items()]
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
