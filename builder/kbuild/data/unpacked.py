"""What a source holds in a form that cannot be read by rows → files that can, made once, in the user's cache folder.

They are there whole or not at all, can be thrown away at any time, and the KEPT that were used last are kept. A
process that reads one goes on reading it when it is thrown away.
"""

import atexit
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from kbuild.data.fail import fail
from kbuild.spec import cache
from kbuild.text.problem import SpecError

KEPT = 8
"""Folders; a table needs one for its cells and one for each encoding, an npz file one for each array."""
_DAY = 86400.0
_FORMAT = "1"


def folder(sources: Iterable[Path], what: str, needed: int, make: Callable[[Path], None]) -> Path:
    """The folder of files made from `sources`, made now if it is not there.

    Args:
        sources: files; when one changes, so does the folder.
        what: all else that the result depends on.
        needed: about how many bytes it will take.
        make: writes the files into the folder that it is given.

    Raises:
        SpecError: K417 if there is no room for them; what `make` raises.
    """
    key = hashlib.sha256(f"{_FORMAT}\0{cache.stamps(sources)}\0{what}".encode()).hexdigest()[:40]
    place = cache.place(f"arrays/{key}", "")
    with suppress(OSError):
        os.utime(place)
    if place.is_dir():
        return place
    temporary = _beside(place)
    _room(temporary, needed)
    try:
        make(temporary)
        for file in temporary.iterdir():
            _flush(file)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _full(temporary, needed) from error
        raise
    if temporary.parent != place.parent:
        return temporary
    # of two processes the second takes what the first has made
    with suppress(OSError):
        temporary.rename(place)
    shutil.rmtree(temporary, ignore_errors=True)
    _tidy(place)
    return place


def file(sources: Iterable[Path], what: str, needed: int, write: Callable[[IO[bytes]], None]) -> Path:
    """The same for a single file, which `write` fills."""

    def make(place: Path) -> None:
        with (place / "array").open("wb") as opened:
            write(opened)

    return folder(sources, what, needed, make) / "array"


def _beside(place: Path) -> Path:
    """A new folder in the cache; if nothing can be written there, one that this process removes when it ends."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
    except OSError:
        found = Path(tempfile.mkdtemp(prefix="kbuild-"))
        atexit.register(shutil.rmtree, found, ignore_errors=True)
        return found


def _room(place: Path, needed: int) -> None:
    if shutil.disk_usage(place).free < needed:
        shutil.rmtree(place, ignore_errors=True)
        raise _full(place, needed)


def _full(place: Path, needed: int) -> SpecError:
    return fail(
        "K417",
        f"there is no room in `{place.parent}` to unpack about {needed / 1e9:.1f} GB of data, too many for memory",
        "make room, or let `XDG_CACHE_HOME` name a folder on a larger disk",
    )


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _tidy(place: Path) -> None:
    """Throw away all but the KEPT folders that were used last, and what killed processes left a day ago."""
    with suppress(OSError):
        found = sorted(((entry.stat().st_mtime, entry) for entry in place.parent.iterdir()), key=lambda pair: -pair[0])
        whole = [entry for _, entry in found if not entry.name.startswith(".")]
        halves = [entry for when, entry in found if entry.name.startswith(".") and when < time.time() - _DAY]
        for entry in (*whole[KEPT:], *halves):
            shutil.rmtree(entry, ignore_errors=True)
