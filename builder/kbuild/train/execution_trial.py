"""A compiled model, its feed and two choices → the faster one, by a few real batches. Leaves no trace in the model."""

import time
from collections.abc import Sequence
from typing import Any

from kbuild.train import state
from kbuild.train.execution_loop import Running
from kbuild.train.execution_rule import Choice
from kbuild.train.feed import Feed

WORTH = 120.0
"""Seconds that a run must take for a look at XLA, which compiles for some of them, to be worth it."""
GAIN = 0.9  # of the time without XLA, below which XLA is taken: measurements differ by some percent
_TIMES = 3


def faster(model: Any, feed: Feed, plain: Choice, other: Choice, steps: int, accelerated: bool) -> Choice:
    """The choice with which the run takes less time; `plain` where it is too short to find out.

    Args:
        plain: needs no compiling that is not needed anyway.
        steps: of the whole run.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    before = state.arrays(model)
    try:
        slow = _seconds(Running(model, plain, accelerated), model, feed)
        if slow * steps < WORTH:
            return plain
        try:
            fast = _seconds(Running(model, other, accelerated), model, feed)
        except Exception:  # whatever XLA cannot do is an exception of another kind
            return Choice(plain.jit, plain.steps_per_execution, "XLA cannot compile it")
    finally:
        state.restore(model, before)
        model.train_function = None
    better, count = (other, other.steps_per_execution) if fast < GAIN * slow else (plain, plain.steps_per_execution)
    return Choice(better.jit, count, f"measured: a step takes {fast / slow:.2f} of its time with XLA")


def _seconds(running: Running, model: Any, feed: Feed) -> float:
    """What a step takes, after everything is compiled: the least of a few."""
    count = min(running.choice.steps_per_execution, feed.steps)
    found: list[float] = []
    for _ in range(1 + _TIMES):
        began = time.perf_counter()
        _fit(model, running.data(feed, feed.steps - count))
        found.append((time.perf_counter() - began) / count)
    return min(_later(found))


def _fit(model: Any, data: object) -> None:
    model.fit(data, epochs=1, verbose=0, shuffle=False)


def _later(found: Sequence[float]) -> Sequence[float]:
    # the first one compiled
    return found[1:]
