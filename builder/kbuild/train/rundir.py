"""A name → a run directory; a path → what `run.json` there says. Raises SpecError K6xx, deletes nothing."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Source
from kbuild.train import atomic

FOLDERS = ("source", "checkpoints", "report")
PACKAGES = ("kbuild", "keras", "tensorflow", "jax", "torch", "numpy", "keras-tuner", "tensorboard", "scikit-learn")


def create(name: str, out: Path | None = None, root: Path = Path("runs"), folders: Sequence[str] = FOLDERS) -> Path:
    """Make a new run directory.

    Args:
        name: the spec's; the directory is the first free `root/name-001`, `-002`, … .
        out: use this directory instead; it must be absent or empty.
        folders: made in it.

    Raises:
        SpecError: K601 if `out` is taken, K602 if the directory cannot be made.
    """
    try:
        path = _explicit(Path(out)) if out is not None else _next(root, name)
        for folder in folders:
            (path / folder).mkdir()
    except OSError as error:
        where = out if out is not None else root
        raise SpecError(
            Problem(
                "K602",
                f"cannot make a run directory in `{where}`: {error.strerror or error}",
                help="choose another place with `--out DIR`",
            )
        ) from None
    return path


def free(out: Path) -> None:
    """Raise SpecError K601 unless `out` is absent or an empty directory."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        what = "is not empty" if out.is_dir() else "is a file"
        raise SpecError(
            Problem("K601", f"`{out}` {what}", help="give a new directory to `--out`, or leave it out: `runs/NAME-NNN`")
        )


def keep_sources(path: Path, sources: Sequence[Source]) -> None:
    """Copy every file that the spec was read from into `source/`, as written; the spec itself keeps its name."""
    taken: set[str] = set()
    for source in sources:
        if source.path is None and source.name.startswith("<"):
            continue
        name = (source.path or Path(source.name)).name
        stem, suffix = Path(name).stem, Path(name).suffix
        number = 2
        while name in taken:
            name, number = f"{stem}-{number}{suffix}", number + 1
        taken.add(name)
        atomic.write_text(path / "source" / name, source.text)


def describe(path: Path, **fields: object) -> None:
    """Write `fields` into `run.json`, over those that it holds."""
    target = path / "run.json"
    known: Mapping[str, object] = json.loads(target.read_text("utf-8")) if target.exists() else {}
    atomic.write_json(target, {**known, **fields, "updated": now()})


def info(path: Path) -> dict[str, object]:
    """What `run.json` says of the run at `path`.

    Raises:
        SpecError: K603 if there is no such directory, K604 if it is no run, K605 if its `run.json` cannot be read.
    """
    if not path.is_dir():
        raise SpecError(Problem("K603", f"there is no run directory `{path}`", help=_others(path)))
    file = path / "run.json"
    if not file.is_file():
        raise SpecError(Problem("K604", f"`{path}` is not a run directory: it has no `run.json`", help=_others(path)))
    try:
        found = json.loads(file.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not a map")
    except (ValueError, OSError) as error:
        raise SpecError(
            Problem("K605", f"`{file}` cannot be read: {error}", help="train again: `kbuild fit` makes a new run")
        ) from None
    return found


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what a run computes, those that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def process() -> dict[str, object]:
    """Which process this is, for others that want to write in its run."""
    return {"pid": os.getpid(), "host": platform.node()}


def now() -> str:
    """The time, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _explicit(out: Path) -> Path:
    free(out)
    out.mkdir(parents=True, exist_ok=True)
    return out


def _next(root: Path, name: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    taken = [path.name.removeprefix(f"{name}-") for path in root.glob(f"{name}-*")]
    number = 1 + max((int(text) for text in taken if text.isascii() and text.isdigit()), default=0)
    while True:
        path = root / f"{name}-{number:03d}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
            continue
        return path


def _others(path: Path) -> str:
    parent = path.parent if path.parent.is_dir() else Path("runs")
    runs = sorted((file.parent for file in parent.glob("*/run.json")), key=lambda run: run.stat().st_mtime)
    if not runs:
        return "give the directory that `kbuild fit` made, such as `runs/NAME-001`"
    return f"the newest run there is `{runs[-1]}`"
