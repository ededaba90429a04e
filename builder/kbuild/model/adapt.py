"""Layers of `data.preprocess` that learn from data, adapted on what reaches each, piece by piece."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from kbuild.data.lazy import CHUNK, Array
from kbuild.model.build import tensor
from kbuild.plan.plan import Plan, Ref


def adapt(model: keras.Model, plan: Plan, x: Mapping[str, Array]) -> None:
    """Adapt the layers of `data.preprocess` that learn from data (`Normalization`, …), each on what reaches it, once.

    Data of more than one piece are given to Keras piece by piece, in memory or not, so that it makes no difference
    where they are.

    Args:
        x: the training examples by input name, (examples, …).
    """
    for step in plan.steps:
        if step.name not in plan.preprocess or step.call.namespace != "layers":
            continue
        layer: Any = model.get_layer(step.name)
        known = any(step.call.args.get(name) is not None for name in ("mean", "bin_boundaries", "vocabulary"))
        if not hasattr(layer, "adapt") or known or not step.args:
            continue
        ref = step.args[0]
        assert isinstance(ref, Ref)
        after = tensor(model, ref)
        pieces, count = _pieces(model, after, x), len(next(iter(x.values())))
        layer.adapt(next(pieces) if count <= _rows(after, x) else pieces)


def _rows(after: Any, x: Mapping[str, Array]) -> int:
    """Examples of a piece, which takes no more than CHUNK bytes before the layers and after them."""
    made = int(np.prod([size or 1 for size in after.shape[1:]], dtype=np.int64)) * 4
    given = sum(array.nbytes // max(1, len(array)) for array in x.values())
    return max(1, CHUNK // max(1, given, made))


def _pieces(model: keras.Model, after: Any, x: Mapping[str, Array]) -> Iterator[np.ndarray]:
    """What reaches a layer, in order."""
    before: Any = keras.Model(model.input, after)
    step = _rows(after, x)
    for start in range(0, len(next(iter(x.values()))), step):
        rows = {name: array[start : start + step] for name, array in x.items()}
        given: Any = next(iter(rows.values())) if len(rows) == 1 else rows
        yield np.asarray(before.predict_on_batch(given))
