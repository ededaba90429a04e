"""The first steps of a training → a digest of all that they changed, by which the same steps can be known again."""

import hashlib
from collections.abc import Callable, Mapping

import keras
import numpy as np

STEPS = 8  # enough for a difference to show, few enough to cost nothing


class Witness(keras.callbacks.Callback):
    """Tells once, after the first steps of a run, what its variables are.

    Args:
        steps: batches in an epoch.
        told: gets `steps`, `loss` and `digest` (SHA-256 of every variable of model and optimizer).
        only: whether training is to end there.
    """

    # Keras runs batch hooks that are safe beside the next steps, and those would change what is looked at
    async_safe = False

    def __init__(self, steps: int, told: Callable[[Mapping[str, object]], None], only: bool = False):
        super().__init__()
        self._wanted, self._told, self._only, self._waits = min(STEPS, steps), told, only, True

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look when the steps are done; with several steps an execution, at the first look after them."""
        if not self._waits or batch + 1 < self._wanted:
            return
        self._waits = False
        loss = (logs or {}).get("loss")
        found = {"steps": batch + 1, "loss": None if loss is None else float(loss), "digest": digest(self.model)}
        self._told(found)
        if self._only:
            self._model.stop_training = True


def digest(model) -> str:
    """SHA-256 over the bytes of every variable of a model and its optimizer, in their order."""
    found = hashlib.sha256()
    for variable in (*model.variables, *model.optimizer.variables):
        found.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return found.hexdigest()
