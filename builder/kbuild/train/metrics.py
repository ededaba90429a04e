"""Predictions and truth as arrays → what they are worth. Knows nothing of models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbuild.data.lazy import Array, rows_at_once


def probabilities(outputs: np.ndarray, logits: bool) -> np.ndarray:
    """What a model gave as (n, classes) or (n, 1) float64 probabilities; `logits`: it was before softmax or sigmoid."""
    values = np.asarray(outputs, "float64").reshape(len(outputs), -1)
    if not logits:
        return values
    if values.shape[1] == 1:
        return sigmoid(values)
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow, float64."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(values, "float64")))


def chosen(probability: np.ndarray) -> np.ndarray:
    """(n,) int64 classes: the likeliest, or for one column whether it is above a half."""
    if probability.shape[1] == 1:
        return (probability[:, 0] > 0.5).astype("int64")
    return probability.argmax(axis=1).astype("int64")


def confidence(probability: np.ndarray) -> np.ndarray:
    """(n,) probability of the chosen class."""
    if probability.shape[1] == 1:
        return np.maximum(probability[:, 0], 1.0 - probability[:, 0])
    return probability.max(axis=1)


def confusion(true: np.ndarray, predicted: np.ndarray, count: int) -> np.ndarray:
    """(count, count) int64: row is the true class, column the predicted one."""
    return np.bincount(true * count + predicted, minlength=count * count).reshape(count, count)


def per_class(true: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support (examples) of each class, and their plain mean as `macro`."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = np.arange(len(classes))
    # its annotations are of another version than its code
    columns: Any = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0.0)  # pyright: ignore
    names = ("precision", "recall", "f1", "support")
    rows = {
        name: {
            key: float(values[at]) if key != "support" else int(values[at])
            for key, values in zip(names, columns, strict=True)
        }
        for at, name in enumerate(classes)
    }
    rows["macro"] = {key: float(np.mean(values)) for key, values in zip(names[:3], columns[:3], strict=True)}
    rows["macro"]["support"] = len(true)
    return rows


@dataclass(frozen=True, slots=True)
class Compared:
    """Numbers predicted and true.

    Args:
        numbers: mean absolute error, root of the mean squared error, and R² (NaN where the truth does not vary).
        absolute, squared: (n,) mean error of each example.
    """

    numbers: dict[str, float]
    absolute: np.ndarray
    squared: np.ndarray


def compared(true: Array, predicted: Array) -> Compared:
    """How far predictions are off, piece by piece.

    The deviations from the mean of the truth are added up as pieces come (Chan, Golub and LeVeque, 1979, eq. 2.1).

    Args:
        true, predicted: (n, …), with as many numbers for each example.
    """
    absolute, squared = np.empty(len(true)), np.empty(len(true))
    mean, spread, seen = np.zeros(()), 0.0, 0
    step = min(rows_at_once(true), rows_at_once(predicted))
    for start in range(0, len(true), step):
        one, two = (np.asarray(a[start : start + step], "float64") for a in (true, predicted))
        one, two = one.reshape(len(one), -1), two.reshape(len(two), -1)
        absolute[start : start + step] = np.abs(two - one).mean(axis=1)
        squared[start : start + step] = ((two - one) ** 2).mean(axis=1)
        middle, count = one.mean(axis=0), len(one)
        apart = middle - mean
        spread += float(np.sum((one - middle) ** 2) + np.sum(apart**2) * seen * count / (seen + count))
        mean, seen = mean + apart * (count / (seen + count)), seen + count
    error = float(np.mean(squared))
    numbers = {
        "mae": float(np.mean(absolute)),
        "rmse": float(np.sqrt(error)),
        "r2": 1.0 - error * seen * mean.size / spread if spread > 0 else float("nan"),
    }
    return Compared(numbers, absolute, squared)


def worst(error: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` biggest errors, biggest first; ties in their order."""
    return np.argsort(-np.asarray(error, "float64"), kind="stable")[:count]
