"""Csv → Loaded: rows of a csv or parquet file; columns are read as text, and become numbers in `columns.py`."""

from collections.abc import Mapping, Sequence

import numpy as np

from kbuild.data import columns, encode
from kbuild.data.dataset import Part
from kbuild.data.encoded import encoded
from kbuild.data.fail import fail, shown, there, unknown
from kbuild.data.header import Features, Target
from kbuild.data.labels import classed, texts
from kbuild.data.lazy import Array, collected, whole
from kbuild.data.loaded import Loaded
from kbuild.data.memory import InMemory, fits
from kbuild.data.rows import Table, rows
from kbuild.spec.data import Csv

CLASSES = 20
"""A column of the whole numbers 0 … k - 1 is classes up to this k, and numbers beyond."""
TEXT = 12
"""A table in memory takes about so many times the bytes of its file, while its cells are text."""


def read(
    source: Csv,
    features: Features,
    classes: Sequence[str] = (),
    *,
    limit: int | None = None,
    in_memory: InMemory = "auto",
) -> Loaded:
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
    files = {"train": source.csv} if source.test is None else {"train": source.csv, "test": source.test}
    held = limit is not None or fits(sum(TEXT * there(path).stat().st_size for path in files.values()), in_memory)
    tables = {part: rows(source, path, limit, in_memory=held) for part, path in files.items()}
    if source.test is not None:
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
        part: Part({name: table.columns[name] for name in plan.kinds}, y[part], None, table.where)
        for part, table in tables.items()
    }

    def learn(train: Part) -> tuple[Mapping[str, object], encode.Apply]:
        encoding = columns.learn(plan, train)
        if held:
            return encoding, lambda part: encode.columns(encoding, _cells(part), part.ids or ())
        named = {files[part]: table for part, table in tables.items()}
        return encoding, lambda part: encoded(encoding, part, named, in_memory)

    return Loaded(parts, targets, learn=learn)


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
        empty = np.flatnonzero(collected(cells[part], lambda some: some == ""))
        if len(empty):
            raise fail(
                "K422", f"the target `{name}` is empty in {table.where[empty[0]]}", "fill it in, or leave the row out"
            )
    found = {part: collected(array, columns.numbers) for part, array in cells.items()}
    every = np.concatenate(list(found.values()))
    if np.isnan(every).any():
        for part, array in found.items():
            odd = np.isnan(array)
            if odd.any() and columns.mostly(every):
                at = int(np.argmax(odd))
                raise columns.stray(name, str(cells[part][at]), tables[part].where[at])
        return texts(name, {part: whole(array) for part, array in cells.items()})
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


def _cells(part: Part) -> Mapping[str, np.ndarray]:
    return {name: whole(cells) for name, cells in part.x.items()}
