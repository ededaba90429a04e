"""Files in the user's cache folder: they save time, can be thrown away, and are never trusted."""

import json
import os
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def place(name: str, key: str) -> Path:
    """The file called `name` for what depends on `key`. A relative name may have folders in it."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # a user without a home: nothing is ever there, and nothing can be written
        root = Path(os.devnull)
    head, _, tail = name.partition("/")
    return root / "kbuild" / f"{head}-{zlib.crc32(key.encode()):08x}" / tail


def load(path: Path) -> dict[str, Any]:
    """What a file holds; nothing if it is not there, or broken."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, RuntimeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def store(path: Path, value: object) -> bool:
    """Write a file whole or not at all; whether it could be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(value, separators=(",", ":")))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def stamps(files: Iterable[Path]) -> str:
    """What changes when a file does: its path, time and size."""
    return " ".join(f"{file}:{_stamp(file)}" for file in files)


def _stamp(file: Path) -> str:
    try:
        stat = file.stat()
    except OSError:
        return "-"
    return f"{stat.st_mtime_ns}:{stat.st_size}"
