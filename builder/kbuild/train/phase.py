"""(Model, Phase) → the model made ready for it: what learns, a new optimizer, its schedule."""

from collections.abc import Sequence

import keras
import numpy as np

from kbuild.model import thaw
from kbuild.plan.head import Head
from kbuild.plan.phases import Phase
from kbuild.plan.plan import Plan
from kbuild.text.problem import Problem, SpecError
from kbuild.train import compile


def ready(
    model: keras.Model, plan: Plan, built: thaw.States, phase: Phase, heads: Sequence[Head], steps_per_epoch: int
) -> None:
    """Compile the model anew for a phase. Its weights stay, its optimizer begins.

    Args:
        plan: what the model was built of.
        built: which layers learned then.
        heads, steps_per_epoch: see `compile.compile`.

    Raises:
        SpecError: K219, K243 for what Keras alone knows of an application; what `compile.compile` raises.
    """
    if phase.plan is not plan:
        thaw.learn(model, plan, phase.plan, built)
        if not model.trainable_variables:
            raise SpecError(_idle(phase, model))
    compile.compile(model, phase.spec.train, heads, steps_per_epoch)


def told(model: keras.Model, phase: Phase, count: int, began: int) -> str:
    """A line for people: how long a phase takes, how many parameters learn in it, and how fast.

    Args:
        model: compiled for it.
        count: of phases.
        began: its first epoch, from 0.
    """
    train = phase.spec.train
    when = f"epoch {began + 1}" if train.epochs == 1 else f"epochs {began + 1} to {began + train.epochs}"
    what = f"{learning(model):,} of {model.count_params():,} parameters learn"
    rate = compile.base_rate(model.optimizer)
    return f"phase {phase.number + 1} of {count}, {when}: {what}, {train.optimizer.name} at {rate:.3g}"


def learning(model: keras.Model) -> int:
    """How many numbers training changes."""
    return sum(int(np.prod(variable.shape, dtype="int64")) for variable in model.trainable_variables)


def _idle(phase: Phase, model: keras.Model) -> Problem:
    said = f"phase {phase.number + 1} trains nothing: all {model.count_params():,} weights are frozen"
    help = "say which entries learn in it: `trainable: {head: true}`"
    return Problem("K243", said, help=help, path=f"train.phases.{phase.number}")
