"""What happens between the steps and epochs of a run, as Keras callbacks."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kbuild.model import objects
from kbuild.spec.call import Call
from kbuild.spec.train import EarlyStopping, Plateau, Train
from kbuild.text.problem import Problem, SpecError
from kbuild.train import compile, history, monitors, patience, schedule
from kbuild.train.guard import Guard as Guard


class Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch whose `monitor` is best. What is not a number is never best."""

    def __init__(self, monitor: str, direction: monitors.Direction, start: int, guard: Guard):
        super().__init__()
        self.monitor, self.direction, self.start, self._guard = monitor, direction, start, guard
        self.epoch: int | None = None
        self.value = math.nan
        self.weights: list[np.ndarray] | None = None
        self.improved = False

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Keep these weights if they are the best so far."""
        value = float((logs or {}).get(self.monitor, math.nan))
        self.improved = not self._guard.ended and epoch >= self.start and self._better(value)
        if self.improved:
            model: Any = self.model
            self.epoch, self.value, self.weights = epoch, value, model.get_weights()

    def _better(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return self.epoch is None or (value < self.value if self.direction == "min" else value > self.value)


class Recorder(keras.callbacks.Callback):
    """Tells the feed which epoch begins, and everyone who wants to know what an epoch yielded.

    Args:
        start: called with the epoch's number, from 0, before its first batch.
        step: called with the number of batches done in the run.
        row: called with the epoch's row and whether it is the best, for each epoch that counts.
    """

    async_safe = True

    def __init__(
        self,
        start: Callable[[int], None],
        step: Callable[[int], None],
        row: Callable[[Mapping[str, float], bool], None],
        steps: int,
        best: Best,
        guard: Guard,
    ):
        super().__init__()
        self.begin, self._step, self._row = start, step, row
        self._steps, self._best, self._guard = steps, best, guard
        self._began, self._epoch, self._shown = time.monotonic(), 0, 0.0
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""
        self.phase: int | None = None
        """The phase under way, from 1; None in a training without phases."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Set the order of the epoch's examples."""
        self._epoch, self._began = epoch, time.monotonic()
        self.begin(epoch)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Say how far the run is, ten times a second at most."""
        now = time.monotonic()
        if now - self._shown > 0.1:
            self._shown = now
            self._step(self._epoch * self._steps + self.first + batch + 1)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Make the row of the epoch and hand it on."""
        if self._guard.ended:
            return
        model: Any = self.model
        numbers = {name: float(value) for name, value in (logs or {}).items() if name != "learning_rate"}
        row: dict[str, float] = {
            "epoch": epoch + 1,
            **({} if self.phase is None else {"phase": self.phase}),
            "seconds": round(time.monotonic() - self._began, 4),
            "learning_rate": compile.rate(model.optimizer),
            **numbers,
        }
        row = {name: row[name] for name in history.columns(row)}
        self._step((epoch + 1) * self._steps)
        self._row(row, self._best.improved)


class WarmUp(keras.callbacks.Callback):
    """A straight line up to the optimizer's learning rate, for a schedule that reacts to what is measured."""

    def __init__(self, steps: float):
        super().__init__()
        self.steps, self._done, self._base = steps, 0, None

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Set the rate of this step."""
        if self._done >= self.steps:
            return
        model: Any = self.model
        optimizer = model.optimizer
        if self._base is None:
            self._base = compile.number(optimizer.learning_rate)
        spread = getattr(model, "steps_per_execution", 1)
        self._done += spread
        optimizer.learning_rate = self._base * min(self._done / self.steps, 1.0)


class OnPlateau(patience.ReduceLROnPlateau):
    """Keras's, which does not count the epochs of warm-up."""

    def __init__(self, warmup: WarmUp | None, **arguments: object):
        super().__init__(**arguments)  # pyright: ignore[reportArgumentType]
        self._warmup = warmup

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reduce the rate if it is time to."""
        if self._warmup is None or self._warmup._done >= self._warmup.steps:
            super().on_epoch_end(epoch, dict(logs or {}))


class Averages(keras.callbacks.SwapEMAWeights):
    """Keras's, which does not throw the weights away that training would go on with."""

    def _finalize_ema_values(self) -> None:
        pass


def early_stopping(section: EarlyStopping, metrics: Sequence[Call], began: int = 0) -> keras.callbacks.EarlyStopping:
    """Keras's, with a direction that is known; the best weights are `Best`'s to restore.

    Args:
        began: the first epoch of its phase, from 0.
    """
    return patience.EarlyStopping(
        monitor=section.monitor,
        min_delta=section.min_delta,  # pyright: ignore[reportArgumentType]
        patience=section.patience,
        mode=monitors.direction(section.monitor, section.mode, metrics),
        baseline=section.baseline,  # pyright: ignore[reportArgumentType]
        start_from_epoch=began + section.start_from_epoch,
    )


def plateau(
    section: Plateau, metrics: Sequence[Call], steps_per_epoch: int, epochs: int
) -> list[keras.callbacks.Callback]:
    """The callbacks of a `plateau` schedule: warm-up, where there is one, and the reduction."""
    length = schedule.steps(str(section.warmup), steps_per_epoch, epochs)
    warmup = WarmUp(length) if length > 0 else None
    reduce = OnPlateau(
        warmup,
        monitor=section.monitor,
        factor=section.factor,
        patience=section.patience,
        min_delta=section.min_delta,
        cooldown=section.cooldown,
        min_lr=section.min_lr,
        mode=monitors.direction(section.monitor, section.mode, metrics),
    )
    return [reduce] if warmup is None else [warmup, reduce]


def own(train: Train, path: Path, model: keras.Model, metrics: Sequence[Call], began: int = 0) -> tuple[list, list]:
    """Callbacks that the spec names: those that change the weights of an epoch's end, and the rest.

    An optimizer with `use_ema` gets `SwapEMAWeights`, so that the averages are what is validated and saved.

    Args:
        began: the first epoch of their phase, from 0.

    Raises:
        SpecError: K164 for `SwapEMAWeights` without an average.
    """
    averages = bool(getattr(getattr(model.optimizer, "inner_optimizer", model.optimizer), "use_ema", False))
    first, rest = [], []
    for call in train.callbacks:
        if call.name == "SwapEMAWeights":
            if not averages:
                raise SpecError(
                    Problem(
                        "K164",
                        "`SwapEMAWeights` needs an optimizer that averages weights",
                        call.span,
                        help="write `use_ema: true` in the optimizer",
                        path="train.callbacks.SwapEMAWeights",
                    )
                )
            first.append(Averages(**{"swap_on_epoch": True, **objects.arguments(call)}))
        else:
            rest.append(_made(_inside(call, path, metrics, began)))
    if averages and not first:
        first.append(Averages(swap_on_epoch=True))
    return first, rest


def _inside(call: Call, path: Path, metrics: Sequence[Call], began: int) -> Call:
    """The call with its files inside the run, which go on, and with a direction that is known."""
    args = dict(call.args)
    if "filename" in args:
        args["filename"] = str(path / Path(str(args["filename"])).name)
    if call.name in ("EarlyStopping", "ReduceLROnPlateau") and args.get("mode", "auto") == "auto":
        args["mode"] = monitors.direction(str(args.get("monitor", "val_loss")), "auto", metrics)
    if began and call.name == "EarlyStopping":
        args["start_from_epoch"] = began + int(args.get("start_from_epoch", 0))  # pyright: ignore[reportArgumentType]
    if began and call.name == "CSVLogger":
        args["append"] = True
    return dataclasses.replace(call, args=args)


def _made(call: Call) -> object:
    """A callback of Keras; those that wait for a number are kbuild's."""
    known = {one.__name__: one for one in (patience.EarlyStopping, patience.ReduceLROnPlateau)}
    return known[call.name](**objects.arguments(call)) if call.name in known else objects.make(call)
