"""Layers of `data.preprocess` that learn from data, adapted on what reaches each, piece by piece."""

from collections.abc import Iterator, Mapping, Sequence
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
        if hasattr(layer, "update_state"):
            layer.reset_state()
            for piece in pieces:
                layer.update_state(piece)
            layer.finalize_state()
        elif count <= _rows(after, x):
            layer.adapt(next(pieces))
        else:
            layer.adapt(_two(pieces, layer.axis) if isinstance(layer, keras.layers.Normalization) else pieces)


def _two(pieces: Iterator[np.ndarray], axis: Sequence[int]) -> np.ndarray:
    """Two examples with the mean and the variance that all have: Keras takes pieces with TensorFlow only.

    Mean and variance of the pieces are put together (Chan, Golub and LeVeque, 1979, eqs. 2.1).

    Args:
        axis: what has a mean of its own, as `Normalization` takes it.

    Returns:
        (2, …) float64.
    """
    mean, spread, seen, shape = np.zeros(()), np.zeros(()), 0, ()
    for piece in pieces:
        kept = {at % piece.ndim for at in axis}
        reduced = tuple(at for at in range(piece.ndim) if at not in kept)
        rows, shape = piece.astype("float64"), piece.shape[1:]
        count = rows.size // max(1, int(np.prod([piece.shape[at] for at in kept], dtype=np.int64)))
        middle = rows.mean(axis=reduced, keepdims=True)
        apart = middle - mean
        spread = spread + np.square(rows - middle).sum(axis=reduced, keepdims=True)
        spread = spread + np.square(apart) * (seen * count / (seen + count))
        mean, seen = mean + apart * (count / (seen + count)), seen + count
    deviation = np.sqrt(spread / seen)
    return np.concatenate([np.broadcast_to(mean + sign * deviation, (1, *shape)) for sign in (-1, 1)])


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
