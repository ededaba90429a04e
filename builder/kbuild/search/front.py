"""Trials → the Pareto front: those of which none is both smaller and better."""

from collections.abc import Sequence
from typing import Literal

from kbuild.search.study import Trial


def front(trials: Sequence[Trial], direction: Literal["min", "max"]) -> tuple[Trial, ...]:
    """The trials that no other dominates in parameters and score, the smallest first.

    One dominates another if it has as few parameters and as good a score, and fewer or a better one. Of equal ones the
    earliest stands for all.

    Args:
        trials: those that are done; whose parameters are not known are left out.
        direction: whether less or more of the score is better.
    """
    sign = 1 if direction == "min" else -1
    known = [(trial.params, sign * trial.score, trial.number, trial) for trial in trials
             if trial.params is not None and trial.score is not None]  # fmt: skip
    found: list[Trial] = []
    best = float("inf")
    for _, score, _, trial in sorted(known, key=lambda one: one[:3]):
        if score < best:
            best = score
            found.append(trial)
    return tuple(found)
