"""Csv or parquet file → Table: its cells as text, in memory or, if they are too many, in a file of the cache."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.data import cells, unpacked
from kbuild.data.dataset import Numbered
from kbuild.data.fail import fail, shown, there
from kbuild.data.lazy import Array
from kbuild.spec.data import Csv

Row = tuple[list[str], int]
"""The cells of a row, and the number of its line."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text by name, and where each row stands: `line 7` of the file, or `row 7`."""

    columns: Mapping[str, Array]
    where: Numbered

    def __len__(self) -> int:
        return len(self.where)


def rows(source: Csv, path: Path, limit: int | None = None, *, in_memory: bool = True) -> Table:
    """All rows of a file as text.

    Args:
        limit: read only so many characters of a csv file.
        in_memory: False puts the cells into a file of the cache.

    Raises:
        SpecError: K402, K404, K406, K417, K421.
    """
    there(path)
    parquet = source.kind == "parquet"
    word = "row" if parquet else "line"
    reading = _parquet(path) if parquet else _csv(path, source.delimiter, limit)
    if in_memory:
        with reading as (names, found):
            kept = list(found)
            _some(kept, path)
        columns = zip(*(row for row, _ in kept), strict=True)
        arrays = {name: np.array(column, object) for name, column in zip(names, columns, strict=True)}
        return Table(arrays, Numbered(word, np.array([number for _, number in kept])))

    def make(folder: Path) -> None:
        with reading as (names, found):
            _some(cells.write(folder, names, found), path)

    folder = unpacked.folder((path,), f"cells {word} {source.delimiter}", 2 * path.stat().st_size, make)
    return Table(*cells.read(folder, word))


def _some(rows: object, path: Path) -> None:
    if not rows:
        said = "the first line names the columns, each other line is an example"
        raise fail("K421", f"`{shown(path)}` has no rows", said)


def schema(path: Path) -> Sequence[str]:
    """Names of the columns of a parquet file. Raises SpecError K404, K406."""
    parquet = _arrow()
    try:
        return parquet.read_schema(path).names
    except (ValueError, OSError) as error:
        raise _no_parquet(path, error) from error


@contextmanager
def _csv(path: Path, delimiter: str, limit: int | None) -> Iterator[tuple[Sequence[str], Iterator[Row]]]:
    """Names of the columns, and the rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # the last line of what was cut off may be half a line
            lines = iter(file.read(limit).splitlines(keepends=True)[:-1]) if limit else file
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            names = _names(next(rows, []), path, delimiter)
            yield names, _rows(rows, names, path)
    except UnicodeDecodeError as error:
        raise fail(
            "K404", f"`{shown(path)}` is not UTF-8 text: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise fail("K404", f"`{shown(path)}` is no csv file: {error}", "check its quotes") from error


def _rows(rows: Iterator[list[str]], names: Sequence[str], path: Path) -> Iterator[Row]:
    for row in rows:
        line = rows.line_num  # pyright: ignore[reportAttributeAccessIssue]
        if not row:
            continue
        if len(row) != len(names):
            raise fail(
                "K421",
                f"line {line} of `{shown(path)}` has {len(row)} cells and the first line names {len(names)} columns",
                "quote cells that hold the delimiter",
            )
        yield [cell.strip() for cell in row], line


def _names(row: Sequence[str], path: Path, delimiter: str) -> Sequence[str]:
    names = [name.strip() for name in row]
    if not names:
        raise fail("K421", f"`{shown(path)}` is empty", "the first line names the columns")
    if "" in names:
        raise fail(
            "K421", f"column {names.index('') + 1} of `{shown(path)}` has no name", "the first line names the columns"
        )
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise fail("K421", f"`{shown(path)}` has two columns `{twice}`", "give each column a name of its own")
    other = next((d for d in ";\t|," if d != delimiter and d in names[0]), None)
    if len(names) == 1 and other:
        said = "\\t" if other == "\t" else other
        raise fail(
            "K421",
            f"`{shown(path)}` has one column only, `{names[0]}`",
            f'its delimiter seems another: write `delimiter: "{said}"`',
        )
    return names


@contextmanager
def _parquet(path: Path) -> Iterator[tuple[Sequence[str], Iterator[Row]]]:
    parquet = _arrow()
    try:
        with parquet.ParquetFile(path) as file:
            yield file.schema_arrow.names, _batches(file)
    except (ValueError, OSError) as error:  # pyarrow's own errors are kinds of these
        raise _no_parquet(path, error) from error


def _batches(file: Any) -> Iterator[Row]:
    number = 0
    for batch in file.iter_batches(batch_size=cells.BLOCK):
        columns = [["" if value is None else str(value) for value in column.to_pylist()] for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield list(row), number
            number += 1


def _no_parquet(path: Path, error: Exception) -> Exception:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return fail("K404", f"`{shown(path)}` is no parquet file: {said}", "write the file again")


def _arrow() -> Any:
    try:
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise fail(
            "K406", "a parquet file needs pyarrow, which is not installed", "run `pip install 'kbuild[tabular]'`"
        ) from None
    return parquet
