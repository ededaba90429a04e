"""Folder → files by class: a folder for each class, their files sorted."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from kbuild.data.fail import fail, shown, there


def classes(root: Path) -> Sequence[str]:
    """Names of the class folders, sorted, those with a dot in front left out. Raises K402, K404, K405, K431."""
    there(root, folder=True)
    names: list[str] = []
    with os.scandir(root) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir():
                inside(entry, root)
                names.append(entry.name)
    if len(names) < 2:
        said = f"one folder only, `{names[0]}`" if names else "no folders"
        raise fail(
            "K431",
            f"`{shown(root)}` has {said}",
            "put the examples of each class into a folder of its own, named as the class",
        )
    return sorted(names)


def first(root: Path, endings: Collection[str]) -> Path:
    """The first file of the first class, which stands for all before they are read. Raises SpecError K405, K431."""
    return _some(root / classes(root)[0], endings)[0]


def files(root: Path, endings: Collection[str]) -> Mapping[str, Sequence[Path]]:
    """Files by class, also those of folders within. Raises SpecError K402, K404, K405, K431 for a class without any."""
    return {name: _some(root / name, endings) for name in classes(root)}


def counts(root: Path, endings: Collection[str], limit: int = 50_000) -> Mapping[str, int] | None:
    """Files by class; None if there are more than `limit`, or a class has none. Raises SpecError K402, K405, K431."""
    found: dict[str, int] = {}
    for name in classes(root):
        # one more than there may be is enough to know
        left = limit + 1 - sum(found.values())
        found[name] = sum(1 for _ in islice(_walk(root / name, root / name, endings), left))
        if found[name] in (0, left):
            return None
    return found


def inside(entry: os.DirEntry[str] | Path, root: Path) -> None:
    """Raises SpecError K405 for a link that leads out of a folder."""
    if entry.is_symlink() and not Path(entry).resolve().is_relative_to(root.resolve()):
        raise fail(
            "K405",
            f"the link `{shown(Path(entry))}` leads out of its folder",
            "copy the files, or name the folder that they are in",
        )


def _some(folder: Path, endings: Collection[str]) -> Sequence[Path]:
    found = sorted(_walk(folder, folder, endings))
    if not found:
        wanted = ", ".join(sorted(endings))
        raise fail(
            "K431",
            f"`{shown(folder)}` has no files that end in {wanted}",
            "put examples into it, or take the folder away",
        )
    return found


def _walk(folder: Path, root: Path, endings: Collection[str]) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            inside(entry, root)
            if entry.is_dir():
                yield from _walk(Path(entry.path), root, endings)
            elif entry.name.lower().endswith(tuple(endings)):
                yield Path(entry.path)
