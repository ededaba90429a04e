"""(encoding, text) → inputs of the model: what the training part told, applied to any rows, pictures or texts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.data import tokens
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, unknown
from kbuild.data.lazy import Array

Apply = Callable[[Part], Mapping[str, Array]]
Encoding = Mapping[str, Any]


def encode_rows(encoding: Encoding, rows: Sequence[Mapping[str, str]]) -> dict[str, np.ndarray]:
    """New rows of a table, as the model gets them; columns that it does not use are ignored.

    Args:
        encoding: `Dataset.encoding` of the run's data, of kind `columns`.
        rows: cells by column.

    Returns:
        By input name: (rows, width) float32 for a joined vector or a number; (rows, 1) int32 for a category of its
        own, 0 if it is not in the vocabulary, else counted from 1; (rows, length) int32 for text.

    Raises:
        SpecError: K460 if the data were no table, K420 for a column that is missing, K422 for a cell that is no number.
    """
    if encoding.get("kind") != "columns":
        raise fail(
            "K460",
            "the model was not trained on a table, so rows mean nothing to it",
            "give it arrays or files like those it was trained on",
        )
    wanted = [column["name"] for entry in encoding["inputs"].values() for column in entry["columns"]]
    for number, row in enumerate(rows, 1):
        gone = next((name for name in wanted if name not in row), None)
        if gone is not None:
            raise unknown("K420", f"row {number} has no column `{gone}`", gone, row)
    cells = {name: np.array([str(row[name]).strip() for row in rows], object) for name in wanted}
    return columns(encoding, cells, [f"row {number}" for number in range(1, len(rows) + 1)])


def encode_image(path: Path, encoding: Encoding) -> np.ndarray:
    """(height, width, channels) uint8: a picture as those trained on. Raises SpecError K402, K404, K460."""
    from kbuild.data.images import decode

    if encoding.get("kind") != "image":
        raise fail(
            "K460", "the model was not trained on pictures", "give it arrays or rows like those it was trained on"
        )
    height, width = encoding["size"]
    return decode(path, encoding["color"], (height, width))


def encode_texts(encoding: Encoding, texts: Sequence[str]) -> np.ndarray:
    """(texts, length) int32: texts as those that the model was trained on. Raises SpecError K460."""
    if encoding.get("kind") != "text":
        raise fail("K460", "the model was not trained on texts", "give it arrays or rows like those it was trained on")
    return tokens.encode(texts, encoding["vocabulary"], encoding["length"])


def columns(encoding: Encoding, cells: Mapping[str, np.ndarray], where: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of text by name → inputs by name; shapes as `encode_rows` has them. Raises SpecError K422."""
    found = {}
    for name, entry in encoding["inputs"].items():
        made = [_encoded(column, cells[column["name"]], entry["joined"], where) for column in entry["columns"]]
        array = np.concatenate(made, axis=1) if entry["joined"] else made[0]
        found[name] = array[:, 0] if entry.get("scalar") else array
    return found


def _encoded(column: Encoding, cells: np.ndarray, joined: bool, where: Sequence[str]) -> np.ndarray:
    if column["kind"] == "text":
        return tokens.encode(list(cells), column["vocabulary"], column["length"])
    if column["kind"] == "category":
        return _category(column["vocabulary"], cells, joined)
    return ((_numbers(column["name"], cells, where) - column["mean"]) / column["std"]).astype(np.float32)[:, None]


def _category(vocabulary: Sequence[str], cells: np.ndarray, joined: bool) -> np.ndarray:
    index = {value: number for number, value in enumerate(vocabulary, 1)}
    found = np.array([index.get(cell, 0) for cell in cells], np.int32)
    return np.eye(len(vocabulary) + 1, dtype=np.float32)[found][:, 1:] if joined else found[:, None]


def _numbers(name: str, cells: np.ndarray, where: Sequence[str]) -> np.ndarray:
    found = np.empty(len(cells))
    for at, cell in enumerate(cells):
        try:
            found[at] = float(cell)
        except ValueError:
            found[at] = np.nan
        if not np.isfinite(found[at]):
            said = f"is `{str(cell)[:40]}`" if cell else "is empty"
            raise fail("K422", f"the column `{name}` {said} in {where[at]}", "write a number")
    return found
