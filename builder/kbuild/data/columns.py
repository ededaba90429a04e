"""Columns of text → what each is, which input it goes to, and what the training part tells about how to encode it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from kbuild.data import tokens
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, unknown
from kbuild.data.header import Features
from kbuild.data.lazy import Array, chunks, collected, joined
from kbuild.spec.data import Csv
from kbuild.text.problem import SpecError

Kind = Literal["numeric", "category", "text"]

MOSTLY = 0.8
"""A column of which so many cells are numbers was probably meant to hold them."""
FEW, MANY = 20, 1000
"""A column of text is a category with up to FEW values, or up to MANY if each stands twice on average."""
LENGTH, WORDS = 200, 20000
"""Of a column of text: words of a row, unless the input declares its shape, and size of the vocabulary."""


class _Table(Protocol):
    @property
    def columns(self) -> Mapping[str, Array]: ...
    @property
    def where(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of all parts: columns by name, and what tells where a row stands."""

    columns: Mapping[str, Array]
    where: Callable[[int], str]

    @classmethod
    def of(cls, tables: Iterable[_Table]) -> "Rows":
        """Tables one below the other, at most two, the second that of the test; the columns are those of the first."""
        every = list(tables)
        below = {name: joined([table.columns[name] for table in every]) for name in every[0].columns}
        first = every[0].where

        def where(at: int) -> str:
            return first[at] if at < len(first) else f"{every[1].where[at - len(first)]} of the test file"

        return cls(below, where)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done with which column.

    Args:
        kinds: of the columns that are used.
        inputs: columns by input.
        joined: the input that is a vector of several columns, if there is one.
        shapes: of declared inputs, as far as they are known.
    """

    kinds: Mapping[str, Kind]
    inputs: Mapping[str, tuple[str, ...]]
    joined: str | None
    shapes: Mapping[str, tuple[int | None, ...] | None]


def choose(source: Csv, rows: Rows, targets: Collection[str], features: Features) -> Choice:
    """Columns and kinds for every input. Raises SpecError K420, K422, K423, K424."""
    path = "data.source.features"
    known = [name for name in rows.columns if name not in targets]
    for name in source.features or ():
        if name in targets:
            raise fail("K424", f"`{name}` is the target and a feature", "leave it out of `features`", path)
        if name not in rows.columns:
            raise unknown("K420", f"there is no column `{name}`", name, known, path)
    taken = list(source.features) if source.features is not None else known
    inputs, joined = _inputs(features, known, targets, taken, source.features is not None)
    if not any(inputs.values()):
        raise fail("K424", "the target is the only column", "the other columns are what it is predicted from")
    declared = source.features or {}
    kinds: dict[str, Kind] = {}
    for columns in inputs.values():
        for name in columns:
            kinds[name] = declared.get(name) or content(name, rows)
            if kinds[name] == "numeric":
                filled(name, rows)
            if kinds[name] == "text" and name in inputs.get(joined or "", ()):
                raise fail(
                    "K424", f"the column `{name}` is text and needs an input of its own",
                    f"write `model: {{inputs: {{{name}: {{shape: [{LENGTH}], dtype: int32}}, …}}, layers: […]}}`", path,
                )  # fmt: skip
    return Choice(kinds, inputs, joined, features if isinstance(features, Mapping) else {})


def learn(choice: Choice, train: Part) -> Mapping[str, object]:
    """The encoding that the training part tells."""
    inputs = {}
    for name, columns in choice.inputs.items():
        is_joined = name == choice.joined
        shape = choice.shapes.get(name)
        length = shape[0] if shape and len(shape) == 1 and shape[0] else LENGTH
        described = [_learned(column, choice.kinds[column], train.x[column], is_joined, length) for column in columns]
        inputs[name] = {"columns": described, "joined": is_joined, "scalar": shape == ()}
    return {"kind": "columns", "inputs": inputs}


def numbers(cells: np.ndarray) -> np.ndarray:
    """(rows,) float64; nan where a cell is not a finite number.

    >>> numbers(np.array(["1e3", "", "two", "inf"], object)).tolist()
    [1000.0, nan, nan, nan]
    """
    found = np.array([_number(cell) for cell in cells], np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def mostly(values: np.ndarray) -> bool:
    """Whether a column was probably meant to hold numbers."""
    return bool(np.isfinite(values).mean() >= MOSTLY)


def stray(name: str, cell: str, where: str) -> SpecError:
    """A cell that is no number, among numbers."""
    help = f"correct it, or, if these are categories, write `features: {{{name}: category}}`"
    return fail("K422", f"the column `{name}` holds numbers, and `{cell[:40]}` in {where}", help)


def _number(cell: str) -> float:
    try:
        return float(cell) if "_" not in cell else np.nan
    except ValueError:
        return np.nan


def _inputs(
    features: Features, known: Sequence[str], targets: Collection[str], taken: Sequence[str], written: bool
) -> tuple[Mapping[str, tuple[str, ...]], str | None]:
    """Columns by input, and the name of the input that joins several."""
    if not features:
        return {"input": tuple(taken)}, "input"
    own = [name for name in features if name in known]
    other = [name for name in features if name not in known]
    rest = tuple(name for name in taken if name not in own)
    odd = next((name for name in other if name in targets), None)
    if odd is not None:
        raise fail(
            "K424", f"the input `{odd}` of the model is the target", "predict it from the other columns", "model.inputs"
        )
    if len(other) > 1:
        said = f"the inputs `{'`, `'.join(other)}` of the model are no columns, and only one can join the others"
        raise unknown("K424", said, other[-1], known, "model.inputs")
    if other and not rest:
        raise unknown(
            "K424", f"no column is left for the input `{other[0]}` of the model", other[0], known, "model.inputs"
        )
    if not other and rest and written:
        raise fail("K424", f"the feature `{rest[0]}` goes to no input of the model",
                   "declare one more input, to which all such features are joined", "model.inputs")  # fmt: skip
    found = {name: (name,) if name in own else rest for name in features}
    return found, other[0] if other else None


def content(name: str, rows: Rows) -> Kind:
    """What a column holds. Raises SpecError K422, K423."""
    cells = rows.columns[name]
    filled = finite = 0
    odd, distinct = None, set()
    for start, some in chunks(cells):
        there = np.flatnonzero(some != "")
        good = np.isfinite(numbers(some[there]))
        filled, finite = filled + len(there), finite + int(good.sum())
        if odd is None and not good.all():
            odd = start + int(there[np.argmin(good)])
        if len(distinct) <= MANY:
            distinct.update(some.tolist())
    if not filled:
        raise fail("K422", f"the column `{name}` is empty", "leave it out of `features`")
    if odd is None:
        return "numeric"
    if finite >= MOSTLY * filled:
        raise stray(name, str(cells[odd]), rows.where(odd))
    count = len(distinct)
    if count <= FEW or (count <= MANY and 2 * count <= len(cells)):
        return "category"
    many = f"{count:,}" if count <= MANY else f"more than {MANY:,}"
    said = f"the column `{name}` has {many} different texts in {len(cells):,} rows, so it is no category"
    help = f"list the columns to use under `features`, without it; or as `{name}: text`, with an input of its own"
    raise fail("K423", said, help, "data.source.features")


def filled(name: str, rows: Rows) -> None:
    """Raises SpecError K422 for a column of numbers with a cell that is none."""
    cells = rows.columns[name]
    odd = ((start, np.isnan(numbers(some))) for start, some in chunks(cells))
    at = next((start + int(np.argmax(found)) for start, found in odd if found.any()), None)
    if at is None:
        return
    if cells[at] != "":
        raise stray(name, str(cells[at]), rows.where(at))
    help = f"fill it in, leave the row out, or write `features: {{{name}: category}}`, where empty is a category too"
    raise fail("K422", f"the column `{name}` is empty in {rows.where(at)}", help)


def _learned(name: str, kind: Kind, cells: Array, joined: bool, length: int) -> Mapping[str, object]:
    if kind == "category":
        return {"name": name, "kind": kind, "vocabulary": sorted(set(_texts(cells)))}
    if kind == "text":
        return {"name": name, "kind": kind, "vocabulary": tokens.vocabulary(_texts(cells), WORDS), "length": length}
    if not joined:
        return {"name": name, "kind": kind, "mean": 0.0, "std": 1.0}
    values = collected(cells, numbers)
    # a column that never changes says nothing, and must not be divided by 0
    return {"name": name, "kind": kind, "mean": float(values.mean()), "std": float(values.std()) or 1.0}


def _texts(cells: Array) -> Iterator[str]:
    return (cell for _, some in chunks(cells) for cell in some.tolist())
