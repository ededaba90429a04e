"""Part → batches for Keras, in an order that is a pure function of (seed, epoch).

Seeded Keras gives every epoch the same order, so the order is made here. On TensorFlow batches are gathered in a
tf.data pipeline, elsewhere by a `PyDataset`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.lazy import Array, cast
from kbuild.data.order import permutation
from kbuild.train import stream
from kbuild.train.augment import Augment

ops: Any = keras.ops  # its annotations say that functions return None
DEVICE_BYTES = 2 * 10**9
"""Examples of this size are kept on a GPU; more are brought there batch by batch."""
Batch = Callable[[Any, dict, dict, dict], tuple]
"""(number of the batch, x, y, weights) → what the model is given."""
Groups = Sequence[Mapping[str, Any]]
"""x, y and weights, each by name."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What `fit`, `evaluate` and `predict` of Keras take, and how to say which epoch begins.

    Args:
        steps: batches in an epoch.
        start: to be called with the epoch's number, from 0, before its first batch.
        rest: gives the same as `data` from a batch of the epoch on, for an epoch that was left in the middle.
        held: the examples themselves, where they are in memory and go into the network as they are.
    """

    steps: int
    start: Callable[[int], None]
    rest: Callable[[int], object]
    held: "Held | None" = None

    @property
    def data(self) -> object:
        """A `tf.data.Dataset` or `PyDataset` of (x, y) or (x, y, weights), made when it is first asked for.

        x is by input name, y and weights by output name; bare where there is only one.
        """
        return self.rest(0)


@dataclass(frozen=True, slots=True)
class Held:
    """Examples in memory, for whoever gathers batches from them.

    Args:
        groups: gives x, y and weights by name, tensors on the device whose first axis is the examples.
        order: gives the order of the epoch, `count` numbers: an array that is replaced when the order is.
        count: examples.
        size: of a batch; the last one of an epoch may be smaller.
        batch: what is made of the rows of a batch.
    """

    groups: Callable[[], Groups]
    order: Callable[[], Any]
    count: int
    size: int
    batch: Batch

    def example(self) -> tuple:
        """One example as a batch."""
        return self.batch(0, *({name: array[:1] for name, array in group.items()} for group in self.groups()))


def feed(
    part: Part,
    batch_size: int,
    outputs: Sequence[str],
    *,
    seed: int | None = None,
    augment: Augment | None = None,
    features: keras.Model | None = None,
    reconstruct: bool = False,
    weights: Mapping[str, np.ndarray] | None = None,
) -> Feed:
    """Batches of a part of the data.

    Args:
        part: examples; `y` may hold more than the outputs.
        batch_size: >= 1; the last batch of an epoch may be smaller.
        outputs: names of the model's outputs that are trained, in order.
        seed: shuffle by (seed, epoch); None keeps the order.
        augment: applied to each batch.
        features: with `reconstruct`, model of what the network is given after preprocessing; None is x as it is.
        reconstruct: the target of every output is the preprocessed, augmented input.
        weights: weights of the examples by output name.
    """
    arrays = _arrays(part, () if reconstruct else outputs, weights or {})
    batch = _batch(outputs, augment, features, reconstruct)
    made = augment is not None or reconstruct
    steps = max(1, -(-len(part) // batch_size))
    if made:
        # layers have to have their variables before a pipeline traces them
        batch(0, *({n: ops.convert_to_tensor(a[:2]) for n, a in group.items()} for group in arrays))
    groups = cache(lambda: _tensors(arrays))
    rest, reorder = _built(arrays, groups, (len(part), batch_size, steps), batch, made, augment is not None)
    order = [np.arange(len(part))]

    def start(epoch: int) -> None:
        if seed is not None:
            order[0] = permutation(len(part), seed, epoch)
            reorder(order[0])
        if augment is not None:
            augment.start(epoch)

    start(0)
    if not (made or stream.streams(arrays)) and _fits(arrays):
        return Feed(steps, start, cache(rest), Held(groups, lambda: order[0], len(part), batch_size, batch))
    found = Feed(steps, start, cache(rest))
    assert found.data is not None  # what is wrong with the first batch shows here
    return found


def _built(
    arrays: tuple, groups: Callable[[], Groups], sizes: tuple[int, int, int], batch: Batch, made: bool, random: bool
):
    """What gives batches from one of the epoch on, and what is told the order of the examples."""
    if stream.streams(arrays):
        return stream.streamed(arrays, *sizes, batch, made, random)
    if keras.backend.backend() == "tensorflow":
        # where there is main memory only, one copy is enough
        return _pipeline(cache(lambda: _tensors(arrays)) if _devices() else groups, *sizes, batch, random)
    return _indexed(arrays, *sizes, batch, made)


def _arrays(part: Part, outputs: Sequence[str], weights: Mapping[str, np.ndarray]) -> tuple[dict[str, Array], ...]:
    """x, y and weights."""
    y = {name: part.y[name] for name in outputs if name in part.y}
    # Keras wants weights for every output or for none
    known = {name: weights.get(name, np.ones(len(part), "float32")) for name in (y or weights)} if weights else {}
    return tuple({name: _narrow(array) for name, array in group.items()} for group in (part.x, y, known))


def _batch(outputs: Sequence[str], augment: Augment | None, features: keras.Model | None, reconstruct: bool) -> Batch:
    def batch(step: Any, x: dict, y: dict, w: dict) -> tuple:
        if augment is not None:
            augment.at(step)
            x, y = augment(x, y)
        if reconstruct:
            y = targets(x, outputs, features)
        if not y:
            return (bare(x),)
        found = bare(x), bare(y) if len(outputs) == 1 else y
        return (*found, bare(w) if len(outputs) == 1 else w) if w else found

    return batch


def targets(x: Mapping[str, object], outputs: Sequence[str], features: keras.Model | None) -> dict:
    """What an autoencoder is to give back: the input after preprocessing, for each output."""
    found = x if features is None else features(bare(x), training=False)
    if not isinstance(found, Mapping):
        found = {"": found}
    first = next(iter(found.values()))
    return {name: ops.cast(found.get(name, first), "float32") for name in outputs}


def bare(values: Mapping[str, object]) -> object:
    """What Keras wants: the only value itself, several by name."""
    return next(iter(values.values())) if len(values) == 1 else values


def _narrow(array: Array) -> Array:
    """JAX has no 64-bit numbers, and no backend needs them here; nor numbers in another machine's order of bytes."""
    dtype = np.dtype({"int64": "int32", "float64": "float32"}.get(array.dtype.name, array.dtype.name))
    return array if array.dtype == dtype else cast(array, dtype)


def _tensors(arrays: tuple) -> tuple:
    """The same as tensors, in the memory of the GPU if there is one."""
    return tuple({name: ops.convert_to_tensor(array) for name, array in group.items()} for group in arrays)


def _fits(arrays: tuple) -> bool:
    """Whether a GPU has room for the examples beside the network; main memory has, for it holds them."""
    return not _devices() or sum(array.nbytes for group in arrays for array in group.values()) <= DEVICE_BYTES


def _devices() -> list[str]:
    """GPUs and their like."""
    return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]


def _pipeline(groups: Callable[[], Groups], count: int, size: int, steps: int, batch: Batch, random: bool):
    """A tf.data pipeline from a batch on, that gathers rows of tensors in main memory; and what gives it an order."""
    import tensorflow as tf

    with tf.device("CPU:0"):
        order = tf.Variable(tf.range(count, dtype=tf.int64), trainable=False)

    # random layers draw in turn: in parallel the draws would depend on timing
    parallel = None if random else tf.data.AUTOTUNE
    ordered = None if random else True
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF

    def rest(first: int) -> object:
        with tf.device("CPU:0"):
            tensors = groups()

        @tf.autograph.experimental.do_not_convert
        def gather(step):
            rows = order[step * size : (step + 1) * size]
            taken = [{name: tf.gather(a, rows) for name, a in group.items()} for group in tensors]
            return batch(step, *taken)

        data = tf.data.Dataset.range(first, steps).map(gather, num_parallel_calls=parallel, deterministic=ordered)
        return data.prefetch(tf.data.AUTOTUNE).with_options(options)

    return rest, lambda index: order.assign(index)


def _indexed(arrays: tuple, count: int, size: int, steps: int, batch: Batch, made: bool):
    """A PyDataset over arrays from a batch on, and what gives it a new order."""
    order = np.arange(count, dtype="int64")

    def reorder(index: np.ndarray) -> None:
        order[:] = index

    return lambda first: _Rows(arrays, order, size, (first, steps), batch, made), reorder


class _Rows(keras.utils.PyDataset):
    def __init__(self, arrays: tuple, order: np.ndarray, size: int, span: tuple[int, int], batch: Batch, made: bool):
        super().__init__()
        self._arrays, self._order, self._size, self._span = arrays, order, size, span
        self._batch, self._made = batch, made

    def __len__(self) -> int:
        return self._span[1] - self._span[0]

    def __getitem__(self, index: int) -> tuple:
        step = self._span[0] + index
        rows = self._order[step * self._size : (step + 1) * self._size]
        groups = [{name: array[rows] for name, array in group.items()} for group in self._arrays]
        out = self._batch(step, *groups)
        if not self._made:
            return out
        found: Any = keras.tree.map_structure(ops.convert_to_numpy, out)
        return found
