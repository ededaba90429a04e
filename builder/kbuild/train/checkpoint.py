"""Arrays and values ↔ a checkpoint on the disk: a folder that is there whole or not at all.

A checkpoint is written beside its place, each file synced, then a manifest with the size and SHA-256 of each, then the
folder is renamed. Whoever reads takes the newest one whose manifest holds; others are told of, never used. Knows
nothing of Keras.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kbuild.train import atomic

MANIFEST = "manifest.json"
ARRAYS = "arrays.npz"
STATE = "state.json"
_NAME = re.compile(r"step-(\d{10})\Z")
_STAGED = re.compile(r"\.step-\d{10}-\d+\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint.

    Args:
        step: batches that were trained on when it was taken.
        arrays: by name.
        state: values that JSON can hold.
    """

    path: Path
    step: int
    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Position:
    """Where training goes on.

    Args:
        epoch: from 0.
        batch: of that epoch, from 0; the first one that was not trained on.
        arrays, state: as a checkpoint keeps them.
    """

    epoch: int
    batch: int
    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, object]

    @property
    def phase(self) -> int:
        """The phase that is under way, or has just ended, from 0."""
        found = self.state.get("phase")
        return int(found["number"]) if isinstance(found, Mapping) else 0

    @property
    def began(self) -> int:
        """The first epoch of that phase, from 0."""
        found = self.state.get("phase")
        return int(found["began"]) if isinstance(found, Mapping) else 0


def phase(name: str) -> None:
    """Called before each thing that happens to the disk: `payload`, `manifest`, `fsync`, `rename`, `retention`.

    It does nothing; those who test what a kill leaves behind put something else in its place.
    """


def save(folder: Path, step: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, object], keep: int = 2) -> Path:
    """Write a checkpoint, then remove others but for the newest `keep` up to this one, itself included.

    One of a later step is of a training that went on from where it is not whole; it goes too.

    Raises:
        OSError: the disk refuses; every earlier checkpoint is then as it was.
    """
    path = folder / f"step-{step:010d}"
    staged = folder / f".{path.name}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _stage(staged, arrays, state, step)
        phase("rename")
        _put(staged, path)
        atomic.sync(folder)
    except BaseException:
        with contextlib.suppress(OSError):  # what made it fail is worth more than what stays behind
            _remove(staged)
        raise
    phase("retention")
    retain(folder, step, keep)
    return path


def newest(folder: Path, told: Callable[[str], None] = lambda text: None) -> Checkpoint | None:
    """The newest whole checkpoint; None if there is none.

    Args:
        told: hears of each that is not whole.
    """
    for path in reversed(list(_all(folder))):
        try:
            return load(path)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            told(f"the checkpoint `{path}` is not whole and is left out: {error}")
    return None


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ValueError, OSError, KeyError, TypeError: it is not whole.
    """
    listed = json.loads((path / MANIFEST).read_text("utf-8"))
    if int(listed["step"]) != int(path.name[-10:]):
        raise ValueError(f"`{MANIFEST}` is of another step")
    contents = {name: (path / name).read_bytes() for name in (ARRAYS, STATE)}
    for name, content in contents.items():
        if _digest(content) != listed["files"][name]:
            raise ValueError(f"`{name}` is not what was written")
    with np.load(io.BytesIO(contents[ARRAYS]), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    return Checkpoint(path, int(listed["step"]), arrays, json.loads(contents[STATE]))


def clean(folder: Path) -> None:
    """Remove what a process that was killed had begun to write or to remove. Nothing else in the folder is touched."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _STAGED.match(path.name) or (_NAME.match(path.name) and not (path / MANIFEST).exists()):
            _remove(path)


def _stage(staged: Path, arrays: Mapping[str, np.ndarray], state: Mapping[str, object], step: int) -> None:
    _remove(staged)
    staged.mkdir()
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)  # pyright: ignore[reportArgumentType]
    contents = {ARRAYS: packed.getvalue(), STATE: json.dumps(state, allow_nan=True).encode()}
    for name, content in contents.items():
        phase("payload")
        _write(staged / name, content)
    phase("manifest")
    listed = {"step": step, "files": {name: _digest(content) for name, content in contents.items()}}
    _write(staged / MANIFEST, json.dumps(listed, indent=2).encode())
    atomic.sync(staged)


def _put(staged: Path, path: Path) -> None:
    """Give the folder its name; one of that name, of the same step, makes room."""
    if path.exists():
        old = path.with_name(f".{path.name}-0")
        _remove(old)
        path.rename(old)
        staged.rename(path)
        _remove(old)
    else:
        staged.rename(path)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        phase("fsync")
        os.fsync(file.fileno())


def _digest(content: bytes) -> dict[str, object]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _all(folder: Path) -> Iterator[Path]:
    """Checkpoints by name, oldest first."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if _NAME.match(path.name) and path.is_dir())


def retain(folder: Path, step: int, keep: int) -> None:
    """Remove checkpoints but for the newest `keep` up to that of a step, itself included."""
    # one without a manifest is what a process left that was killed while it removed it
    found = [path for path in _all(folder) if (path / MANIFEST).is_file() and int(path.name[-10:]) <= step]
    for path in _all(folder):
        if path not in found[-max(keep, 1) :]:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a checkpoint's own files, and its folder if nothing else is in it."""
    if not path.is_dir():
        return
    # the manifest first: what is left is then no checkpoint
    for name in (MANIFEST, STATE, ARRAYS):
        (path / name).unlink(missing_ok=True)
    if not any(path.iterdir()):
        path.rmdir()
