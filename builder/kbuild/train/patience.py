"""Keras's callbacks that wait for a number to get better, for which no number is worse than NaN.

By themselves they take the first value for the best, and nothing is better than NaN ever after.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's, with NaN and infinities as the worst there is."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stop if it is time to."""
        super().on_epoch_end(epoch, ranked(logs, self.monitor, self.mode))  # pyright: ignore[reportArgumentType]


class ReduceLROnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Keras's, with NaN and infinities as the worst there is."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Reduce the rate if it is time to."""
        super().on_epoch_end(epoch, ranked(logs, self.monitor, self.mode))  # pyright: ignore[reportArgumentType]


def ranked(logs: Mapping[str, Any] | None, monitor: str, mode: str) -> dict[str, Any]:
    """The logs of an epoch, the monitored number the worst there is if it is not finite.

    Args:
        mode: `min` or `max`.
    """
    found = dict(logs or {})
    if monitor in found and not math.isfinite(float(found[monitor])):
        found[monitor] = math.inf if mode == "min" else -math.inf
    return found
