"""Csv or parquet file → Guess: the last column is predicted unless told otherwise; what cannot be used is left out."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kbuild.data import columns as content
from kbuild.data import tokens
from kbuild.data.fail import shown, unknown
from kbuild.data.guess.guess import Guess, center, peeked, spec_name, usual
from kbuild.data.lazy import whole
from kbuild.data.peek import WHOLE
from kbuild.data.rows import Table
from kbuild.data.rows import rows as read
from kbuild.spec.data import Csv
from kbuild.spec.names import NAME, RESERVED
from kbuild.text.problem import SpecError

_DELIMITERS = ",;\t|"


def guess(path: Path, target: str | None) -> Guess:
    """Raises SpecError K420 for a target that is not there, and what reading the table finds."""
    parquet = path.suffix.lower() == ".parquet"
    delimiter = "," if parquet else _delimiter(path)
    section = Csv(csv=path, delimiter=delimiter, kind="parquet" if parquet else "csv")
    rows = read(section, path, None if parquet or path.stat().st_size <= WHOLE else WHOLE)
    names = list(rows.columns)
    if target is not None and target not in names:
        raise unknown("K420", f"`{shown(path)}` has no column `{target}`", target, names, "--target")
    wanted = target or names[-1]
    features, notes, texts = _features(rows, wanted)
    text = _text(rows, texts) if not features else None
    if text is not None:
        features, notes = {text: "text"}, [note for note in notes if f"`{text}`" not in note]
    left_out = len(features) < len(names) - 1 or text is not None
    section = section.model_copy(update={"target": wanted, "features": features if left_out else None})
    source: dict[str, object] = {"parquet" if parquet else "csv": path, "target": wanted}
    source |= {"delimiter": delimiter} if delimiter != "," else {}
    source |= {"features": features} if left_out else {}
    header = peeked(section, {text: (length,)} if text and (length := _length(whole(rows.columns[text]))) else None)
    first = () if target else (f"`{wanted}` is predicted, the last column; another: --target COLUMN",)
    numbers = content.numbers(whole(rows.columns[wanted]))
    middle = None
    if next(iter(header.targets.values())).task == "regression" and np.isfinite(numbers).all():
        middle = center(numbers.tolist())
    if None in header.counts.values():
        header = replace(header, counts={"train": _lines(path, rows)})
    told = "words become numbers" if text else "numbers are normalized and categories made one-hot"
    encoded = f"{told} before the model, by what the training part tells"
    words = content.WORDS if text else None
    return Guess(spec_name(path), section, source, header, path.parent, words, middle, (*first, *notes, encoded), text)


def _features(rows: Table, target: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Kinds of the columns that can be used, why the others cannot, and those of them that are text."""
    every = content.Rows.of([rows])
    found: dict[str, str] = {}
    notes: list[str] = []
    texts: list[str] = []
    for name in (name for name in rows.columns if name != target):
        try:
            kind = content.content(name, every)
            if kind == "numeric":
                content.filled(name, every)
        except SpecError as error:
            notes.append(f"left out: {error.problems[0].message}")
            texts += [name] if error.problems[0].code == "K423" else []
            continue
        if kind == "numeric" and _counts(whole(rows.columns[name])):
            notes.append(f"left out: the column `{name}` only counts the rows")
            continue
        found[name] = kind
    return found, notes, texts


def _text(rows: Table, texts: Sequence[str]) -> str | None:
    """The longest of the columns of text that can be an input's name."""
    usable = [name for name in texts if NAME.match(name) and name not in RESERVED]
    return max(usable, key=lambda name: sum(map(len, whole(rows.columns[name]))), default=None)


def _length(cells: np.ndarray) -> int:
    return usual([len(tokens.words(cell)) for cell in cells])


def _counts(cells: np.ndarray) -> bool:
    numbers = content.numbers(cells)
    return len(numbers) > 2 and bool((np.diff(numbers) == 1).all())


def _delimiter(path: Path) -> str:
    """The one that most cells of the first line are between."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(1 << 16)
    return max(_DELIMITERS, key=lambda each: len(next(csv.reader([first], delimiter=each), [])))


def _lines(path: Path, rows: Table) -> int:
    """About how many rows there are, from those that were read."""
    return max(len(rows), round(len(rows) * path.stat().st_size / WHOLE))
