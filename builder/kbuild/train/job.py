"""Spec, Plan, heads and Dataset → Job: a compiled model and its feeds, checked down to the first batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from kbuild.data.dataset import Dataset, Part
from kbuild.data.lazy import Array
from kbuild.model import adapt, build, objects, start, thaw
from kbuild.model.layers.scheduled_dropout import lasts
from kbuild.plan.check import check
from kbuild.plan.head import Head
from kbuild.plan.phases import Phase, phases
from kbuild.plan.plan import Plan
from kbuild.spec.call import Call
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train import augment, callbacks, distribute, execution, feed, monitors, phase, stream, weights
from kbuild.train.execution_loop import Running
from kbuild.train.execution_rule import Choice


@dataclass(frozen=True)
class Job:
    """All that training needs.

    Args:
        outputs: names of the outputs that have a target, in order.
        train, validation: batches; validation is None where there is none.
        names: what the logs of an epoch will hold.
        notes: what a user should know, a line each.
        phases: the parts of the training; one where the spec has no phases.
        built: which layers learned when the model was built.
        started: what was taken of the files that the model starts from.
        running: how its steps are run.
        spread: the devices that share each batch; None where one trains.
    """

    spec: Spec
    plan: Plan
    heads: tuple[Head, ...]
    dataset: Dataset
    model: keras.Model
    features: keras.Model | None
    train: feed.Feed
    validation: feed.Feed | None
    names: tuple[str, ...]
    notes: tuple[str, ...]
    phases: tuple[Phase, ...]
    built: thaw.States
    started: tuple[start.Taken, ...]
    running: Running
    spread: distribute.Spread | None = None

    @property
    def metrics(self) -> tuple[Call, ...]:
        """The metrics of all outputs."""
        return tuple(call for head in self.heads for call in head.metrics)


def prepare(
    spec: Spec,
    plan: Plan,
    heads: Sequence[Head],
    dataset: Dataset,
    chosen: Choice | None = None,
    spread: distribute.Spread | None = None,
) -> Job:
    """Build, adapt and compile the model, and try it on one batch.

    Args:
        chosen: how the run's steps were run before, if it goes on.
        spread: the devices that share each batch; None is one.

    Raises:
        SpecError: K160 for a monitor that nothing yields; K511 if the model, its loss and the data do not fit together.
    """
    assert spec.data is not None
    size, notes = spec.data.batch_size, [*_on_disk(dataset), *execution.prepare(spec.train)]
    heads, dataset = tuple(heads), aligned(dataset, plan, heads)
    with distribute.scope(spread):
        model = build.build(plan)
    if any(step.shapes is None for step in plan.steps):
        # what was built is remembered: now the units can be held against the classes, and the rules asked again
        found = check(spec, dataset.header)
        plan, heads = found.plan, found.heads
    parts, built = phases(spec, plan), thaw.states(model)
    started = start.start(model, plan, spec)
    adapt.adapt(model, plan, dataset.train.x)
    features = build.features(model, plan)
    training = distribute.shared(_training(parts[0].spec, heads, dataset.train, features), spread)
    lasts(model, spec.train.length * training.steps)
    _ready(model, plan, built, parts, heads, dataset.train, training.steps)
    validation = None
    if dataset.validation is not None and len(dataset.validation):
        validation = distribute.shared(batches(spec, heads, dataset.validation, features), spread)
    chosen = chosen or distribute.choice(spec.train, spread)
    decision = execution.decide(model, plan, [part.spec.train for part in parts], training, size, chosen)
    logs = first_batch(model, spec, heads, dataset.train, features, decision.running)
    for part in parts:
        names = monitors.check(part.spec, tuple(logs), validation is not None)
    distribute.agree(model, spread, _first(spec, heads, dataset.train, features), _sizes(len(dataset.train), size))
    running = execution.settle(model, decision)
    notes = (*(h.why for h in heads if h.why), *map(str, started), *notes, f"execution: {running.choice}")
    return Job(
        spec, plan, heads, dataset, model, features, training, validation, names, notes, parts, built, started, running,
        spread,
    )  # fmt: skip


def _ready(
    model: keras.Model, plan: Plan, built: thaw.States, parts: Sequence[Phase], heads: Sequence[Head], part: Part,
    steps: int,
) -> None:  # fmt: skip
    """Have the model ready for its first phase, after every other: what is wrong with one must not show after days."""
    for one in reversed(parts):
        phase.ready(model, plan, built, one, heads, steps)
        callbacks.own(one.spec.train, Path(), model, [call for head in heads for call in head.metrics])
        _weights(one.spec, heads, part, [head.output for head in heads], True)


def _first(spec: Spec, heads: Sequence[Head], part: Part, features: keras.Model | None) -> Callable[[int], object]:
    """Gives a batch of so many of the first examples."""
    return lambda size: batches(spec, heads, part.take(np.arange(size)), features).data


def _sizes(count: int, size: int) -> tuple[int, int]:
    """Of the batches of an epoch: all but the last, and the last."""
    return min(count, size), (count - 1) % size + 1


def _on_disk(dataset: Dataset) -> list[str]:
    parts = [part for part in (dataset.train, dataset.validation, dataset.test) if part is not None and part.streams]
    size = sum(array.nbytes for part in parts for array in part.x.values())
    return [f"{size / 1e9:.3g} GB of examples are not held in memory, but read as they are needed"] if parts else []


def feed_of(job: Job, number: int) -> feed.Feed:
    """The training batches of a phase: those of the first, unless classes weigh otherwise in it."""
    part, first = job.phases[number].spec, job.phases[0].spec
    if part.train.class_weight == first.train.class_weight:
        return job.train
    return distribute.shared(_training(part, job.heads, job.dataset.train, job.features), job.spread)


def aligned(dataset: Dataset, plan: Plan, heads: Sequence[Head]) -> Dataset:
    """The data by the names of the model's inputs and outputs, where there is one of each under other names."""
    parts = {}
    for name in ("train", "validation", "test"):
        part: Part | None = getattr(dataset, name)
        if part is not None:
            x, y = _renamed(part.x, [given.name for given in plan.inputs]), _renamed(part.y, [h.output for h in heads])
            part = replace(part, x=x, y=y)
        parts[name] = part
    return replace(dataset, **parts)


def batches(
    spec: Spec, heads: Sequence[Head], part: Part, features: keras.Model | None, training: bool = False
) -> feed.Feed:
    """The feed of a part of the data; in `training` shuffled, augmented and with class weights."""
    assert spec.data is not None
    calls = _augment(spec, part)
    outputs = [head.output for head in heads]
    reconstruct = spec.data.target == "input"
    if any(head.loss is not None for head in heads):
        part = _whole(part, outputs)
    if augment.mixes(calls):
        part = _dense(part, heads)
    return feed.feed(
        part,
        spec.data.batch_size,
        outputs,
        seed=spec.train.seed if training else None,
        augment=augment.Augment(calls, spec.train.seed) if training and calls else None,
        features=features,
        reconstruct=reconstruct,
        weights=_weights(spec, heads, part, outputs, training),
    )


def first_batch(
    model: keras.Model, spec: Spec, heads: Sequence[Head], part: Part, features: keras.Model | None, running: Running
) -> Mapping[str, float]:
    """Evaluate the untrained model on one batch: the names that it reports, or SpecError K511."""
    assert spec.data is not None
    few = part.take(np.arange(distribute.first(model, min(len(part), spec.data.batch_size))))
    try:
        data = batches(spec, heads, few, features)
        with distribute.beside(model):
            return model.evaluate(running.measured(data), verbose=0, return_dict=True)  # pyright: ignore
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(broken(error, "the first batch", few, model)) from error


def broken(error: Exception, where: str, part: Part, model: keras.Model) -> Problem:
    """What Keras said when a step failed, with the shapes that met; or what is wrong with the data it was to read."""
    unread = stream.cause(error)
    if unread is not None:
        return unread.problems[0]
    shapes = ", ".join(f"`{name}` {tuple(array.shape)}" for name, array in (*part.x.items(), *part.y.items()))
    outputs = ", ".join(
        f"`{name}` {tuple(shape.shape)}" for name, shape in zip(model.output_names, model.outputs, strict=False)
    )
    return Problem(
        "K511",
        f"{where} fails: {objects.sentence(error)}",
        help=f"the data give {shapes}; the model gives {outputs}; compare them with `kbuild show` and `kbuild data`",
        path="model",
    )


def _training(spec: Spec, heads: Sequence[Head], part: Part, features: keras.Model | None) -> feed.Feed:
    try:
        return batches(spec, heads, part, features, training=True)
    except SpecError:
        raise
    except Exception as error:
        if not any(spec.augment.values()):
            raise
        shapes = ", ".join(f"`{name}` {tuple(array.shape)}" for name, array in part.x.items())
        raise SpecError(
            Problem(
                "K511",
                f"`data.augment` fails on the first examples: {objects.sentence(error)}",
                help=f"the data give {shapes}; take layers that are made for such inputs",
                path="data.augment",
            )
        ) from error


def _whole(part: Part, outputs: Sequence[str]) -> Part:
    """With zeros as labels of outputs that have none: Keras drops the metrics of all if one is missing."""
    if len(outputs) == 1:
        return part
    given = {name: part.y[name] if name in part.y else np.zeros(len(part), "float32") for name in outputs}
    return replace(part, y=given)


def _renamed(arrays: Mapping[str, Array], names: Sequence[str]) -> Mapping[str, Array]:
    return {names[0]: next(iter(arrays.values()))} if len(arrays) == len(names) == 1 else arrays


def _augment(spec: Spec, part: Part) -> dict[str, tuple[Call, ...]]:
    only = next(iter(part.x))
    return {name or only: calls for name, calls in spec.augment.items() if calls}


def _dense(part: Part, heads: Sequence[Head]) -> Part:
    y = dict(part.y)
    for head in heads:
        categorical = head.loss is not None and "categorical" in head.loss.name.lower()
        if head.output in y and head.count and categorical:
            y[head.output] = weights.one_hot(y[head.output], head.count, lazy=part.streams)
    return Part(part.x, y, part.weights, part.ids)


def _weights(
    spec: Spec, heads: Sequence[Head], part: Part, outputs: Sequence[str], training: bool
) -> dict[str, np.ndarray] | None:
    wanted = spec.train.class_weight if training else None
    found: dict[str, np.ndarray] = {}
    if wanted is not None and not any(head.task in ("binary", "multiclass") for head in heads):
        raise SpecError(
            Problem(
                "K165",
                "`class_weight` needs an output that tells classes, and there is none",
                help="leave it out; examples are weighed by `weights` of the source",
                path="train.class_weight",
            )
        )
    for head in heads:
        if head.output not in outputs or head.loss is None:
            continue
        classified = head.task in ("binary", "multiclass") and head.output in part.y
        one = weights.of_examples(
            wanted if classified else None,  # pyright: ignore[reportArgumentType]
            part.y.get(head.output, np.zeros(len(part))),
            head.classes,
            head.count,
            part.weights,
        )
        if one is not None:
            found[head.output] = one
    return found or None
