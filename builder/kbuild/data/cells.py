"""Rows of text that do not fit into memory → a file of cells, of which a column is read without the others.

The file is a row of blocks. In a block stand, one column after the other, the lengths of its cells (int32, in bytes)
and their UTF-8 text.
"""

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from kbuild.data.dataset import Numbered
from kbuild.data.lazy import Lazy
from kbuild.data.stored import File, opened

BLOCK = 4096
_SHARED = 4096
"""Texts that are held once for all cells of a column that have them."""


def write(folder: Path, names: Sequence[str], rows: Iterable[tuple[Sequence[str], int]]) -> int:
    """Write the cells of all rows, and tell how many there are.

    Args:
        folder: is there, and empty.
        names: of the columns.
        rows: the cells of a row, and its number.
    """
    offsets, numbers = [], array("q")
    block: list[Sequence[str]] = []
    with (folder / "cells").open("wb") as file:
        for cells, number in rows:
            block.append(cells)
            numbers.append(number)
            if len(block) == BLOCK:
                offsets.append(_block(file, block))
                block.clear()
        if block:
            offsets.append(_block(file, block))
    np.save(folder / "offsets.npy", np.array(offsets, np.int64).reshape(-1, len(names) + 1))
    np.save(folder / "numbers.npy", np.frombuffer(numbers, np.int64))
    (folder / "names.json").write_text(json.dumps(list(names)), encoding="utf-8")
    return len(numbers)


def read(folder: Path, word: str) -> tuple[Mapping[str, Lazy], Numbered]:
    """Columns of text by name, and where each row stands: `word` and its number."""
    names = json.loads((folder / "names.json").read_text("utf-8"))
    offsets, numbers = np.load(folder / "offsets.npy"), np.load(folder / "numbers.npy")
    file = opened(folder / "cells")
    columns = {name: _column(file, offsets[:, at : at + 2], len(numbers)) for at, name in enumerate(names)}
    return columns, Numbered(word, numbers)


def _block(file: IO[bytes], rows: Sequence[Sequence[str]]) -> list[int]:
    """Where each column begins, and the last one ends."""
    offsets = [file.tell()]
    for column in zip(*rows, strict=True):
        texts = [cell.encode("utf-8", "surrogatepass") for cell in column]
        file.write(np.array([len(text) for text in texts], np.int32).tobytes())
        file.write(b"".join(texts))
        offsets.append(file.tell())
    return offsets


def _column(file: File, ends: np.ndarray, count: int) -> Lazy:
    shared: dict[str, str] = {}

    def cells(block: int) -> np.ndarray:
        raw = np.empty(int(ends[block, 1] - ends[block, 0]), np.uint8)
        file.fill(raw, int(ends[block, 0]))
        rows = min(BLOCK, count - block * BLOCK)
        stops = np.cumsum(raw[: 4 * rows].view(np.int32), dtype=np.int64).tolist()
        text = raw[4 * rows :].tobytes()
        found = np.empty(rows, object)
        start = 0
        for at, stop in enumerate(stops):
            cell = text[start:stop].decode("utf-8", "surrogatepass")
            found[at] = shared.get(cell, cell)
            if len(shared) < _SHARED:
                shared[cell] = found[at]
            start = stop
        return found

    def read(index: np.ndarray) -> np.ndarray:
        blocks = index // BLOCK
        found = np.empty(len(index), object)
        for block in np.unique(blocks).tolist():
            here = blocks == block
            found[here] = cells(block)[index[here] - block * BLOCK]
        return found

    return Lazy((count,), np.dtype(object), read)
