"""Seed, determinism, device and the way in which a step is run. One of the few files that know the backend.

The way is chosen by a rule (execution_rule.py), by a measurement where there is none (execution_trial.py), and taken
by execution_loop.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from kbuild.model import backend, objects
from kbuild.plan.plan import Plan
from kbuild.spec.call import Call
from kbuild.spec.train import Train
from kbuild.text.problem import Problem, SpecError
from kbuild.train import execution_rule as rule
from kbuild.train import execution_trial as trial
from kbuild.train.execution_loop import Running
from kbuild.train.execution_rule import Choice
from kbuild.train.feed import Feed

_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


@contextmanager
def precision(train: Train) -> Iterator[None]:
    """Layers that are made inside compute as `train.precision` says; what comes after is as before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(train.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def prepare(train: Train) -> list[str]:
    """Make the process ready to build and train: seed, determinism. Call before the model is built.

    Returns:
        What a user should know of it, a line each.

    Raises:
        SpecError: K162 if the backend cannot do what is asked, K506 if it has begun with other threads.
    """
    notes = []
    if train.threads is not None:
        notes += filter(None, [backend.share(train.threads)])
    if train.precision != "float32" and not accelerated():
        notes.append(
            f"warning: `precision: {train.precision}` on a CPU is slower than float32, up to 60 times; it is for GPUs"
        )
    backend.seed(train.seed, train.deterministic)
    return notes


def arguments(train: Train) -> dict[str, object]:
    """How `compile` is to run the step: `jit_compile` and `steps_per_execution`.

    Raises:
        SpecError: K162 if the backend cannot run it so.
    """
    if train.execution == "auto":
        return {"jit_compile": "auto"}
    steps = train.execution.steps_per_execution
    if steps > 1 and keras.backend.backend() == "torch":
        raise SpecError(
            Problem(
                "K162",
                "`steps_per_execution` above 1 does not work on the torch backend",
                help="leave it out, or use `--backend tensorflow`",
                path="train.execution.steps_per_execution",
            )
        )
    if train.execution.jit is True and train.deterministic and keras.backend.backend() == "tensorflow":
        raise SpecError(
            Problem(
                "K162",
                "`jit: true` and `deterministic: true` exclude each other on TensorFlow",
                help="leave one of them out, or use `--backend jax`, whose operations repeat on a CPU with XLA",
                path="train.execution.jit",
            )
        )
    return {"jit_compile": train.execution.jit, "steps_per_execution": steps}


@dataclass(frozen=True, slots=True)
class Decision:
    """How steps are to be run, as far as it is known before the model was tried.

    Args:
        case: what the rule was given; None where nothing is to be chosen.
    """

    running: Running
    feed: Feed
    case: rule.Case | None = None


def decide(
    model: Any, plan: Plan, parts: Sequence[Train], feed: Feed, batch_size: int, before: Choice | None = None
) -> Decision:
    """How a compiled model's steps are to be run, by rule; Keras evaluates the model so from now on.

    Args:
        parts: the `train` of each phase.
        before: what was chosen when the run began, for one that goes on.
    """
    train, fast = parts[0], accelerated()
    if before is None and train.execution != "auto":
        before = rule.told(train.execution, bool(model.jit_compile))
    if before is not None:
        found = Decision(Running(model, before, fast), feed)
    else:
        case = _case(model, plan, parts, feed, batch_size)
        found = Decision(Running(model, rule.choose(case), fast), feed, case)
    found.running.ready()
    return found


def settle(model: Any, found: Decision) -> Running:
    """The same once the model is known to work: measured where no rule tells, and compiled to see that XLA can."""
    case, running = found.case, found.running
    if case is None:
        return running
    if rule.unknown(case):
        chosen = trial.faster(model, found.feed, running.choice, rule.with_xla(case), case.all, case.accelerated)
        running = running if chosen == running.choice else Running(model, chosen, case.accelerated)
    if running.choice.jit and case.backend == "tensorflow":
        try:
            running.data(found.feed)
        except Exception:  # what XLA cannot do is an exception of any kind
            running = Running(model, rule.without_xla(case), case.accelerated)
    running.ready()
    return running


@contextmanager
def stepwise(model: Any) -> Iterator[None]:
    """Inside, `predict` takes one batch at a time: Keras writes several of them out one after another in the graph."""
    before, model.steps_per_execution = model.steps_per_execution, 1
    try:
        yield
    finally:
        model.steps_per_execution = before


def _case(model: Any, plan: Plan, parts: Sequence[Train], feed: Feed, batch_size: int) -> rule.Case:
    fast = accelerated()
    most = [found for part in parts if (found := rule.most(part, feed.steps, _looks(part.callbacks))) is not None]
    return rule.Case(
        families=rule.families(model),
        backend=keras.backend.backend(),
        accelerated=fast,
        deterministic=parts[0].deterministic,
        compiles=all(layer.supports_jit for layer in model._flatten_layers()),
        held=feed.held is not None,
        steps=feed.steps,
        all=feed.steps * sum(part.epochs for part in parts),
        most=min(most, default=None),
        seconds=0.0 if fast else rule.seconds(plan, batch_size),
    )


def _looks(calls: Sequence[Call]) -> bool:
    """Whether a callback that is not Keras's looks at every batch."""
    found = [cls for call in calls if not (cls := objects.find(call)).__module__.startswith(("keras.", "kbuild."))]
    return any(
        getattr(cls, hook, None) is not getattr(keras.callbacks.Callback, hook) for cls in found for hook in _HOOKS
    )


def accelerated() -> bool:
    """Whether Keras sees a GPU or TPU."""
    return not all(name.startswith("cpu") for name in keras.distribution.list_devices())


def device() -> str:
    """The devices of this run: `cpu:0`, `gpu:0, gpu:1`."""
    found = [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]
    return ", ".join(found) or "cpu"
