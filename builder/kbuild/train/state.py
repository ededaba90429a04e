"""Model and callbacks ↔ arrays and values: all that training to come depends on.

Keras's own `BackupAndRestore` keeps weights, optimizer and epoch. What else decides the next step is kept here too: the
state of dropout, metrics of an epoch under way, and what callbacks count. The order of the data and the draws of
augmentation need no keeping: they are functions of seed, epoch and step.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

_KINDS = ("model", "optimizer", "metric")
_OWN = frozenset({"_model", "_params", "params", "validation_data"})
"""Attributes of a callback that the trainer sets."""


def arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """The value of every variable, by kind and number: `model/0`, `optimizer/3`, `metric/1`."""
    return {name: np.array(keras.ops.convert_to_numpy(variable)) for name, variable in _variables(model)}


def restore(model: keras.Model, found: Mapping[str, np.ndarray]) -> None:
    """Give every variable the value that it had.

    Raises:
        ValueError: the model has other variables than those that were saved.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    variables = dict(_variables(model))
    saved = {name for name in found if name.split("/")[0] in _KINDS}
    if saved != variables.keys() or any(found[n].shape != tuple(v.shape) for n, v in variables.items()):
        raise ValueError("the model has other variables than those that were saved")
    for name, variable in variables.items():
        variable.assign(found[name])


def metrics(model: keras.Model, found: Mapping[str, np.ndarray]) -> None:
    """Give the metrics of an epoch under way the values that they had."""
    for at, variable in enumerate(model.metrics_variables):
        variable.assign(found[f"metric/{at}"])


def callbacks(found: Sequence[keras.callbacks.Callback]) -> list[dict[str, object]]:
    """What each callback counts: its attributes that are plain numbers, texts or flags."""
    return [{"class": type(one).__name__, **_plain(vars(one))} for one in found]


def recall(found: Sequence[keras.callbacks.Callback], kept: Sequence[Mapping[str, object]]) -> None:
    """Give each callback what it had counted. Callbacks of another kind than before stay as they are."""
    for one, values in zip(found, kept, strict=False):
        if values.get("class") == type(one).__name__:
            if getattr(one, "monitor_op", True) is None:
                one._set_monitor_op()  # it turns the sign of `min_delta`, which was kept as turned
            for name, value in values.items():
                if name != "class":
                    setattr(one, name, value)


def _variables(model: Any) -> Iterator[tuple[str, Any]]:
    groups: Iterable[tuple[str, Sequence[Any]]] = (
        ("model", model.variables),
        ("optimizer", model.optimizer.variables),
        ("metric", model.metrics_variables),
    )
    for kind, variables in groups:
        for at, variable in enumerate(variables):
            yield f"{kind}/{at}", variable


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Numbers, texts, flags and nothing; NumPy's numbers as Python's."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, np.generic):
            value = value.item()
        if name not in _OWN and (value is None or isinstance(value, bool | int | float | str)):
            found[name] = value
    return found
