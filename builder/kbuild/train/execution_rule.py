"""What is known of a training before it begins → Choice: how its steps are run.

XLA makes a stack of dense layers twice as fast on a CPU, more where it compiles the loop over the steps too. It makes a
convolution two to ten times slower there, and what draws random numbers, such as dropout, slower yet. What runs in one
execution is not interrupted: signals and checkpoints wait for its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from kbuild.plan.cost import costs
from kbuild.plan.plan import Plan
from kbuild.spec.train import Execution, Plateau, Train
from kbuild.train import schedule

LOOP, OTHERS, DEVICE = 128, 16, 32
"""Steps of an execution on a CPU where the loop over them is part of the program or its layers are dense, there where a
pipeline feeds them, and on a GPU."""
SECONDS = 1.0
"""What an execution may take, so that a signal is heard in time."""
FLOPS = 5e10
"""Operations a second of a CPU with few cores, by which the time of a step is estimated."""
COMPILING = 2.0
"""Seconds that XLA compiles for. It saves about so many of a step without it: SAVED, and a part of its operations."""
SAVED, PART = 5e-4, 0.3
PASSES = 3  # forward, and backward with twice the operations
_DENSE = frozenset(
    {"core", "activations", "normalization", "regularization", "merging", "reshaping", "preprocessing", "numpy"}
)
_CHAINS = frozenset({"attention", "rnn"})
_WINDOWS = frozenset({"convolutional", "pooling"})
_RANDOM = frozenset({"regularization"})


@dataclass(frozen=True, slots=True)
class Choice:
    """How steps are run.

    Args:
        jit: whether XLA compiles them.
        steps_per_execution: steps that run before Python looks again; 1 or more.
        why: for people, after "execution: ".
    """

    jit: bool
    steps_per_execution: int
    why: str

    def as_json(self) -> dict[str, object]:
        """As `run.json` keeps it."""
        return {"jit": self.jit, "steps_per_execution": self.steps_per_execution, "why": self.why}

    def __str__(self) -> str:
        count = self.steps_per_execution
        return f"{'XLA' if self.jit else 'no XLA'}, {count} step{'' if count == 1 else 's'} at a time ({self.why})"


@dataclass(frozen=True, slots=True)
class Case:
    """What decides how steps are run.

    Args:
        families: of the layers, as `families` names them.
        backend: `tensorflow`, `jax` or `torch`.
        accelerated: whether there is a GPU or TPU.
        deterministic: as `train.deterministic`.
        compiles: whether every layer says that XLA can compile it.
        held: whether the examples are in memory and go into the network as they are.
        steps: batches in an epoch.
        all: batches in the run.
        most: steps that something else allows in an execution, and what.
        seconds: an estimate of what a step takes; 0 where that is unknown.
    """

    families: frozenset[str]
    backend: str
    accelerated: bool
    deterministic: bool
    compiles: bool
    held: bool
    steps: int
    all: int
    most: tuple[int, str] | None = None
    seconds: float = 0.0


def stored(found: object) -> Choice | None:
    """What `run.json` says was chosen; None where it says nothing."""
    if not isinstance(found, Mapping):
        return None
    return Choice(bool(found["jit"]), int(found["steps_per_execution"]), str(found["why"]))


def told(section: Execution, jit: bool) -> Choice:
    """What `train.execution` says, with what Keras makes of its `auto`."""
    return Choice(jit, section.steps_per_execution, "as `train.execution` says")


def choose(case: Case) -> Choice:
    """How the steps are run, by rule alone."""
    return _bounded(case, *_wanted(case))


def with_xla(case: Case) -> Choice:
    """What XLA is measured as, where it is not known to be slower."""
    return _bounded(case, True, LOOP, "compiled by XLA")


def without_xla(case: Case) -> Choice:
    """What is left where XLA turns out not to be able to."""
    return _bounded(case, False, _plain(case), "XLA cannot compile it")


def unknown(case: Case) -> bool:
    """Whether only a measurement can tell if XLA is worth it."""
    return (
        case.backend == "tensorflow"
        and not case.accelerated
        and not case.deterministic
        and case.compiles
        and not dense(case.families)
        and not case.families & (_WINDOWS | _RANDOM)
    )


def dense(families: frozenset[str]) -> bool:
    """Whether a network is made of matrices and of what is done to each number."""
    return families <= _DENSE


def loops(families: frozenset[str], accelerated: bool) -> bool:
    """Whether XLA is fast at a whole loop over steps: on a CPU it is not where windows slide over inputs."""
    return accelerated or not families & _WINDOWS


def families(model: Any) -> frozenset[str]:
    """The folders in which Keras keeps the layers of a model, those inside others too: `core`, `rnn`, …

    An operation counts as the file that it is in; a class that is not Keras's, as the one it is derived from, and as
    `layers` if that is `keras.Layer` itself.
    """
    layers = [one for one in model._flatten_layers(include_self=False) if not isinstance(one, keras.Model)]
    operations = [one for one in getattr(model, "operations", ()) if not isinstance(one, keras.Layer)]
    return frozenset(_family(type(one)) for one in (*layers, *operations))


def seconds(plan: Plan, batch_size: int) -> float:
    """What a step takes on a CPU, estimated from the operations of the plan; 0 where they are unknown."""
    return PASSES * (costs(plan).total.flops or 0) * batch_size / FLOPS


def most(train: Train, steps: int, own: bool) -> tuple[int, str] | None:
    """The steps that the rest of `train` allows in an execution, and why; None where nothing bounds them.

    Args:
        steps: batches in an epoch.
        own: whether a callback of the spec looks at every batch.
    """
    if own:
        return 1, "a callback looks at every batch"
    bounds = []
    amount, unit = str(train.checkpoint.every).split() if train.checkpoint else ("0", "never")
    if unit == "steps":
        bounds.append((_divisor(max(1, round(float(amount)))), "so that checkpoints come in time"))
    if isinstance(train.schedule, Plateau):
        warmup = schedule.steps(str(train.schedule.warmup), steps, train.epochs)
        if warmup > 0:
            # the rate is set once an execution
            bounds.append((max(1, int(warmup / 16)), "so that the warm-up rises evenly"))
    return min(bounds, default=None)


def _wanted(case: Case) -> tuple[bool, int, str]:
    if case.backend == "torch":
        return False, 1, "torch runs step by step"
    loops = "the loop is compiled" if case.held else "compiled"
    if case.backend == "jax":
        if case.held and (case.accelerated or case.families <= _DENSE | _CHAINS):
            return True, DEVICE if case.accelerated else LOOP, f"JAX, {loops}"
        return True, OTHERS if case.held else 1, "JAX compiles each step"
    if case.deterministic:
        return False, _plain(case), "operations that repeat bit for bit exclude XLA"
    if case.accelerated:
        return case.compiles, DEVICE, f"on a GPU, {loops}" if case.compiles else "on a GPU"
    if case.families & _WINDOWS:
        return False, _plain(case), "XLA is slow at convolutions on a CPU"
    if case.families & _RANDOM:
        return False, _plain(case), "XLA is slow at random numbers on a CPU"
    if not case.compiles:
        return False, _plain(case), "a layer cannot be compiled by XLA"
    if dense(case.families):
        worth = case.all * (SAVED + PART * case.seconds) > COMPILING
        return worth, LOOP, "dense layers on a CPU" if worth else "too few steps for XLA to pay"
    return False, _plain(case), "XLA may be slow at such layers on a CPU"


def _plain(case: Case) -> int:
    """Steps of an execution on TensorFlow without XLA."""
    return LOOP if case.held or dense(case.families) else OTHERS


def _bounded(case: Case, jit: bool, wanted: int, why: str) -> Choice:
    bounds = [(wanted, ""), (case.steps, "")]
    if case.seconds:
        bounds.append((max(1, int(SECONDS / case.seconds)), "an execution takes about a second"))
    if case.most is not None:
        bounds.append(case.most)
    count, bound = min(bounds)
    return Choice(jit, count, f"{why}; {bound}" if bound else why)


def _divisor(number: int) -> int:
    """The largest number of steps an execution may have, for executions to end at each multiple of `number`."""
    return max(count for count in range(1, min(number, LOOP) + 1) if number % count == 0)


def _family(kind: type) -> str:
    module = next(one.__module__ for one in kind.__mro__ if one.__module__.startswith("keras.src."))
    parts = module.split(".")
    return parts[-2] if parts[2] == "layers" else parts[-1]
