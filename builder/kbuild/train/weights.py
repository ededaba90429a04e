"""Class weights → weights of examples, for each output that says which class an example is of."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from kbuild.data.lazy import Array, Lazy, collected
from kbuild.data.weights import balanced
from kbuild.text.problem import Problem, SpecError


def of_examples(
    class_weight: Literal["balanced"] | Mapping[str, float] | None,
    y: Array,
    classes: Sequence[str],
    count: int | None,
    weights: np.ndarray | None,
) -> np.ndarray | None:
    """The weight of each example for one output.

    Args:
        class_weight: by class name (others weigh 1), or `balanced`: examples / (classes * examples of the class).
        y: labels of classes: (n,) or (n, 1) integers, or (n, classes) one-hot.
        classes: class names in the order of their integers; empty if there are none.
        count: number of classes, or None.
        weights: (n,) weights that the examples have already, or None.

    Returns:
        (n,) float32, or None if every example weighs 1.

    Raises:
        SpecError: K165 if `class_weight` names a class that is none.
    """
    if class_weight is None:
        return None if weights is None else np.asarray(weights, "float32")
    labels = integers(y)
    number = count or len(classes) or int(labels.max()) + 1
    if class_weight == "balanced":
        table = np.asarray(list(balanced(labels, number).values()))
    else:
        table = _table(class_weight, classes or [str(number) for number in range(number)])
    result = table[labels]
    return (result if weights is None else result * weights).astype("float32")


def integers(y: Array) -> np.ndarray:
    """Labels as (n,) int64: from (n,), (n, 1) or one-hot (n, classes)."""
    return collected(y, _integers)


def _integers(y: np.ndarray) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1).astype("int64")
    return y.reshape(len(y)).astype("int64")


def one_hot(y: Array, count: int, *, lazy: bool = False) -> Array:
    """(n, count) float32 from (n,) or (n, 1) integers; what has that shape already is only cast.

    Args:
        lazy: do not hold them in memory.
    """
    if not isinstance(y, np.ndarray) or lazy:
        return Lazy((len(y), count), np.dtype("float32"), lambda rows: _one_hot(y[rows], count))
    return _one_hot(y, count)


def _one_hot(y: np.ndarray, count: int) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == count and count > 1:
        return y.astype("float32")
    return np.eye(count, dtype="float32")[_integers(y)]


def _table(class_weight: Mapping[str, float], classes: Sequence[str]) -> np.ndarray:
    unknown = [name for name in class_weight if name not in classes]
    if unknown:
        shown = ", ".join(f"`{name}`" for name in classes[:20]) + (", …" if len(classes) > 20 else "")
        raise SpecError(
            Problem(
                "K165", f"`{name}` is no class of the data", help=f"the classes are {shown}", path="train.class_weight"
            )
            for name in unknown
        )
    return np.asarray([class_weight.get(name, 1.0) for name in classes], "float64")
