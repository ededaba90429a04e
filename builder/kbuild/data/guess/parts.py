"""Folder → Guess: a folder for each class, or such folders for each part; pictures or texts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kbuild.data import folders
from kbuild.data.fail import fail, shown
from kbuild.data.guess.guess import Guess, peeked, spec_name, usual
from kbuild.spec.data import Images, Texts

_TEXTS = (".txt", ".text", ".md")
_PARTS = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}
_SAMPLE = 60
LARGEST = 128
"""Pictures are made no larger than this to start with: a step costs four times as much at twice the size."""


def guess(path: Path) -> Guess:
    """Raises SpecError K405, K431."""
    parts = _parts(path)
    train = parts.get("train", path)
    from kbuild.data.images import ENDINGS

    pictures, texts = _sample(train, ENDINGS), _sample(train, _TEXTS)
    if not pictures and not texts:
        raise fail(
            "K431",
            f"`{shown(train)}` holds neither pictures nor texts",
            f"put files that end in {', '.join((*ENDINGS, *_TEXTS))} into a folder for each class",
        )
    return _images(path, parts, pictures) if len(pictures) >= len(texts) else _texts(path, train, texts)


def _parts(path: Path) -> Mapping[str, Path]:
    """Folders named as parts of the data are; none if they are classes."""
    inside = {entry.name.lower(): entry for entry in path.iterdir() if entry.is_dir()}
    found = {part: inside[name] for part, names in _PARTS.items() for name in names if name in inside}
    return found if "train" in found and len(found) == len(inside) else {}


def _sample(root: Path, endings: Sequence[str]) -> list[Path]:
    """Some files of every class; none if the classes have none."""
    found: list[Path] = []
    names = folders.classes(root)
    for name in names:
        inside = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in endings and p.is_file())
        step = max(1, len(inside) * len(names) // _SAMPLE)
        found += inside[::step]
    return found


def _images(path: Path, parts: Mapping[str, Path], pictures: Sequence[Path]) -> Guess:
    from PIL import Image

    sizes, modes = [], []
    for file in pictures:
        try:
            with Image.open(file) as picture:
                sizes.append((picture.height, picture.width))
                modes.append(picture.mode)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise fail("K404", f"`{shown(file)}` cannot be read as a picture", "replace it, or take it away") from error
    size, notes = _size(sizes)
    gray = set(modes) <= {"L", "1"}
    section = Images(
        train=parts.get("train", path),
        validation=parts.get("validation"),
        test=parts.get("test"),
        size=size,
        color="grayscale" if gray else "rgb",
    )
    source: dict[str, object] = {"images": dict(parts) if parts else path, "size": list(size)}
    source |= {"color": "grayscale"} if gray else {}
    return Guess(spec_name(path), section, source, peeked(section), path.parent, notes=notes)


def _size(sizes: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], tuple[str, ...]]:
    """The size of all, or one that is near to most and not too large, and why."""
    heights, widths = (sorted(side) for side in zip(*sizes, strict=True))
    middle = heights[len(heights) // 2], widths[len(widths) // 2]
    if max(middle) <= LARGEST:
        same = len(set(sizes)) == 1
        return middle, () if same else (f"the pictures differ in size; {middle[0]}×{middle[1]} is the middle",)
    scale = LARGEST / max(middle)
    height, width = (max(8, round(side * scale / 8) * 8) for side in middle)
    return (height, width), (f"the pictures are about {middle[0]}×{middle[1]} and are scaled to {height}×{width}",)


def _texts(path: Path, train: Path, texts: Sequence[Path]) -> Guess:
    from kbuild.data import tokens

    length = usual([len(tokens.words(file.read_text(encoding="utf-8", errors="replace"))) for file in texts])
    section = Texts(text=train, length=length)
    source: dict[str, object] = {"text": train, "length": length, "vocabulary": section.vocabulary}
    header = peeked(section)
    notes = (f"nine of ten texts are no longer than {length} words, or it is enough of them",)
    if train != path:
        notes += (f"only `{train.name}` is used: a source of texts has one folder",)
    count = next(iter(header.counts.values()))
    if count is None:
        count = sum(len(files) for files in folders.files(train, _TEXTS).values())
    header = replace(header, counts={"train": count})
    return Guess(spec_name(path), section, source, header, train.parent, section.vocabulary, notes=notes)
