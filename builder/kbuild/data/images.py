"""Images → Header or Loaded: a folder of pictures for each class."""

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from kbuild.data import folders
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown, there
from kbuild.data.header import Header, Range, Seen, Target, Tensor
from kbuild.data.labels import classed
from kbuild.data.lazy import Array, Lazy, whole
from kbuild.data.loaded import Loaded
from kbuild.data.memory import InMemory, fits
from kbuild.spec.data import Images

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
Size = tuple[int, int]
Color = Literal["rgb", "grayscale"]


def header(source: Images) -> Header:
    """From the names of folders and files, and the first picture. Raises SpecError K402, K404, K405, K431, K445."""
    names = {part: tuple(folders.classes(root)) for part, root in _roots(source).items()}
    _agree(names)
    size = source.size or _size(folders.first(source.train, ENDINGS))
    target = Target((), "int32", classed(len(names["train"])), names["train"], len(names["train"]))
    shape = (*size, 3 if source.color == "rgb" else 1)
    files = {part: folders.counts(root, ENDINGS) for part, root in _roots(source).items()}
    sizes = files["train"]
    seen = Seen({"input": Range(0, 255)}, sizes={"output": tuple(sizes.values())} if sizes else {})
    counts = {part: sum(found.values()) if found else None for part, found in files.items()}
    return Header({"input": Tensor(shape, "uint8")}, {"output": target}, counts, seen=seen)


def read(source: Images, in_memory: InMemory = "auto") -> Loaded:
    """All pictures, (height, width, channels) uint8, in the order of their classes and names.

    If they do not fit into memory, each is decoded whenever it is asked for.

    Raises:
        SpecError: K402, K404 for files, K405, K431 for folders, K430 if sizes differ and `size` is not given, K432
            for pictures with more than 8 bits a channel, K445 for classes that are not among those to train on.
    """
    found = {part: folders.files(root, ENDINGS) for part, root in _roots(source).items()}
    names = {part: tuple(files) for part, files in found.items()}
    _agree(names)
    classes = names["train"]
    size = source.size or _size(folders.first(source.train, ENDINGS))
    paths = {part: [path for group in files.values() for path in group] for part, files in found.items()}
    decoded: dict[str, Array] = {
        part: _pictures(some, source.color, size, resize=source.size is not None) for part, some in paths.items()
    }
    if fits(sum(pictures.nbytes for pictures in decoded.values()), in_memory):
        decoded = {part: whole(pictures) for part, pictures in decoded.items()}
    parts = {}
    for part, files in found.items():
        labels = np.concatenate([np.full(len(group), classes.index(name), np.int32) for name, group in files.items()])
        ids = tuple(str(path.relative_to(_roots(source)[part])) for path in paths[part])
        parts[part] = Part({"input": decoded[part]}, {"output": labels}, None, ids)
    target = Target((), "int32", classed(len(classes)), classes, len(classes))
    return Loaded(parts, {"output": target}, {"kind": "image", "size": list(size), "color": source.color})


def decode(path: Path, color: Color, size: Size, *, resize: bool = True) -> np.ndarray:
    """One picture; of an animation the first frame; transparency is left out.

    Args:
        size: height and width; a picture of another size is scaled bilinearly (with antialiasing, as Pillow does),
            not cropped.
        resize: False makes another size an error.

    Returns:
        (height, width, 3) or (height, width, 1) uint8.

    Raises:
        SpecError: K402, K404, K430, K432.
    """
    from PIL import Image

    there(path)
    try:
        with Image.open(path) as picture:
            mode, (width, height) = picture.mode, picture.size
            if mode in ("I", "F") or mode.startswith("I;"):
                raise fail(
                    "K432",
                    f"`{shown(path)}` has more than 8 bits a channel",
                    "save it with 8 bits, or put the arrays into an npz file",
                )
            if (height, width) != size and not resize:
                raise fail(
                    "K430", f"`{shown(path)}` is {height}×{width} and the first picture {size[0]}×{size[1]}",
                    f"write `size: [{size[0]}, {size[1]}]` beside `images` to scale all to one size",
                )  # fmt: skip
            if mode == "P" and "transparency" in picture.info:
                # Pillow warns if such a palette is turned into RGB at once
                picture = picture.convert("RGBA")
            plain = picture.convert("RGB" if color == "rgb" else "L")
            if (height, width) != size:
                plain = plain.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            return np.asarray(plain, np.uint8).reshape(*size, -1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _broken(path, error) from error


def _pictures(paths: Sequence[Path], color: Color, size: Size, *, resize: bool) -> Lazy:
    """Pictures that are decoded by several threads when they are asked for."""
    shape = (*size, 3 if color == "rgb" else 1)

    def read(index: np.ndarray) -> np.ndarray:
        found = np.empty((len(index), *shape), np.uint8)

        def one(at: int) -> None:
            found[at] = decode(paths[index[at]], color, size, resize=resize)

        for _ in _pool().map(one, range(len(index))):
            pass
        return found

    return Lazy((len(paths), *shape), np.dtype(np.uint8), read)


@cache
def _pool() -> ThreadPoolExecutor:
    from PIL import Image

    # filters of warnings are those of all threads, and pictures are decoded as long as the process lives
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    # Pillow lets go of the interpreter while it decodes
    return ThreadPoolExecutor(min(8, os.cpu_count() or 1), "kbuild-decode")


def _roots(source: Images) -> Mapping[str, Path]:
    roots = {"train": source.train, "validation": source.validation, "test": source.test}
    return {part: root for part, root in roots.items() if root is not None}


def _agree(names: Mapping[str, Sequence[str]]) -> None:
    for part, classes in names.items():
        odd = next((name for name in classes if name not in names["train"]), None)
        if odd is not None:
            raise fail(
                "K445", f"`{part}` has the class `{odd}`, which `train` has not", "give all parts the same folders"
            )


def _size(path: Path) -> Size:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.height, picture.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> Exception:
    from PIL import UnidentifiedImageError

    said = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
    return fail("K404", f"`{shown(path)}` cannot be read as a picture{said}", "replace it, or take it away")
