"""Npz file, or folder of npy files → its arrays by name: what each is and where it lies. Nothing is ever unpickled."""

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from kbuild.data import unpacked
from kbuild.data.fail import fail, shown, there
from kbuild.data.folders import inside
from kbuild.data.lazy import Lazy
from kbuild.data.stored import opened, stored

_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError)


class Entry(NamedTuple):
    """An array in a file.

    Args:
        offset: of its first byte in the file; None if it is compressed.
        by_columns: whether the first axis runs fastest, as in Fortran.
        member: its name in an npz file; empty for an npy file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    path: Path
    offset: int | None
    by_columns: bool
    member: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return math.prod(self.shape) * self.dtype.itemsize


Index = Mapping[str, Entry]


def arrays(path: Path) -> Index:
    """Shape and dtype of every array, from the first bytes of each. Raises SpecError K402, K404, K405."""
    return _folder(path) if path.is_dir() else _archive(path)


def whole(entry: Entry) -> np.ndarray:
    """The array in memory. Raises SpecError K402, K404."""
    what = f"the array `{entry.member}` in `{shown(entry.path)}`" if entry.member else f"`{shown(entry.path)}`"
    try:
        with there(entry.path).open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return found[entry.member] if entry.member else found
    except _BROKEN as error:
        raise fail("K404", f"{what} cannot be read: {_said(error)}", "write the file again") from error


def on_disk(entry: Entry) -> Lazy:
    """The array where it lies, or, if it is compressed, unpacked into a file of the cache.

    The checksums of an npz file are not looked at, since rows are read in any order.

    Raises:
        SpecError: K404, K417 if there is no room to unpack it, K418 if its rows do not lie together.
    """
    if entry.by_columns and len(entry.shape) > 1:
        name = entry.member or entry.path.stem
        raise fail(
            "K418",
            f"the array `{name}` in `{shown(entry.path)}` is stored by columns and does not fit into memory",
            "write it again after `numpy.ascontiguousarray`",
        )
    if entry.offset is not None:
        return stored(opened(entry.path), entry.offset, entry.shape, entry.dtype)

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(entry.path) as archive, archive.open(f"{entry.member}.npy") as packed:
            _header(packed)
            while piece := packed.read(2**20):
                file.write(piece)

    try:
        name = unpacked.file((entry.path,), f"npz {entry.member}", entry.nbytes, write)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise fail(
            "K404",
            f"the array `{entry.member}` in `{shown(entry.path)}` cannot be read: {_said(error)}",
            "write the file again",
        ) from error
    return stored(opened(name), 0, entry.shape, entry.dtype)


def _archive(path: Path) -> Index:
    there(path)
    found: dict[str, Entry] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    key = entry.filename.removesuffix(".npy")
                    found[key] = _member(archive, entry, path, key)
    except _BROKEN as error:
        raise fail("K404", f"`{shown(path)}` is no npz file: {_said(error)}", "write it with `numpy.savez`") from error
    if not found:
        raise fail("K404", f"`{shown(path)}` has no arrays", "write it with `numpy.savez`")
    return found


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, key: str) -> Entry:
    with archive.open(entry) as file:
        shape, by_columns, dtype = _header(file)
        begins = file.tell()
    if not dtype.hasobject and begins + math.prod(shape) * dtype.itemsize != entry.file_size:
        raise fail("K404", f"the array `{key}` in `{shown(path)}` is cut off", "write the file again")
    offset = None
    if entry.compress_type == zipfile.ZIP_STORED:
        with path.open("rb") as raw:
            # the lengths of the name and of what follows it stand in the member's own header
            raw.seek(entry.header_offset + 26)
            lengths = raw.read(4)
        offset = entry.header_offset + 30 + begins
        offset += int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return Entry(shape, dtype, path, offset, by_columns, key)


def _folder(path: Path) -> Index:
    found = {}
    for file in sorted(path.glob("*.npy")):
        if file.name.startswith(".") or not file.is_file():
            continue
        inside(file, path)
        try:
            with file.open("rb") as opened_file:
                shape, by_columns, dtype = _header(opened_file)
                entry = Entry(shape, dtype, file, opened_file.tell(), by_columns)
        except _BROKEN as error:
            raise fail(
                "K404", f"`{shown(file)}` is no npy file: {_said(error)}", "write it with `numpy.save`"
            ) from error
        if not dtype.hasobject and (entry.offset or 0) + entry.nbytes != file.stat().st_size:
            raise fail("K404", f"`{shown(file)}` is cut off", "write the file again")
        found[file.stem] = entry
    if not found:
        raise fail("K404", f"`{shown(path)}` has no npy files", "write them with `numpy.save`")
    return found


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _said(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")
