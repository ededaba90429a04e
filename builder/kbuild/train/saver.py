"""A checkpoint when it is time for one: after so many epochs, steps or minutes, at a signal, and at the end.

All looks are taken before a step begins, never when one ends: Keras calls those hooks in turn with the steps, and need
not wait for the device after each step, as it must for a callback that looks at the end of one.
"""

import math
import time
from collections.abc import Callable

import keras
import numpy as np

from kbuild.spec.train import Checkpoint
from kbuild.train.checkpoint import Position
from kbuild.train.guard import Failure, Guard

SHARE = 20.0
"""Where the spec does not say how often, training goes on so many times longer than a save took before the next. What a
kill costs is then at most that time and one epoch."""
SPARE_SECONDS = 10.0  # an epoch this long is not to be lost to a signal that comes while it is validated


class Stopped(Exception):
    """Training ends between two steps."""


class Saver(keras.callbacks.Callback):
    """Takes checkpoints. It stands after all callbacks whose state it keeps, its `before` in front of them.

    Args:
        section: `train.checkpoint`; None saves nothing.
        take: gives the state of now, for an epoch and a batch of it to go on with.
        save: writes a position to the disk.
        clock: tells seconds.
    """

    def __init__(
        self,
        section: Checkpoint | None,
        steps: int,
        epochs: int,
        guard: Guard,
        take: Callable[[int, int], Position],
        save: Callable[[Position], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        amount, self._unit = str(section.every).split() if section else ("inf", "never")
        self._every = float(amount)
        self._told, self._cost = section is not None and "every" in section.model_fields_set, 0.0
        self._steps, self._epochs, self._guard, self._take, self._save = steps, epochs, guard, take, save
        self._epoch, self._done, self._clock, self._time, self._began = 0, 0, clock, clock(), clock()
        self._spare: Position | None = None
        self._written: Position | None = None
        self.before = Before(self)
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""
        self.only = False
        """Whether training is to pause at the end of the epoch."""
        self.last: Position | None = None
        """The state at the end of the last epoch that was finished, before Keras's `fit` rounds training off."""

    def begin(self, epoch: int) -> None:
        """An epoch begins."""
        self._epoch, self._done, self._spare, self._began = epoch, self.first, None, self._clock()

    def step(self, batch: int) -> None:
        """A step is about to begin, and `batch` batches of this call of `fit` are done. Raises Stopped at a signal."""
        done, before = self.first + batch, self._done
        self._done = done
        signal = self._guard.signals.received is not None
        if signal or self._due(self._epoch * self._steps + done, done - before):
            self._write(self._now(done))
        elif self._ends(done) and self._clock() - max(self._time, self._began) > SPARE_SECONDS:
            self._spare = self._now(done)
        if signal:
            raise Stopped

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Save at the end of an epoch if it is time, and at the end of the last one."""
        if self._guard.ended:
            # the last state whose numbers were numbers, or the one before the step that a signal ended
            kept = self._spare if self._guard.failure is None else self.last
            if kept is not None and kept is not self._written:
                self._write(kept)
            self.last = None
            return
        self.last = self._take(epoch + 1, 0)
        ends = epoch + 1 >= self._epochs or bool(getattr(self._model, "stop_training", False))
        by_epochs = self._unit == "epochs" and (epoch + 1) % max(round(self._every), 1) == 0
        by_epochs = by_epochs and (self._told or self._clock() - self._time >= SHARE * self._cost)
        if ends or by_epochs or self._due((epoch + 1) * self._steps, self._steps - self._done):
            self._write(self.last)
        if self.only:
            self._model.stop_training = True

    def _now(self, done: int) -> Position:
        assert self.model is not None  # asked for it, JAX brings the variables up to the step
        return self._take(self._epoch, done)

    def _ends(self, done: int) -> bool:
        """Whether the step to come is the last of its epoch."""
        return done + getattr(self._model, "steps_per_execution", 1) >= self._steps

    def _due(self, done: int, new: int) -> bool:
        if self._unit == "minutes":
            return self._clock() - self._time >= 60 * self._every
        return self._unit == "steps" and done // self._every > (done - new) // self._every

    def _write(self, position: Position) -> None:
        """Save a position, unless its weights are no longer numbers: what was saved before is then worth more."""
        names = [v.path for v in self._model.variables]
        bad = next((name for at, name in enumerate(names) if not _finite(position.arrays[f"model/{at}"])), None)
        if bad is not None:
            # since the step before which weights were looked at last
            epoch = position.epoch + 1 if position.batch else position.epoch
            found = Failure(bad, math.nan, epoch, 1 if position.batch else 0, position.batch)
            self._guard.failure = self._guard.failure or found
            self._model.stop_training = True
            self.last = None
            return
        began = self._clock()
        if self._unit != "never":
            self._save(position)
        self._written = position
        self._time = self._clock()
        self._cost = self._time - began


class Before(keras.callbacks.Callback):
    """Hands the beginning of epochs and steps to a Saver, before the callbacks whose state is kept have seen it."""

    def __init__(self, saver: Saver):
        super().__init__()
        self._saver = saver

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """See `Saver.begin`."""
        self._saver.begin(epoch)

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """See `Saver.step`."""
        self._saver.step(batch)


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
