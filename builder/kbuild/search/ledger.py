"""What happened in a study ↔ `ledger.jsonl`: one event a line, only ever added to, and the only truth of a study.

Each line is written and synced before anything is done that depends on it. A last line that is torn never happened.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kbuild.text.problem import Problem, SpecError
from kbuild.train.atomic import finite

NAME = "ledger.jsonl"
Event = Mapping[str, Any]


def phase(name: str) -> None:
    """Called before each thing that happens to the ledger: `write`, `fsync`, `written`.

    It does nothing; those who test what a kill leaves behind put something else in its place.
    """


class Ledger:
    """The ledger of a study, open for adding."""

    def __init__(self, path: Path):
        self._path = path
        whole = _whole(path)
        self._file = path.open("ab")
        if self._file.tell() > whole:
            self._file.truncate(whole)

    def add(self, event: Event) -> None:
        """Write an event, and have it on the disk before this returns. Raises OSError; nothing is then added."""
        line = json.dumps(finite(event), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        before = self._file.tell()
        try:
            phase("write")
            self._file.write(line)
            self._file.flush()
            phase("fsync")
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            raise
        phase("written")

    def close(self) -> None:
        """Add no more."""
        with contextlib.suppress(OSError):
            self._file.close()


def read(path: Path) -> list[Event]:
    """The events of a ledger, in order.

    Raises:
        SpecError: K640 if a line other than the last cannot be read.
    """
    content = path.read_bytes()[: _whole(path)] if path.exists() else b""
    events: list[Event] = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or "event" not in event:
                raise ValueError("no event")
        except ValueError as error:
            help = "the disk or another program changed it: put the file back, or begin a new study"
            raise SpecError(Problem("K640", f"line {number} of `{path}` cannot be read: {error}", help=help)) from None
        events.append(event)
    return events


def _whole(path: Path) -> int:
    """Bytes up to the end of the last line that is whole."""
    content = path.read_bytes() if path.exists() else b""
    end = content.rfind(b"\n") + 1
    last = content[:end].splitlines()[-1:] if end else []
    try:
        # a disk that lost power may hold zeros where the line was
        json.loads(last[0]) if last else None
    except ValueError:
        return end - len(last[0]) - 1
    return end
