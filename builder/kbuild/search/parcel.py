"""A run directory ↔ bytes, to be carried between machines that share no file system."""

import io
import shutil
import tarfile
from pathlib import Path


def packed(path: Path) -> bytes | None:
    """All of a directory; None if there is none."""
    if not path.is_dir():
        return None
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.add(path, ".")
    return held.getvalue()


def unpacked(content: bytes, path: Path) -> None:
    """Make the directory of what was packed, whole or not at all; one that is there is replaced.

    Raises:
        OSError: the disk refuses.
    """
    staged = path.with_name(f".{path.name}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(staged, filter="data")
    if path.exists():
        shutil.rmtree(path)
    staged.rename(path)
