"""Arrays that are not in memory → batches, read ahead by threads: the same, in the same order, as `feed.py` gives.

What is held at once is a few batches, at most READ_AHEAD bytes of them where a batch is not larger than that.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import numpy as np

from kbuild.data.lazy import Array, Lazy
from kbuild.text.problem import SpecError

READ_AHEAD = 32 * 2**20
READERS = 4
"""Batches that are read at the same time: a disk answers several questions sooner than one after the other."""

Groups = Sequence[Mapping[str, Array]]
Batch = Callable[[Any, dict, dict, dict], tuple]
Built = tuple[Callable[[int], object], Callable[[np.ndarray], object]]


def streams(groups: Groups) -> bool:
    """Whether some array is not in memory."""
    return any(isinstance(array, Lazy) for group in groups for array in group.values())


def streamed(groups: Groups, count: int, size: int, steps: int, batch: Batch, made: bool, random: bool) -> Built:
    """Batches of arrays of which some are not in memory.

    Args:
        groups: x, y and weights by name.
        count: examples.
        size: examples of a batch.
        steps: batches of an epoch.
        batch: what is made of the number of a batch and its rows.
        made: whether `batch` computes with tensors.
        random: whether it draws random numbers, so that batches must be made one after the other.

    Returns:
        What gives the data from a batch of the epoch on, and what sets the order of the examples.
    """
    reader = _Reader(groups, count, size)
    if keras.backend.backend() == "tensorflow":
        return lambda first: _pipeline(reader, first, steps, batch, random), reader.reorder
    return lambda first: _Ahead(reader, (first, steps), batch, made), reader.reorder


def cause(error: BaseException) -> SpecError | None:
    """What a reader found wrong with the data, if that ended the training with `error`; told once."""
    if isinstance(error, SpecError):
        return error
    with _lock:
        found = _failed[0] if _failed else None
        _failed.clear()
    return found


@contextmanager
def reading() -> Iterator[None]:
    """What a reader finds wrong with the data inside is raised as what it is."""
    try:
        yield
    except Exception as error:
        found = cause(error)
        if found is None:
            raise
        raise found from error


_lock = threading.Lock()
_failed: list[SpecError] = []
"""A pipeline of TensorFlow passes the text of an error on, and not the error."""


class _Reader:
    """Reads the rows of batches; the order may be set anew while batches of the old one are read."""

    def __init__(self, groups: Groups, count: int, size: int):
        self.names = [(at, name) for at, group in enumerate(groups) for name in group]
        self.arrays = [group[name] for group in groups for name in group]
        self.count, self.size = count, size
        self.order = np.arange(count, dtype=np.int64)
        each = sum(array.nbytes // max(1, len(array)) for array in self.arrays)
        self.depth = int(np.clip(READ_AHEAD // max(1, each * size), 2, 4 * READERS))

    def reorder(self, index: np.ndarray) -> None:
        self.order = index

    def rows(self, step: int, order: np.ndarray | None = None) -> list[np.ndarray]:
        order = self.order if order is None else order
        index = order[step * self.size : (step + 1) * self.size]
        return [array[index] for array in self.arrays]

    def groups(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{}, {}, {}]
        for (at, name), values in zip(self.names, rows, strict=True):
            found[at][name] = values
        return found


def _pipeline(reader: _Reader, first: int, steps: int, batch: Batch, random: bool) -> object:
    import tensorflow as tf

    types = [tf.as_dtype(array.dtype) for array in reader.arrays]

    def rows_of(step: np.ndarray) -> list[np.ndarray]:
        try:
            return reader.rows(int(step))
        except SpecError as error:
            with _lock:
                _failed.append(error)
            raise

    @tf.autograph.experimental.do_not_convert
    def read(step):
        rows = tf.numpy_function(rows_of, [step], types)
        for tensor, array in zip(rows, reader.arrays, strict=True):
            tensor.set_shape((None, *array.shape[1:]))
        return step, tuple(rows)

    @tf.autograph.experimental.do_not_convert
    def make(step, rows):
        return batch(step, *reader.groups(rows))

    parallel, ordered = (None, None) if random else (READERS, True)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    readers = min(READERS, reader.depth)
    data = tf.data.Dataset.range(first, steps).map(read, num_parallel_calls=readers, deterministic=True)
    data = data.map(make, num_parallel_calls=parallel, deterministic=ordered)
    return data.prefetch(reader.depth).with_options(options)


class _Ahead(keras.utils.PyDataset):
    """Batches of which the next ones are being read while one is used."""

    def __init__(self, reader: _Reader, span: tuple[int, int], batch: Batch, made: bool):
        super().__init__()
        self._reader, self._span, self._batch, self._made = reader, span, batch, made
        self._order = reader.order
        self._coming: dict[int, Future] = {}

    def __len__(self) -> int:
        return self._span[1] - self._span[0]

    def __getitem__(self, index: int) -> tuple:
        step = self._span[0] + index
        out = self._batch(step, *self._reader.groups(self._rows(step)))
        if not self._made:
            return out
        found: Any = keras.tree.map_structure(keras.ops.convert_to_numpy, out)
        return found

    def _rows(self, step: int) -> list[np.ndarray]:
        if self._order is not self._reader.order or step not in self._coming:
            self._order = self._reader.order
            for old in self._coming.values():
                old.cancel()
            self._coming.clear()
        for number in range(step, min(step + self._reader.depth, self._span[1])):
            if number not in self._coming:
                self._coming[number] = _pool().submit(self._reader.rows, number, self._order)
        return self._coming.pop(step).result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, "kbuild-read")
