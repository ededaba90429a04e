"""Model and a part of the data → what it predicts of each example, in memory or computed when asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.lazy import Array, Lazy
from kbuild.plan.head import Head
from kbuild.train.execution import stepwise

if TYPE_CHECKING:
    import keras

SMALL = 64 * 2**20
"""Bytes of predictions that are held in memory also where the examples are not."""


def predicted(
    model: "keras.Model", heads: Sequence[Head], part: Part, batches: object, batch_size: int
) -> Mapping[str, Array]:
    """Predictions by output.

    Those of numbers, which may be pictures as large as the examples, are not held in memory if the examples are not.

    Args:
        batches: of the whole part, in order.
    """
    each = {name: _bytes(shape.shape) for name, shape in zip(model.output_names, model.outputs, strict=True)}
    names = [head.output for head in heads]
    if part.streams and sum(each.values()) * len(part) > SMALL and not any(_classified(head) for head in heads):
        return {name: _lazy(model, names, name, part, batch_size) for name in names}
    with stepwise(model):
        found = _named(model.predict(batches, verbose=0), names)  # pyright: ignore[reportArgumentType]
    return {name: np.asarray(value) for name, value in found.items()}


def _lazy(model: "keras.Model", names: Sequence[str], name: str, part: Part, batch_size: int) -> Lazy:
    def read(rows: np.ndarray) -> np.ndarray:
        x = {key: array[rows] for key, array in part.x.items()}
        given = next(iter(x.values())) if len(x) == 1 else x
        with stepwise(model):
            raw = model.predict(given, batch_size=batch_size, verbose=0)  # pyright: ignore[reportArgumentType]
        return np.asarray(_named(raw, names)[name])

    one = read(np.arange(1))
    return Lazy((len(part), *one.shape[1:]), one.dtype, read)


def _classified(head: Head) -> bool:
    return head.task in ("binary", "multiclass", "multilabel")


def _bytes(shape: Sequence[int | None]) -> int:
    return 4 * int(np.prod([size or 1 for size in shape[1:]], dtype=np.int64))


def _named(raw: object, names: Sequence[str]) -> Mapping[str, object]:
    if isinstance(raw, Mapping):
        return raw
    return dict(zip(names, raw if isinstance(raw, list | tuple) else [raw], strict=True))
