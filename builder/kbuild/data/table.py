"""Csv → Loaded: rows of a csv or parquet file; columns are read as text, and become numbers in `columns.py`."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.data import columns
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown, there, unknown
from kbuild.data.header import Features, Target
from kbuild.data.labels import classed, texts
from kbuild.data.lazy import Array
from kbuild.data.loaded import Loaded
from kbuild.spec.data import Csv

CLASSES = 20
"""A column of the whole numbers 0 … k - 1 is classes up to this k, and numbers beyond."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text by name, and where each row stands: `line 7` of the file, or `row 7`."""

    columns: Mapping[str, np.ndarray]
    where: Sequence[str]

    def __len__(self) -> int:
        return len(self.where)


def read(source: Csv, features: Features, classes: Sequence[str] = (), *, limit: int | None = None) -> Loaded:
    """Rows, with their targets told, and how to encode the rest.

    Args:
        features: the model's inputs: a column of that name is an input of its own.
        classes: class names that the user gives; they make a column of whole numbers classes.
        limit: read only so many characters of the file, to guess.

    Raises:
        SpecError: K402, K404 for the file, K406 without pyarrow, K420 for columns that are not there, K421 for lines
            that do not fit, K422 for cells that are empty or no number, K423 for columns of which content does not
            tell what they are, K424 for inputs and columns that do not fit each other.
    """
    tables = {"train": rows(source, source.csv, limit)}
    if source.test is not None:
        tables["test"] = rows(source, source.test, limit)
        gone = [name for name in tables["train"].columns if name not in tables["test"].columns]
        if gone:
            raise unknown("K420", f"`{shown(source.test)}` has no column `{gone[0]}`", gone[0], tables["test"].columns)
    wanted = _targets(source, tables["train"])
    plan = columns.choose(source, columns.Rows.of(tables.values()), wanted, features)
    y: dict[str, dict[str, Array]] = {part: {} for part in tables}
    targets: dict[str, Target] = {}
    for name in wanted:
        output = "output" if len(wanted) == 1 else name
        found, targets[output] = _target(name, tables, classes if len(wanted) == 1 else ())
        for part, array in found.items():
            y[part][output] = array
    parts = {
        part: Part({name: table.columns[name] for name in plan.kinds}, y[part], None, tuple(table.where))
        for part, table in tables.items()
    }
    return Loaded(parts, targets, learn=lambda train: columns.learn(plan, train))


def schema(path: Path) -> Sequence[str]:
    """Names of the columns of a parquet file. Raises SpecError K404, K406."""
    try:
        return _arrow().read_schema(path).names
    except (ValueError, OSError) as error:
        raise fail(
            "K404", f"`{shown(path)}` is no parquet file: {str(error).splitlines()[0]}", "write the file again"
        ) from error


def rows(source: Csv, path: Path, limit: int | None = None) -> Table:
    """All rows of a file as text. Raises SpecError K402, K404, K406, K421."""
    there(path)
    return _parquet(path) if source.kind == "parquet" else _csv(path, source.delimiter, limit)


def _csv(path: Path, delimiter: str, limit: int | None) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # the last line of what was cut off may be half a line
            lines = iter(file.read(limit).splitlines(keepends=True)[:-1]) if limit else file
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            names = _names(next(rows, []), path, delimiter)
            kept, where = _rows(rows, names, path)
    except UnicodeDecodeError as error:
        raise fail(
            "K404", f"`{shown(path)}` is not UTF-8 text: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise fail("K404", f"`{shown(path)}` is no csv file: {error}", "check its quotes") from error
    if not kept:
        raise fail(
            "K421", f"`{shown(path)}` has no rows", "the first line names the columns, each other line is an example"
        )
    return Table(
        {name: np.array(cells, object) for name, cells in zip(names, zip(*kept, strict=True), strict=True)}, where
    )


def _rows(rows: Iterator[list[str]], names: Sequence[str], path: Path) -> tuple[list[list[str]], list[str]]:
    kept: list[list[str]] = []
    where: list[str] = []
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
        kept.append([cell.strip() for cell in row])
        where.append(f"line {line}")
    return kept, where


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


def _parquet(path: Path) -> Table:
    parquet = _arrow()
    try:
        table = parquet.read_table(path)
    except (ValueError, OSError) as error:  # pyarrow's own errors are kinds of these
        raise fail(
            "K404", f"`{shown(path)}` is no parquet file: {str(error).splitlines()[0]}", "write the file again"
        ) from error
    found = {
        name: np.array(["" if v is None else str(v) for v in table[name].to_pylist()], object)
        for name in table.column_names
    }
    if not table.num_rows or not found:
        raise fail("K421", f"`{shown(path)}` has no rows", "each row is an example")
    return Table(found, [f"row {i}" for i in range(table.num_rows)])


def _arrow() -> Any:
    try:
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise fail(
            "K406", "a parquet file needs pyarrow, which is not installed", "run `pip install 'kbuild[tabular]'`"
        ) from None
    return parquet


def _targets(source: Csv, table: Table) -> Sequence[str]:
    wanted = [source.target] if isinstance(source.target, str) else list(source.target or ())
    for name in wanted:
        if name not in table.columns:
            raise unknown(
                "K420", f"`{shown(source.csv)}` has no column `{name}`", name, table.columns, "data.source.target"
            )
    return wanted


def _target(name: str, tables: Mapping[str, Table], classes: Sequence[str]) -> tuple[Mapping[str, Array], Target]:
    cells = {part: table.columns[name] for part, table in tables.items()}
    for part, table in tables.items():
        empty = np.flatnonzero(cells[part] == "")
        if len(empty):
            raise fail(
                "K422", f"the target `{name}` is empty in {table.where[empty[0]]}", "fill it in, or leave the row out"
            )
    found = {part: columns.numbers(array) for part, array in cells.items()}
    every = np.concatenate(list(found.values()))
    if np.isnan(every).any():
        for part, array in found.items():
            odd = np.isnan(array)
            if odd.any() and columns.mostly(every):
                at = int(np.argmax(odd))
                raise columns.stray(name, str(cells[part][at]), tables[part].where[at])
        return texts(name, cells)
    if classes and bool((every == np.round(every)).all()):
        return _whole(found, np.unique(every))
    distinct = np.unique(every)
    if 2 <= len(distinct) <= CLASSES and np.array_equal(distinct, np.arange(len(distinct))):
        return _whole(found, distinct)
    return {part: a.astype(np.float32) for part, a in found.items()}, Target((), "float32", "regression")


def _whole(found: Mapping[str, np.ndarray], distinct: np.ndarray) -> tuple[Mapping[str, Array], Target]:
    names = tuple(str(int(value)) for value in distinct)
    labels = {part: np.searchsorted(distinct, array).astype(np.int32) for part, array in found.items()}
    return labels, Target((), "int32", classed(len(names)), names, len(names))
