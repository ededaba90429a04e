"""The losses of a learning-rate range test → a smooth curve, and the rate that it suggests. Knows nothing of Keras."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DIVERGED = 4.0
"""How many times its minimum the smoothed loss may be before the test ends."""
CAUTION = 10.0
"""How far the suggestion stays below the rate at which the loss was lowest."""
FALL = 0.05
"""The part of the loss at the start by which it must have fallen, for its minimum to mean something."""

CHANCE = 5.0
"""How many standard deviations it must have fallen: the lowest of hundreds of values lies three below by chance."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a curve says.

    Args:
        rate: `lowest / 10`, two digits; None if the curve does not tell.
        lowest: the rate at the minimum of the smoothed loss.
        steepest: the rate at which the smoothed loss falls fastest over the logarithm of the rate.
        why: where the rate comes from, or why there is none; a sentence without a final period.
    """

    rate: float | None
    lowest: float | None
    steepest: float | None
    why: str


def sweep(low: float, high: float, steps: int) -> np.ndarray:
    """(steps,) rates from `low` to `high`, each the same factor above the one before.

    Args:
        low, high: 0 < low < high.
        steps: >= 2.
    """
    return low * (high / low) ** (np.arange(steps) / (steps - 1))


def memory(steps: int) -> float:
    """The weight of what was before in the average: it reaches over the 30th part of the steps, three at least."""
    return 1.0 - 1.0 / max(steps / 30, 3.0)


def noise(losses: Sequence[float], beta: float) -> float:
    """How far the average of losses strays by chance: one standard deviation.

    From one step to the next the loss of a batch differs by chance alone, but for a few steps: half of all differences
    are below 0.954 standard deviations of a normal law. An average has less of it, by sqrt((1 - beta) / (1 + beta)).
    """
    known = np.asarray(losses)[np.isfinite(losses)]
    if len(known) < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(known)))) / 0.954 * math.sqrt((1 - beta) / (1 + beta))


class Average:
    """A running average of losses, corrected for its start at 0 (Adam, arXiv:1412.6980, section 3).

    It is the mean of all losses so far, with weights that fall by `beta` for each step back.

    Args:
        beta: 0 <= beta < 1.
    """

    def __init__(self, beta: float):
        self._beta, self._total, self._weight = beta, 0.0, 0.0

    def add(self, loss: float) -> float:
        """The average once `loss` is in it."""
        self._total = self._beta * self._total + (1 - self._beta) * loss
        self._weight = self._beta * self._weight + (1 - self._beta)
        return self._total / self._weight


def smoothed(losses: Sequence[float], beta: float) -> np.ndarray:
    """(n,) float64: the average after each of `losses`, in the order of the steps."""
    average = Average(beta)
    return np.asarray([average.add(loss) for loss in losses], "float64")


def diverged(last: float, lowest: float) -> bool:
    """Whether a smoothed loss is no number, or above four times the lowest; one below 0 says nothing.

    Args:
        lowest: of the smoothed losses so far, those left out that hold nothing but noise.
    """
    return not math.isfinite(last) or bool(0 < DIVERGED * lowest < last)


def suggest(rates: np.ndarray, curve: np.ndarray, noise: float = 0.0) -> Suggestion:
    """A tenth of the rate at which the smoothed loss was lowest.

    There the updates are as large as they can be before training stops to get better; a tenth of it leaves room for
    the later, finer part of training.

    Args:
        rates, curve: (n,); `curve` may end in what is no number.
        noise: how far the curve strays by chance; a fall must be five times as deep.
    """
    known = np.isfinite(curve)
    rates, curve = rates[known], curve[known]
    if len(curve) < 3:
        return Suggestion(None, None, None, "the loss was a number for too few steps")
    at = int(curve.argmin())
    steepest = _steepest(rates[: at + 1], curve[: at + 1])
    lowest = float(rates[at])
    first = max(len(curve) // 10, min(5, len(curve)))
    start = float(curve[:first].mean())
    if at < first or start - curve[at] <= max(FALL * abs(start), CHANCE * noise):
        return Suggestion(None, lowest, steepest, "the loss hardly falls at any rate")
    if at == len(curve) - 1 and known.all():
        return Suggestion(None, lowest, steepest, "the loss still falls at the highest rate")
    why = f"a tenth of {lowest:.1e}, where the loss is lowest"
    return Suggestion(float(f"{lowest / CAUTION:.1e}"), lowest, steepest, why)


def _steepest(rates: np.ndarray, curve: np.ndarray) -> float | None:
    # the average begins as the first loss alone, and moves most there
    rates, curve = rates[len(rates) // 10 :], curve[len(curve) // 10 :]
    if len(curve) < 3:
        return None
    return float(rates[np.gradient(curve, np.log10(rates)).argmin()])
