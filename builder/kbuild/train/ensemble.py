"""Run directories → Run: one model of several, and a run directory that every command takes. Raises SpecError."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kbuild.data.dataset import Dataset, Part
from kbuild.data.load import load
from kbuild.model import backend as engine
from kbuild.model.use import trusted
from kbuild.plan.expand import expand
from kbuild.plan.head import Head, heads
from kbuild.plan.plan import Plan
from kbuild.spec.fill import filled, roots
from kbuild.text.problem import Problem, SpecError
from kbuild.text.write import write
from kbuild.train import atomic, rundir, score
from kbuild.train.ensemble_members import CLASSES, Joining, joining
from kbuild.train.ensemble_parts import Seen, seen
from kbuild.train.progress import Reporter, reporter
from kbuild.train.run import Run, load_model, open_run
from kbuild.train.runset import ENSEMBLE

if TYPE_CHECKING:
    import keras

How = Literal["average", "vote", "stack"]


@dataclass(frozen=True)
class _Made:
    """What an ensemble is made of and measured with.

    Args:
        heads: of the first member, made to fit probabilities.
        dataset: of the first member, by the names of its inputs and outputs.
    """

    members: tuple[Joining, ...]
    models: "tuple[keras.Model, ...]"
    plan: Plan
    heads: tuple[Head, ...]
    dataset: Dataset
    seen: Seen

    @property
    def outputs(self) -> list[Sequence[Mapping[str, Any]]]:
        return [one.outputs for one in self.members]


def ensemble(
    runs: Sequence[Path | str],
    how: How = "average",
    *,
    out: Path | None = None,
    backend: str | None = None,
    trust: bool = False,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> Run:
    """Make one model of several runs, measure it beside them, and leave a run directory of its own.

    Args:
        runs: run directories, or a set of repeats or folds, whose members are taken.
        how: `average` of what the members give, probabilities where they tell classes; `vote` for classes; `stack`,
            a linear layer on what they give, fitted to examples that they did not train on.
        out: the run directory, absent or empty; None makes `runs/NAME-ensemble-NNN`.
        backend: None takes the one that is imported, or the one of the first run; weights are the same on each.
        trust: run the code that the runs' specs name in `use`.

    Returns:
        The run. Its `run.json` says under `of` what each member reached on the same parts.

    Raises:
        SpecError: K603–K607 if a run cannot be used, K630 if they do not fit together, K631 if they cannot be joined
            in this way.
    """
    if out is not None:
        rundir.free(Path(out))
    report = report or reporter()
    members = joining([Path(path) for path in runs], trust)
    if how == "vote":
        _votable(members)
    engine.start(backend or score.installed(members[0].info))
    found = seen([one.spec for one in members], [one.info for one in members], [one.path for one in members])
    for note in _notes(members, found, how):
        report.note(note)
    made, model = _joined(_opened(members, found), how)
    return _written(made, model, how, out, command)


def _joined(made: _Made, how: How) -> "tuple[_Made, keras.Model]":
    """The model, and what it may be measured on."""
    from kbuild.train import ensemble_model, ensemble_told

    name = f"{made.members[0].spec.name}-{ENSEMBLE}"[:64]
    if how != "stack":
        return made, ensemble_model.joined(made.models, made.outputs, how, name)
    model = ensemble_told.stack(made.members, made.models, made.dataset, made.seen, name)
    held = tuple(part for part in made.seen.held if part == "test")
    return replace(made, seen=replace(made.seen, held=held)), model


def _opened(members: tuple[Joining, ...], found: Seen) -> _Made:
    """Load the models and the data of the first member."""
    from kbuild.train import ensemble_model, job

    for one in members:
        trusted(one.spec.use)
    first = members[0]
    assert first.spec.data is not None
    shapes = {entry.name: entry.shape for entry in first.spec.inputs}
    dataset = load(first.spec.data, first.spec.train.seed, features=shapes, trust=first.spec.trust)
    if dataset.digest != first.info["data"]["digest"]:
        message = f"the data of `{first.path}` hold other examples than when it was trained"
        raise SpecError(Problem("K630", message, help="join runs of the same data"))
    plan = expand(first.spec, dataset.header)
    learned = heads(first.spec, plan, dataset.header)
    models = tuple(load_model(one.path) for one in members)
    for one, model in zip(members, models, strict=True):
        if not all(np.isfinite(np.asarray(value, "float64")).all() for value in model.get_weights()):
            message = f"the model of `{one.path}` has weights that are no numbers"
            raise SpecError(Problem("K630", message, help="leave it out"))
    if first.spec.data.target == "input":
        _same_target(members, models, dataset)
    fitting = tuple(ensemble_model.of_probabilities(head) for head in learned)
    return _Made(members, models, plan, fitting, job.aligned(dataset, plan, learned), found)


def _same_target(members: Sequence[Joining], models: "Sequence[keras.Model]", dataset: Dataset) -> None:
    """Where the target is the preprocessed input, `preprocess` has to be the same. Raises SpecError K630."""
    from kbuild.model import build

    made = [build.features(model, expand(one.spec, dataset.header)) for one, model in zip(members, models, strict=True)]
    kept = [None if one is None else (one.count_params(), [a.tobytes() for a in one.get_weights()]) for one in made]
    for one, weights in zip(members, kept, strict=True):
        if weights != kept[0]:
            message = f"`{one.path}` preprocesses its input, which is its target, otherwise than `{members[0].path}`"
            raise SpecError(Problem("K630", message, help="join runs whose `data.preprocess` learned the same"))


def _measured(model: "keras.Model", made: _Made) -> dict[str, dict[str, float]]:
    """What a model reaches on the parts that are new to all members, by part."""
    from kbuild.model import build
    from kbuild.train import compile, ensemble_model, stream
    from kbuild.train.job import batches

    spec = made.members[0].spec
    compile.compile(model, spec.train, made.heads, 1)
    features = build.features(model.get_layer(ensemble_model.FIRST), made.plan)
    found = {}
    for name in made.seen.held:
        part: Part = getattr(made.dataset, name)
        with stream.reading():
            feed = batches(spec, made.heads, part, features)
            logs: Any = model.evaluate(feed.data, verbose=0, return_dict=True)  # pyright: ignore[reportArgumentType]
        found[name] = {key: float(value) for key, value in logs.items()}
    return found


def _written(made: _Made, model: "keras.Model", how: How, out: Path | None, command: Sequence[str]) -> Run:
    """Measure, then leave the run directory; `run.json` last: what has it is whole."""
    from kbuild.model import build
    from kbuild.train import ensemble_model
    from kbuild.train.session import bare, save

    first, spec = made.members[0], made.members[0].spec
    alone = zip(made.models, made.outputs, strict=True)
    each = [_measured(ensemble_model.joined([one], [of], "average", "member"), made) for one, of in alone]
    numbers = _measured(model, made)
    path = rundir.create(model.name, out, folders=("report", "members"))
    atomic.write_text(path / "spec.yaml", write(filled(spec)))
    for number, one in enumerate(made.members, 1):
        atomic.write_text(path / "members" / f"{number}.yaml", (one.path / "spec.yaml").read_text("utf-8"))
    encoding = first.path / "encoding.json"
    if encoding.is_file():
        atomic.write_bytes(path / "encoding.json", encoding.read_bytes())
    save(bare(model), path / "model.keras")
    shown = replace(made.dataset, **{name: None for name in ("validation", "test") if name not in made.seen.held})
    features = build.features(model.get_layer(ensemble_model.FIRST), made.plan)
    score.report(model, made.heads, shown, features, spec, path)
    told = [_member(one, reached) for one, reached in zip(made.members, each, strict=True)]
    _described(made, model, how, path, {"command": list(command), "of": told}, numbers)
    run = open_run(path)
    assert isinstance(run, Run)
    return run


def _described(
    made: _Made, model: "keras.Model", how: How, path: Path, more: Mapping[str, object],
    numbers: Mapping[str, Mapping[str, float]],
) -> None:  # fmt: skip
    import keras

    first, spec = made.members[0], made.members[0].spec
    rundir.describe(
        path,
        name=model.name,
        kind=ENSEMBLE,
        how=how,
        status="done",
        created=rundir.now(),
        finished=rundir.now(),
        **more,
        versions=rundir.versions(),
        backend=keras.backend.backend(),
        seed=spec.train.seed,
        spec_digest=hashlib.sha256(write(filled(spec)).encode()).hexdigest(),
        data=first.info["data"],
        data_roots=[str(root) for root in roots(spec)],
        trust=any(one.spec.trust for one in made.members),
        use=list(dict.fromkeys(str(file) for one in made.members for file in one.spec.use)),
        parameters=model.count_params(),
        inputs=first.info["inputs"],
        outputs=[score.described(head) for head in made.heads],
        held=list(made.seen.held),
        epochs=0,
        seconds=0.0,
        best_epoch=None,
        metrics={f"val_{name}": value for name, value in numbers.get("validation", {}).items()},
        test=numbers.get("test", {}),
        health=[],
    )


def _member(one: Joining, reached: Mapping[str, Mapping[str, float]]) -> dict[str, object]:
    with (one.path / "model.keras").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"run": str(one.path), "backend": one.info["backend"], "sha256": digest, **reached}


def _votable(members: Sequence[Joining]) -> None:
    for of in members[0].outputs:
        if of["task"] not in CLASSES:
            message = f"members can vote on classes, and the output `{of['name']}` gives numbers"
            raise SpecError(Problem("K631", message, help="write `--how average`"))


def _notes(members: Sequence[Joining], found: Seen, how: How) -> list[str]:
    notes = [f"{how} of {len(members)} members"]
    there = [name for name in ("validation", "test") if members[0].info["data"][name]]
    for name in there:
        if how == "stack" and name == "validation":
            notes.append("the layer is fitted to examples of the validation parts, so that they are not measured")
        elif name not in found.held:
            notes.append(
                f"warning: the {name} part is not measured: members trained on examples of it, as the parts differ"
            )
    backends = list(dict.fromkeys(str(one.info["backend"]) for one in members))
    if len(backends) > 1:
        notes.append(f"members were trained on {' and '.join(backends)}; their weights are the same on each")
    return notes
