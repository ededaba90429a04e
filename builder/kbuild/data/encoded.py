"""Columns of text that are not in memory → inputs of the model, encoded once into files of the cache."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from kbuild.data import encode, unpacked
from kbuild.data.cells import BLOCK
from kbuild.data.dataset import Part
from kbuild.data.lazy import Array, Lazy, take, whole
from kbuild.data.memory import InMemory, fits
from kbuild.data.rows import Table
from kbuild.data.stored import opened, stored


def encoded(
    encoding: encode.Encoding, part: Part, tables: Mapping[Path, Table], in_memory: InMemory
) -> Mapping[str, Array]:
    """The inputs of a part, as `encode.columns` makes them.

    Args:
        encoding: of kind `columns`.
        part: rows of one of the tables.
        tables: all rows of each file.
        in_memory: numbers take less room than text, and may fit where it does not.

    Raises:
        SpecError: K417 if there is no room for them, K422 for a cell that is no number.
    """
    name, column = next(iter(part.x.items()))
    assert isinstance(column, Lazy)
    base, index = column.of or (column, None)
    path, table = next((path, table) for path, table in tables.items() if table.columns[name] is base)
    one = encode.columns(encoding, {name: table.columns[name][:1] for name in part.x}, table.where)
    needed = sum(array.nbytes for array in one.values()) * len(table)

    def make(folder: Path) -> None:
        with ExitStack() as stack:
            files = [stack.enter_context((folder / str(at)).open("wb")) for at in range(len(one))]
            for start in range(0, len(table), BLOCK):
                rows = slice(start, start + BLOCK)
                cells = {name: table.columns[name][rows] for name in part.x}
                made = encode.columns(encoding, cells, table.where[rows])
                for file, array in zip(files, made.values(), strict=True):
                    file.write(np.ascontiguousarray(array).data)

    folder = unpacked.folder((path,), json.dumps(encoding, sort_keys=True), needed, make)
    found: dict[str, Array] = {}
    for at, (name, array) in enumerate(one.items()):
        rows = stored(opened(folder / str(at)), 0, (len(table), *array.shape[1:]), array.dtype)
        found[name] = rows if index is None else take(rows, index)
    return {name: whole(array) for name, array in found.items()} if fits(needed, in_memory) else found
