"""Array in a file → Lazy. Raises SpecError K404, K416.

Files are read with `pread`, not mapped: the pages of a map that were touched count as memory of the process, so a map
of 4 GB that is read in another order each epoch soon is 4 GB.
"""

import os
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kbuild.data.fail import fail, shown
from kbuild.data.lazy import Lazy

GAP, SPAN = 16 * 2**10, 4 * 2**20
"""Rows with at most GAP bytes between them are read together, which takes less time than to read them apart; up to
SPAN bytes at once.
"""


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
        raise fail(
            "K404", f"`{shown(path)}` cannot be read: {error.strerror}", "correct its permissions"
        ) from error
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
        found = np.empty((len(index), *shape[1:]), dtype)
        if found.size:
            file.unchanged()
            _fill(found.reshape(-1).view(np.uint8), index, each, file, offset)
        return found

    return Lazy(shape, dtype, read)


def _fill(into: np.ndarray, index: np.ndarray, each: int, file: File, offset: int) -> None:
    """Read rows of `each` bytes into flat bytes; `index` ascends."""
    steps = np.diff(index)
    far = steps * each > each + GAP
    long = np.diff((index - index[0]) * each // SPAN) > 0
    ends = [0, *(np.flatnonzero(far | long) + 1).tolist(), len(index)]
    for start, stop in zip(ends, ends[1:], strict=False):
        first = int(index[start])
        place = into[start * each : stop * each]
        if bool((steps[start : stop - 1] == 1).all()):
            file.fill(place, offset + first * each)
            continue
        near = np.empty((int(index[stop - 1]) - first + 1) * each, np.uint8)
        file.fill(near, offset + first * each)
        place.reshape(-1, each)[:] = near.reshape(-1, each)[index[start:stop] - first]
