"""Job → the loss of each step while the learning rate grows."""

import math
from collections.abc import Callable

import keras
import numpy as np

from kbuild.train import rates as curves
from kbuild.train.job import Job
from kbuild.train.signals import Signals

QUIET = 10  # the part of the steps, the first tenth, that is not held against the minimum


def run(job: Job, rates: np.ndarray, signals: Signals, step: Callable[[int], None]) -> list[float]:
    """Train a step at each rate, with the job's own optimizer, loss, data and augmentation.

    The data are gone through again, in the order of the next epoch, where they have fewer batches than there are rates.

    Args:
        rates: (n,), one for each step.
        step: called with the number of steps done.

    Returns:
        The loss of each step's batch before its update; fewer than rates where the loss diverged or a signal came.
    """
    watch = _Sweep(rates, job.train.start, signals, step)
    # one step at a time, however the run itself would be executed: each has its own rate
    job.model.steps_per_execution, job.model.train_function = 1, None
    job.model.fit(
        job.train.data,
        epochs=-(-len(rates) // job.train.steps),
        callbacks=[watch],
        verbose=0,  # pyright: ignore[reportArgumentType]
        shuffle=False,
    )
    return watch.losses


class _Sweep(keras.callbacks.Callback):
    # the rate of a step must be there before it, and its loss before the next
    async_safe = False

    def __init__(self, rates: np.ndarray, start: Callable[[int], None], signals: Signals, step: Callable[[int], None]):
        super().__init__()
        self.losses: list[float] = []
        self._rates, self._start, self._signals, self._step = rates, start, signals, step
        self._average, self._lowest = curves.Average(curves.memory(len(rates))), math.inf

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Set the order of the examples."""
        self._start(epoch)

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Set the rate of this step; its loss is to be its own, not the mean of the epoch."""
        model = self.model
        assert model is not None
        model.optimizer.learning_rate = float(self._rates[len(self.losses)])
        model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the loss, and stop where going on says nothing more."""
        self.losses.append(float((logs or {})["loss"]))
        done, last = len(self.losses), self._average.add(self.losses[-1])
        if done > len(self._rates) // QUIET:
            self._lowest = min(self._lowest, last)
        self._step(done)
        if self._signals.received is not None or done == len(self._rates) or curves.diverged(last, self._lowest):
            self._model.stop_training = True
