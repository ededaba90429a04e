"""A `schedule` of the spec, a base rate and the run's length → Scheduled: the learning rate as a function of the step.

Applied at every step, inside the compiled step, except `plateau`, which reacts to what is measured (callbacks.py).
"""

import math
from collections.abc import Mapping
from typing import Any

import keras

from kbuild.spec.section import Section
from kbuild.spec.train import (
    SCHEDULES,
    Cosine,
    CosineRestarts,
    Exponential,
    Linear,
    OneCycle,
    Piecewise,
    Step,
)

ops: Any = keras.ops  # its annotations say that functions return None


def steps(duration: str, steps_per_epoch: int, epochs: int) -> float:
    """A length of training (`3 epochs`, `10 percent`, `500 steps`) in steps; not rounded."""
    amount, unit = str(duration).split()
    factor = {"steps": 1.0, "epochs": float(steps_per_epoch), "percent": steps_per_epoch * epochs / 100}[unit]
    return float(amount) * factor


@keras.saving.register_keras_serializable(package="kbuild")
class Scheduled(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of the spec as Keras takes it.

    Warm-up is a straight line to the base rate that ends at step `w - 1`: `base * (t + 1) / w`, so that the first step
    already moves. `cosine`, `linear`, `exponential` and `cosine_restarts` begin after it; the times of `step` and
    `piecewise` count from the start of the run.

    Args:
        schedule: a schedule of `kbuild.spec.train`, or its fields with `kind`.
        base: the optimizer's learning rate.
        steps_per_epoch: batches in an epoch, >= 1.
        epochs: length of the run, >= 1.
    """

    def __init__(self, schedule: Section | Mapping[str, object], base: float, steps_per_epoch: int, epochs: int):
        super().__init__()
        if not isinstance(schedule, Section):
            schedule = SCHEDULES[str(schedule["kind"])](**schedule)
        self.schedule, self.base = schedule, float(base)
        self.steps_per_epoch, self.epochs = int(steps_per_epoch), int(epochs)

    def __call__(self, step):
        """The rate at `step`, an integer tensor >= 0; float32."""
        rate, warmup = _rate(self.schedule, self.base, self._steps, self.steps_per_epoch * self.epochs)
        step = ops.cast(step, "float32")
        if warmup <= 0 or isinstance(self.schedule, OneCycle):
            return rate(step)
        start = self.schedule.values[0] if isinstance(self.schedule, Piecewise) else self.base
        return ops.where(step < warmup, start * ops.minimum((step + 1.0) / warmup, 1.0), rate(step))

    def get_config(self) -> dict[str, object]:
        """Everything that makes the same schedule again."""
        return {
            "schedule": self.schedule.model_dump(mode="json"),
            "base": self.base,
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
        }

    def _steps(self, duration: object) -> float:
        return steps(str(duration), self.steps_per_epoch, self.epochs)


def _rate(schedule, base: float, length, total: float):
    """The rate after warm-up as a function of the step, and the length of the warm-up in steps."""
    warmup = length(schedule.warmup)
    rest = max(total - warmup, 1.0)
    match schedule:
        case Step():
            every = max(length(schedule.every), 1.0)
            return lambda t: base * ops.power(schedule.factor, ops.floor(t / every)), warmup
        case Exponential():
            every = max(length(schedule.every), 1.0)
            return lambda t: base * ops.power(schedule.factor, ops.maximum(t - warmup, 0.0) / every), warmup
        case Cosine():
            return lambda t: _cosine(base, schedule.to, _clip((t - warmup) / rest)), warmup
        case Linear():
            return lambda t: base + (schedule.to - base) * _clip((t - warmup) / rest), warmup
        case CosineRestarts():
            period = max(length(schedule.period), 1.0)
            return lambda t: _restarts(schedule, base, ops.maximum(t - warmup, 0.0) / period), warmup
        case Piecewise():
            times = [length(at) for at in schedule.at]
            return lambda t: _pieces(schedule.values, times, t), warmup
        case OneCycle():
            peak = schedule.peak or base
            return lambda t: _cycle(peak, schedule, max(warmup, 1.0), rest, t), warmup
    raise TypeError(f"{type(schedule).__name__} is no function of the step")


def _clip(fraction):
    return ops.clip(fraction, 0.0, 1.0)


def _cosine(high: float, low: float, fraction):
    """arXiv:1608.03983, eq. 5."""
    return low + 0.5 * (high - low) * (1.0 + ops.cos(math.pi * fraction))


def _restarts(schedule: CosineRestarts, base: float, periods):
    """arXiv:1608.03983, eq. 5 with T_mult: `periods` is the time since warm-up in lengths of the first cosine."""
    factor = float(schedule.factor)
    if factor == 1.0:
        number = ops.floor(periods)
        fraction = periods - number
    else:
        # a hair below a restart counts as the restart: float32 logarithms are not exact there
        number = ops.floor(ops.log(1.0 + periods * (factor - 1.0)) / math.log(factor) + 1e-6)
        begun = (ops.power(factor, number) - 1.0) / (factor - 1.0)
        fraction = (periods - begun) / ops.power(factor, number)
    high = (base - schedule.to) * ops.power(float(schedule.decay), number)
    return schedule.to + 0.5 * high * (1.0 + ops.cos(math.pi * _clip(fraction)))


def _pieces(values: list, times: list[float], t):
    rate = ops.full_like(t, values[0])
    for value, time in zip(values[1:], times, strict=False):
        rate = ops.where(t >= time, float(value), rate)
    return rate


def _cycle(peak: float, schedule: OneCycle, up: float, down: float, t):
    """arXiv:1708.07120, section 4: a straight line up, a straight line down."""
    low, last = peak / schedule.div, peak / schedule.final_div
    rising = low + (peak - low) * _clip(t / up)
    falling = peak + (last - peak) * _clip((t - up) / down)
    return ops.where(t < up, rising, falling)
