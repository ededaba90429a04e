"""The first steps of a training → a digest of all that they changed, by which the same steps can be known again."""

import hashlib
from collections.abc import Callable, Mapping

import keras
import numpy as np

from kbuild.train.saver import Stopped

STEPS = 8  # enough for a difference to show, few enough to cost nothing


class Witness(keras.callbacks.Callback):
    """Tells once, after the first steps of a run, what its variables are. It stands before all others.

    Args:
        told: gets `steps`, `loss` and `digest` (SHA-256 of every variable of model and optimizer).
        only: whether training is to end there.
    """

    def __init__(self, told: Callable[[Mapping[str, object]], None], only: bool = False):
        super().__init__()
        self._told, self._only, self._waits, self._steps = told, only, True, 0

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Look before the step that follows them; with several steps an execution, before the next execution."""
        if self._waits and batch >= STEPS:
            model = self.model
            self._look(batch, float(model.get_metrics_result()["loss"]))  # pyright: ignore
            if self._only:
                raise Stopped
        self._steps = batch + getattr(self._model, "steps_per_execution", 1)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look at the end of an epoch that has no more steps."""
        if self._waits:
            self._look(min(self._steps, self.params["steps"]), float((logs or {})["loss"]))  # pyright: ignore
        if self._only:
            self._model.stop_training = True

    def _look(self, steps: int, loss: float) -> None:
        self._waits = False
        self._told({"steps": steps, "loss": loss, "digest": digest(self.model)})


def digest(model) -> str:
    """SHA-256 over the bytes of every variable of a model and its optimizer, in their order."""
    found = hashlib.sha256()
    for variable in (*model.variables, *model.optimizer.variables):
        found.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return found.hexdigest()
