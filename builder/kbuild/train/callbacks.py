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
from kbuild.train import compile, history, monitors, schedule
from kbuild.train.signals import Signals

CHECK_SECONDS = 2.0  # between looks at the loss within an epoch: each look waits for the step


class Guard(keras.callbacks.Callback):
    """Ends training at a signal, or when the loss stops being a number; `failure` says when and where.

    The loss of an epoch's logs is the running mean, which stays NaN once it is, so it is enough to look now and then.
    """

    async_safe = True

    def __init__(self, signals: Signals):
        super().__init__()
        self.signals, self.failure, self._epoch, self._looked = signals, None, 0, time.monotonic()
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""

    @property
    def ended(self) -> bool:
        """Whether the epoch under way is not to be counted."""
        return self.signals.received is not None or self.failure is not None

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Remember which epoch it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Stop after this step if the loss is not finite. At a signal the Saver stops before the next one."""
        now = time.monotonic()
        if self.signals.received is None and now - self._looked >= CHECK_SECONDS:
            self._looked = now
            self._look(logs or {}, f"batch {self.first + batch + 1} of epoch {self._epoch + 1}")
        if self.failure is not None:
            self._end("stop_training")

    def on_test_batch_begin(self, batch: int, logs: object = None) -> None:
        """Do not validate an epoch that does not count."""
        if self.ended:
            self._end("stop_evaluating")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look at the loss of the whole epoch."""
        if not self.ended:
            self._look(logs or {}, f"epoch {epoch + 1}")
        if self.ended:
            self._end("stop_training")

    def _end(self, flag: str) -> None:
        setattr(self._model, flag, True)  # `self.model` would wait for the device

    def _look(self, logs: Mapping[str, float], where: str) -> None:
        bad = [
            name
            for name, value in logs.items()
            if "loss" in name and not name.startswith("val_") and not _finite(value)
        ]
        if bad:
            name = "loss" if "loss" in bad else bad[0]
            self.failure = (name, float(logs[name]), where)


class Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch whose `monitor` is best. What is not a number is never best."""

    def __init__(self, monitor: str, direction: monitors.Direction, start: int, guard: Guard):
        super().__init__()
        self.monitor, self.direction, self._start, self._guard = monitor, direction, start, guard
        self.epoch: int | None = None
        self.value = math.nan
        self.weights: list[np.ndarray] | None = None
        self.improved = False

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Keep these weights if they are the best so far."""
        value = float((logs or {}).get(self.monitor, math.nan))
        self.improved = not self._guard.ended and epoch >= self._start and self._better(value)
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
        self._start, self._step, self._row = start, step, row
        self._steps, self._best, self._guard = steps, best, guard
        self._began, self._epoch, self._shown = time.monotonic(), 0, 0.0
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Set the order of the epoch's examples."""
        self._epoch, self._began = epoch, time.monotonic()
        self._start(epoch)

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


class OnPlateau(keras.callbacks.ReduceLROnPlateau):
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


def early_stopping(section: EarlyStopping, metrics: Sequence[Call]) -> keras.callbacks.EarlyStopping:
    """Keras's, with a direction that is known; the best weights are `Best`'s to restore."""
    return keras.callbacks.EarlyStopping(
        monitor=section.monitor,
        min_delta=section.min_delta,  # pyright: ignore[reportArgumentType]
        patience=section.patience,
        mode=monitors.direction(section.monitor, section.mode, metrics),
        baseline=section.baseline,  # pyright: ignore[reportArgumentType]
        start_from_epoch=section.start_from_epoch,
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


def own(train: Train, path: Path, model: keras.Model, metrics: Sequence[Call]) -> tuple[list, list]:
    """Callbacks that the spec names: those that change the weights of an epoch's end, and the rest.

    An optimizer with `use_ema` gets `SwapEMAWeights`, so that the averages are what is validated and saved.

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
            rest.append(objects.make(_inside(call, path, metrics)))
    if averages and not first:
        first.append(Averages(swap_on_epoch=True))
    return first, rest


def _inside(call: Call, path: Path, metrics: Sequence[Call]) -> Call:
    """The call with its files inside the run, and with a direction that is known."""
    args = dict(call.args)
    if "filename" in args:
        args["filename"] = str(path / Path(str(args["filename"])).name)
    if call.name in ("EarlyStopping", "ReduceLROnPlateau") and args.get("mode", "auto") == "auto":
        args["mode"] = monitors.direction(str(args.get("monitor", "val_loss")), "auto", metrics)
    return dataclasses.replace(call, args=args)


def _finite(value: object) -> bool:
    return math.isfinite(float(value))  # pyright: ignore[reportArgumentType]
