"""Array in a file → Lazy. Raises SpecError K404, K416.

Files are read with `pread`, not mapped: the pages of a map that were touched count as memory of the process, so a map
of 4 GB that is read in another order each epoch soon is 4 GB.
"""

import os
import weakref
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from kbuild.data.fail import fail, shown
from kbuild.data.lazy import Lazy

GAP, SPAN = 16 * 2**10, 4 * 2**20
"""Rows with at most GAP bytes between them are read together, which takes less time than to read them apart; up to
SPAN bytes at once.
"""
ALIGNED = 64
"""Bytes that TensorFlow wants an array to begin at a multiple of."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class File:
    """An open file, as it was when it was opened; it is closed when nobody holds it any more.

    A file that is removed or replaced stays readable; one that is written to does not.
    """

    path: Path
    handle: int
    size: int
    time: int

    def fill(self, into: np.ndarray, offset: int) -> None:
        """Read as many bytes as `into` has, which is flat. Raises SpecError K404, K416."""
        view = into.data
        while len(view):
            try:
                got = os.preadv(self.handle, [view], offset)
            except OSError as error:
                raise fail(
                    "K404", f"`{shown(self.path)}` cannot be read: {error.strerror}", "try again, or copy the file"
                ) from error
            if not got:
                raise self._changed()
            view, offset = view[got:], offset + got

    def unchanged(self) -> None:
        """Raises SpecError K416 if the file was written to since it was opened."""
        found = os.fstat(self.handle)
        if (found.st_size, found.st_mtime_ns) != (self.size, self.time):
            raise self._changed()

    def _changed(self) -> Exception:
        return fail(
            "K416",
            f"`{shown(self.path)}` was changed while its examples were being read",
            "leave the data alone while they are used; write new data to another file and rename it",
        )


def opened(path: Path) -> File:
    """Raises SpecError K404."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise fail("K404", f"`{shown(path)}` cannot be read: {error.strerror}", "correct its permissions") from error
    found = os.fstat(handle)
    file = File(path, handle, found.st_size, found.st_mtime_ns)
    weakref.finalize(file, os.close, handle)
    return file


def stored(file: File, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> Lazy:
    """Rows that lie one after the other in a file, from `offset` on. Raises SpecError K404 if the file is too short."""
    each = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
    if offset + each * shape[0] > file.size:
        raise fail("K404", f"`{shown(file.path)}` is cut off", "write the file again")

    def read(index: np.ndarray) -> np.ndarray:
        found = _aligned((len(index), *shape[1:]), dtype)
        if found.size:
            file.unchanged()
            order = np.argsort(index, kind="stable")
            _fill(found.reshape(-1).view(np.uint8).reshape(-1, each), order, index[order], file, offset)
        return found

    return Lazy(shape, dtype, read)


def _fill(into: np.ndarray, places: np.ndarray, index: np.ndarray, file: File, offset: int) -> None:
    """Read rows of bytes, `index` in ascending order, each into its place."""
    each = into.shape[1]
    steps = np.diff(index)
    far = steps * each > each + GAP
    long = np.diff((index - index[0]) * each // SPAN) > 0
    together = (steps == 1) & (np.diff(places) == 1)
    ends = [0, *(np.flatnonzero(far | long) + 1).tolist(), len(index)]
    for start, stop in pairwise(ends):
        first, place = int(index[start]), int(places[start])
        if bool(together[start : stop - 1].all()):
            file.fill(into[place : place + stop - start].reshape(-1), offset + first * each)
            continue
        near = np.empty((int(index[stop - 1]) - first + 1, each), np.uint8)
        file.fill(near.reshape(-1), offset + first * each)
        into[places[start:stop]] = near[index[start:stop] - first]


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An empty array that begins where TensorFlow can use it without a copy."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + ALIGNED, np.uint8)
    begin = -raw.ctypes.data % ALIGNED
    return raw[begin : begin + size].view(dtype).reshape(shape)
