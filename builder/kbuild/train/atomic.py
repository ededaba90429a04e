"""Bytes → a file that is there whole or not at all: written beside its place, synced, then renamed."""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_TEMPORARY = re.compile(r"\.kbuild-\d+-.+")


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, with its suffix, that takes its place when the block ends well.

    When the block raises, the temporary file is removed and `path` stays as it was, byte for byte.
    """
    temporary = path.with_name(f".kbuild-{os.getpid()}-{path.name}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # what made it fail is worth more than what stays behind
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def clean(folder: Path, below: bool = True) -> None:
    """Remove what a process that was killed had begun to write in a folder and in those below it."""
    for path in sorted(folder.rglob(".kbuild-*") if below else folder.glob(".kbuild-*")):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`."""
    with writing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text`, UTF-8, newlines as they are."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Replace the file at `path` by `value` as JSON; what is not finite becomes null."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def finite(value: object) -> object:
    """`value` ready for JSON: NaN and infinities become None, NumPy numbers Python's, paths and others their text."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "tolist"):
        return finite(value.tolist())  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return str(value)


def sync(path: Path) -> None:
    """Have the system write what it holds of a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
