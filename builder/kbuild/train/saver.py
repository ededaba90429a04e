"""A checkpoint when it is time for one: after so many epochs, steps or minutes, at a signal, and at the end."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np

from kbuild.spec.train import Checkpoint
from kbuild.train.callbacks import Guard


@dataclass(frozen=True, slots=True)
class Position:
    """Where training goes on.

    Args:
        epoch: from 0.
        batch: of that epoch, from 0; the first one that was not trained on.
        arrays, state: as `checkpoint` keeps them.
    """

    epoch: int
    batch: int
    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, object]


class Saver(keras.callbacks.Callback):
    """Takes checkpoints. It stands after all callbacks whose state it keeps.

    Args:
        section: `train.checkpoint`; None saves nothing.
        take: gives the state of now, for an epoch and a batch of it to go on with.
        save: writes a position to the disk.
    """

    # Keras runs batch hooks that are safe beside the next steps, and those would change what is being kept
    async_safe = False

    def __init__(
        self,
        section: Checkpoint | None,
        steps: int,
        epochs: int,
        guard: Guard,
        take: Callable[[int, int], Position],
        save: Callable[[Position], None],
    ):
        super().__init__()
        amount, self._unit = str(section.every).split() if section else ("inf", "never")
        self._every = float(amount)
        self._steps, self._epochs, self._guard, self._take, self._save = steps, epochs, guard, take, save
        self._epoch, self._time = 0, time.monotonic()
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""
        self.only = False
        """Whether training is to pause at the end of the epoch."""
        self.last: Position | None = None
        """The state at the end of the last epoch that was finished, before Keras's `fit` rounds training off."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Remember which epoch it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Save in the middle of an epoch if it is time, or if a signal ends the run."""
        done = self.first + batch + 1
        signal = self._guard.signals.received is not None
        if not (signal or self._due(self._epoch * self._steps + done, batch)) or done >= self._steps:
            return
        if all(math.isfinite(float(value)) for name, value in (logs or {}).items() if "loss" in name):
            assert self.model is not None  # asked for it, JAX brings the variables up to the step
            self._write(self._take(self._epoch, done))

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Save at the end of an epoch if it is time, and at the end of the last one."""
        if self._guard.ended:
            self.last = None
            return
        self.last = self._take(epoch + 1, 0)
        ends = epoch + 1 >= self._epochs or bool(getattr(self._model, "stop_training", False))
        by_epochs = self._unit == "epochs" and (epoch + 1) % max(round(self._every), 1) == 0
        if ends or by_epochs or self._due((epoch + 1) * self._steps, self._steps - 1):
            self._write(self.last)
        if self.only:
            self._model.stop_training = True

    def _due(self, done: int, batch: int) -> bool:
        if self._unit == "minutes":
            return time.monotonic() - self._time >= 60 * self._every
        spread = getattr(self._model, "steps_per_execution", 1)
        return self._unit == "steps" and done // self._every > (done - min(spread, batch + 1)) // self._every

    def _write(self, position: Position) -> None:
        if self._unit != "never":
            self._save(position)
        self._time = time.monotonic()
