"""Arrays that are not in memory: a `Lazy` reads, decodes or computes rows when they are asked for.

Functions here take either kind of array, and walk over a `Lazy` in pieces: what they hold at once does not grow with
the data.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CHUNK = 16 * 2**20
"""Bytes that are looked at at once."""
TEXT = 1024
"""Bytes that a cell of text may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """An array of which rows are read when they are asked for: by a number, a slice or an array of numbers.

    It is no NumPy array and does not become one unasked, since whoever takes all of it must mean it: see `whole`.

    Args:
        shape: (examples, …).
        dtype: of the rows.
        read: (rows,) int64 numbers of rows, in any order → those rows, in that order, in memory.
        of: the array that it takes rows of, and their numbers; None if it takes none.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[np.ndarray], np.ndarray]
    of: "tuple[Lazy, np.ndarray] | None" = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes that it would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | np.integer | slice | np.ndarray) -> np.ndarray:
        if isinstance(key, int | np.integer):
            return self[np.array([key])][0]
        count = len(self)
        index = np.arange(*key.indices(count)) if isinstance(key, slice) else np.asarray(key, np.int64)
        index = np.where(index < 0, index + count, index)
        if len(index) and not 0 <= index.min() <= index.max() < count:
            raise IndexError(f"a row is out of range: there are {count}")
        return self.read(index)

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("this array is not in memory: take rows of it, or `whole`")


Array = np.ndarray | Lazy


def take(array: Array, index: np.ndarray) -> Array:
    """The rows at `index`, in its order; of a `Lazy` again one that reads nothing yet."""
    if not isinstance(array, Lazy):
        return array[index]
    base, before = array.of or (array, None)
    index = np.asarray(index, np.int64) if before is None else before[index]
    shape = (len(index), *base.shape[1:])
    return Lazy(shape, base.dtype, lambda rows: base.read(index[rows]), (base, index))


def mapped(
    array: Array, function: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], dtype: Any = None
) -> Array:
    """The array after a function of its rows.

    Args:
        function: (rows, …) → (rows, *shape), each row from the same row alone.
        shape: of one row of the result.
        dtype: of the result; None is that of the array.
    """
    if not isinstance(array, Lazy):
        return function(array)
    kind = array.dtype if dtype is None else np.dtype(dtype)
    return Lazy((len(array), *shape), kind, lambda rows: function(array.read(rows)))


def joined(arrays: Sequence[Array]) -> Array:
    """Arrays of one kind, one below the other."""
    if len(arrays) == 1:
        return arrays[0]
    if not any(isinstance(array, Lazy) for array in arrays):
        return np.concatenate(arrays)  # pyright: ignore[reportCallIssue, reportArgumentType]
    ends = np.cumsum([0, *(len(array) for array in arrays)])
    first = arrays[0]

    def read(index: np.ndarray) -> np.ndarray:
        found = np.empty((len(index), *first.shape[1:]), first.dtype)
        for array, start, stop in zip(arrays, ends, ends[1:], strict=False):
            here = (start <= index) & (index < stop)
            found[here] = array[index[here] - start]
        return found

    return Lazy((int(ends[-1]), *first.shape[1:]), first.dtype, read)


def cast(array: Array, dtype: Any) -> Array:
    """The array in another type."""
    return mapped(array, lambda rows: rows.astype(dtype), array.shape[1:], dtype)


def rows_at_once(array: Array) -> int:
    """How many rows make a piece; at least one."""
    size = TEXT if array.dtype.kind == "O" else array.dtype.itemsize
    each = int(np.prod(array.shape[1:], dtype=np.int64)) * size
    return max(1, CHUNK // max(1, each))


def chunks(array: Array) -> Iterator[tuple[int, np.ndarray]]:
    """Pieces in order, each with the number of its first row."""
    step = rows_at_once(array)
    for start in range(0, len(array), step):
        yield start, array[start : start + step]


def collected(array: Array, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What a function makes of the rows, all of it in memory: for what is small for each row, such as a label."""
    if not isinstance(array, Lazy):
        return function(array)
    found = [function(rows) for _, rows in chunks(array)]
    return np.concatenate(found) if found else function(array[:0])


def whole(array: Array) -> np.ndarray:
    """All rows in memory."""
    return array[:] if isinstance(array, Lazy) else array


def every(array: Array, holds: Callable[[np.ndarray], object]) -> bool:
    """Whether a condition holds for all pieces."""
    return all(bool(holds(rows)) for _, rows in chunks(array))


def extent(array: Array) -> tuple[Any, Any]:
    """The smallest and the largest element; both are nan if one of them is. There must be one."""
    if not isinstance(array, Lazy):
        return array.min(), array.max()
    ends = [(rows.min(), rows.max()) for _, rows in chunks(array)]
    return np.min([low for low, _ in ends]), np.max([high for _, high in ends])
