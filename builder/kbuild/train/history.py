"""Numbers of an epoch → a row of `history.csv`, and back. A crash in mid-row costs that row only."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from kbuild.train import atomic

FIRST = ("epoch", "phase", "seconds", "learning_rate")


class Writer:
    """Appends rows; each is on the disk when `append` returns. The first row names the columns.

    Args:
        rows: of a run that goes on: what the file is to hold, whatever it holds; None for a new one.
    """

    def __init__(self, path: Path, rows: Sequence[Mapping[str, float]] | None = None):
        self.path = path
        self.columns: tuple[str, ...] = columns(rows[0]) if rows else ()
        if rows is not None:
            body = [[_text(row.get(name)) for name in self.columns] for row in rows]
            atomic.write_text(path, "".join(_line(line) for line in ([self.columns, *body] if rows else ())))

    def append(self, row: Mapping[str, float]) -> None:
        """Write one epoch's numbers; `row` holds `epoch` (from 1), `phase`, `seconds`, `learning_rate`, `loss`, …"""
        lines = []
        if not self.columns:
            self.columns = columns(row)
            lines.append(_line(self.columns))
        lines.append(_line([_text(row.get(name)) for name in self.columns]))
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())


def columns(row: Mapping[str, float]) -> tuple[str, ...]:
    """The order of columns: epoch, phase if there are phases, seconds, learning rate, loss, metrics, then the same of
    validation.
    """
    rest = [name for name in row if name not in FIRST]
    train = [name for name in rest if not name.startswith("val_")]
    first = (name for name in FIRST if name != "phase" or name in row)
    return (*first, *sorted(train, key=lambda n: n != "loss"), *(n for n in rest if n.startswith("val_")))


def read(path: Path) -> dict[str, list[float]]:
    """Columns of a history by name, all of one length; a missing number is NaN. A torn last line is left out."""
    text = path.read_text("utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    rows = list(csv.reader(io.StringIO(whole)))
    if not rows:
        return {}
    names, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    return {name: [float(row[at]) if row[at] else float("nan") for row in body] for at, name in enumerate(names)}


def _line(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.9g}"
