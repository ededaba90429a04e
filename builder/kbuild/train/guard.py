"""The logs of steps and epochs → whether training may go on: a signal, a loss or a weight that is no number ends it."""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kbuild.train.signals import Signals

CHECK_SECONDS = 2.0  # between looks at a loss that is still on the device: each look waits for the step


@dataclass(frozen=True, slots=True)
class Failure:
    """A number that is none any more.

    Args:
        what: a name of the logs, or the path of a variable: `dense_3/kernel`.
        value: NaN or an infinity.
        epoch: from 1.
        first, last: the batches, from 1, one of which it was; 0 if only the epoch is known.
    """

    what: str
    value: float
    epoch: int
    first: int = 0
    last: int = 0

    @property
    def where(self) -> str:
        """`batch 12 of epoch 3`."""
        if not self.last:
            return f"epoch {self.epoch}"
        batch = f"batch {self.last}" if self.first == self.last else f"one of the batches {self.first} to {self.last}"
        return f"{batch} of epoch {self.epoch}"

    def __str__(self) -> str:
        value = "NaN" if math.isnan(self.value) else "infinite"
        if "/" not in self.what:
            return f"`{self.what}` became {value} in {self.where}"
        layer = self.what.rpartition("/")[0]
        return f"the weights of `{layer}` became {value} in {self.where}, and `loss` was a number until then"


class Guard(keras.callbacks.Callback):
    """Ends training at a signal, or when loss or weights stop being numbers; `failure` says when and where.

    The loss of an epoch's logs is the running mean, which stays NaN once it is. What was computed with the last step of
    an epoch is in its weights only, so these are looked at when it ends.
    """

    async_safe = True

    def __init__(self, signals: Signals):
        super().__init__()
        self.signals = signals
        self.failure: Failure | None = None
        self.first = 0
        """The batch that an epoch which was left in the middle goes on with."""
        self._epoch, self._seen, self._looked = 1, 0, time.monotonic()
        self._lock = threading.Lock()

    @property
    def ended(self) -> bool:
        """Whether the epoch under way is not to be counted."""
        return self.signals.received is not None or self.failure is not None

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Remember which epoch it is."""
        self._epoch, self._seen = epoch + 1, self.first

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stop after this step if the loss is not finite. At a signal the Saver stops before the next one."""
        logs, now = logs or {}, time.monotonic()
        # numbers that Keras has fetched cost nothing to look at
        fetched = all(isinstance(value, float) for value in logs.values())
        if self.signals.received is None and (fetched or now - self._looked >= CHECK_SECONDS):
            spread = max(1, getattr(self._model, "steps_per_execution", 1))
            begins = self.first + batch // spread * spread
            self._look(logs, begins if fetched else min(begins, self._seen), self.first + batch + 1)
            self._looked, self._seen = now, self.first + batch + 1
        if self.failure is not None:
            self._end("stop_training")

    def on_test_batch_begin(self, batch: int, logs: object = None) -> None:
        """Do not validate an epoch that does not count."""
        if self.ended:
            self._end("stop_evaluating")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the loss of the whole epoch, and at the weights that it left."""
        if not self.ended:
            self._look(logs or {}, -1, 0)
        if not self.ended:
            bad = unsound(self.model)
            self.failure = None if bad is None else Failure(*bad, self._epoch)
        if self.ended:
            self._end("stop_training")

    def _end(self, flag: str) -> None:
        setattr(self._model, flag, True)  # `self.model` would wait for the device

    def _look(self, logs: Mapping[str, Any], before: int, last: int) -> None:
        """Look at the losses of batches after `before` up to `last`."""
        ours = {name: value for name, value in logs.items() if "loss" in name and not name.startswith("val_")}
        bad = [name for name, value in ours.items() if not math.isfinite(float(value))]
        if not bad:
            return
        name = "loss" if "loss" in bad else bad[0]
        found = Failure(name, float(ours[name]), self._epoch, before + 1, last)
        # Keras hands steps to several threads, a later one perhaps earlier
        with self._lock:
            if self.failure is None or found.last < self.failure.last:
                self.failure = found


def unsound(model: Any) -> tuple[str, float] | None:
    """The path and a value of the first variable of a model that is not finite; None if all are."""
    for variable in model.variables:
        array = np.asarray(keras.ops.convert_to_numpy(variable))
        if array.dtype.kind in "biu":
            continue
        finite = np.isfinite(array)
        if not finite.all():
            return variable.path, float(array[~finite].ravel()[0])
    return None
