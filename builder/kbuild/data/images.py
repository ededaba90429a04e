"""Images → Header or Loaded: a folder of pictures for each class."""

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np

from kbuild.data import folders
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown, there
from kbuild.data.header import Header, Range, Seen, Target, Tensor
from kbuild.data.labels import classed
from kbuild.data.loaded import Loaded
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


def read(source: Images) -> Loaded:
    """All pictures, (height, width, channels) uint8, in the order of their classes and names.

    Raises:
        SpecError: K402, K404 for files, K405, K431 for folders, K430 if sizes differ and `size` is not given, K432
            for pictures with more than 8 bits a channel, K445 for classes that are not among those to train on.
    """
    found = {part: folders.files(root, ENDINGS) for part, root in _roots(source).items()}
    names = {part: tuple(files) for part, files in found.items()}
    _agree(names)
    classes = names["train"]
    size = source.size or _size(folders.first(source.train, ENDINGS))
    parts = {}
    for part, files in found.items():
        paths = [path for group in files.values() for path in group]
        labels = np.concatenate([np.full(len(group), classes.index(name), np.int32) for name, group in files.items()])
        ids = tuple(str(path.relative_to(_roots(source)[part])) for path in paths)
        pictures = _decoded(paths, source.color, size, resize=source.size is not None)
        parts[part] = Part({"input": pictures}, {"output": labels}, None, ids)
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


def _decoded(paths: Sequence[Path], color: Color, size: Size, *, resize: bool) -> np.ndarray:
    from PIL import Image

    found = np.empty((len(paths), *size, 3 if color == "rgb" else 1), np.uint8)

    def one(at: int) -> None:
        found[at] = decode(paths[at], color, size, resize=resize)

    # filters of warnings are those of all threads, so they are set around them
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Pillow lets go of the interpreter while it decodes
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            for _ in pool.map(one, range(len(paths))):
                pass
    return found


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
