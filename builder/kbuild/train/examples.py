"""Files, rows and arrays that a user gives → Part, as the model takes it. Raises SpecError K610, K611, K4xx."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kbuild.data import encode
from kbuild.data.dataset import Part
from kbuild.data.images import ENDINGS, decode
from kbuild.text.problem import Problem, SpecError

Row = Mapping[str, object] | Sequence[object] | np.ndarray | str
Shapes = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the examples that a model takes.

    Args:
        shapes: by input name, without the batch axis.
        ranges: lowest and highest value of the training examples by input name; pictures are scaled to them.
        encoding: of the run's data: how rows, pictures and texts become arrays.
        keys: names of the arrays in the npz file that the model was trained on, by input name.
    """

    shapes: Shapes
    ranges: Mapping[str, tuple[float, float]]
    encoding: Mapping[str, object]
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> object:
        """`columns`, `image`, `text`, or None for arrays."""
        return self.encoding.get("kind")


def read(inputs: Sequence[Path | Row], known: Known) -> Part:
    """All examples of all inputs, in order, with where each came from as its id.

    Args:
        inputs: a path is a picture, a folder of pictures, an npy, npz, csv, json or txt file; anything else is a row:
            a map by column or by input, a list of numbers, an array of one example or of several, a text.
    """
    parts = [part for given in inputs for part in _parts(given, known)]
    if not parts:
        raise SpecError(
            Problem("K610", "there is nothing to predict", help="give files, or folders with pictures in them")
        )
    x = {name: np.concatenate([part.x[name] for part in parts]) for name in known.shapes}
    return Part(x, ids=tuple(name for part in parts for name in part.ids or ()))


def _parts(given: Path | Row, known: Known) -> list[Part]:
    if isinstance(given, Path):
        if given.is_dir():
            files = sorted(file for file in given.rglob("*") if file.suffix.lower() in ENDINGS)
            return [_file(file, known) for file in files]
        return [_file(given, known)]
    return [_rows([given], known, "row")] if not isinstance(given, np.ndarray) else [_arrays({"": given}, known, "row")]


def _file(path: Path, known: Known) -> Part:
    if not path.is_file():
        raise SpecError(Problem("K610", f"there is no file `{path}`"))
    suffix = path.suffix.lower()
    try:
        if suffix in ENDINGS:
            return _picture(path, known)
        if suffix == ".npy":
            return _arrays({"": np.load(path, allow_pickle=False)}, known, str(path))
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as found:
                return _arrays({name: found[name] for name in found.files}, known, str(path))
        if suffix == ".csv":
            return _table(path, known)
        if suffix == ".json":
            rows = json.loads(path.read_text("utf-8"))
            return _rows(rows if isinstance(rows, list) else [rows], known, str(path))
        if suffix == ".txt":
            return _rows([path.read_text("utf-8")], known, str(path))
    except (ValueError, OSError) as error:
        raise SpecError(Problem("K610", f"`{path}` cannot be read: {error}")) from error
    raise SpecError(
        Problem(
            "K610", f"`{path}` is no input that kbuild reads", help="give pictures, npy, npz, csv, json or txt files"
        )
    )


def _picture(path: Path, known: Known) -> Part:
    if known.kind == "image":
        return Part({next(iter(known.shapes)): encode.encode_image(path, known.encoding)[None]}, ids=(str(path),))
    (name, shape), *others = known.shapes.items()
    if others or len(shape) not in (2, 3) or None in shape or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise SpecError(
            Problem(
                "K611",
                f"`{path}` is a picture, and the model takes {_said(known.shapes)}",
                help="give it arrays or rows",
            )
        )
    color = "rgb" if shape[2:] == (3,) else "grayscale"
    pixels = decode(path, color, (int(shape[0] or 0), int(shape[1] or 0))).reshape([int(size or 0) for size in shape])
    low, high = known.ranges.get(name, (0.0, 255.0))
    scaled = pixels if (low, high) == (0.0, 255.0) else low + pixels.astype("float32") / 255.0 * (high - low)
    return Part({name: scaled[None]}, ids=(str(path),))


def _arrays(found: Mapping[str, np.ndarray], known: Known, where: str) -> Part:
    """Arrays by the names of the inputs or of the training file; one input takes the only one, `x` or `x_test` too."""
    x = {}
    for name, shape in known.shapes.items():
        wanted = [name, known.keys.get(name, name)]
        if len(known.shapes) == 1:
            wanted += ["x", "x_test", *(found if len(found) == 1 else ())]
        key = next((key for key in wanted if key in found), None)
        if key is None:
            names = ", ".join(f"`{name}`" for name in known.shapes)
            raise SpecError(Problem("K611", f"`{where}` has no array `{name}`", help=f"the model takes {names}"))
        x[name] = _batch(np.asarray(found[key]), shape, name, where)
    count = len(next(iter(x.values())))
    return Part(x, ids=tuple([where] if count == 1 else [f"{where}[{at}]" for at in range(count)]))


def _batch(array: np.ndarray, shape: tuple[int | None, ...], name: str, where: str) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise SpecError(Problem("K611", f"`{name}` of `{where}` holds `{array.dtype}`, not numbers"))
    for candidate in (array, array[None]):
        sizes = candidate.shape[1:]
        if len(sizes) == len(shape) and all(b is None or a == b for a, b in zip(sizes, shape, strict=True)):
            return candidate
    wanted = "×".join("?" if size is None else str(size) for size in shape) or "a number"
    raise SpecError(
        Problem("K611", f"`{name}` of `{where}` has the shape {array.shape}, and an example is {wanted}",
                help="give one example, or several along a first axis")
    )  # fmt: skip


def _table(path: Path, known: Known) -> Part:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file) if line]
    if known.kind == "columns":
        head = [name.strip() for name in lines[0]] if lines else []
        return _rows([dict(zip(head, line, strict=False)) for line in lines[1:]], known, str(path))
    if lines and not all(_is_number(cell) for cell in lines[0]):
        lines = lines[1:]
        if not lines:
            said = f"`{path}` has no rows: its only line is not all numbers, and names the columns"
            raise SpecError(Problem("K610", said, help="give a line of numbers for each example"))
    return _rows([[float(cell) for cell in line] for line in lines], known, str(path))


def _rows(rows: Sequence[Row], known: Known, where: str) -> Part:
    """Rows as they come from JSON, or of a table."""
    ids = tuple([where] if len(rows) == 1 else [f"{where}[{at}]" for at in range(len(rows))])
    if rows and all(isinstance(row, str) for row in rows):
        return Part(
            {next(iter(known.shapes)): encode.encode_texts(known.encoding, [str(row) for row in rows])}, ids=ids
        )
    if rows and all(isinstance(row, Mapping) for row in rows):
        maps = [row for row in rows if isinstance(row, Mapping)]
        if known.kind == "columns":
            cells = [{str(key): str(value) for key, value in row.items()} for row in maps]
            return Part(encode.encode_rows(known.encoding, cells), ids=ids)
        every = {name: np.asarray([row[name] for row in maps if name in row]) for name in maps[0]}
        return Part(_arrays(every, known, where).x, ids=ids)
    return _arrays({"": np.asarray(rows)}, known, where)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _said(shapes: Shapes) -> str:
    return ", ".join(f"`{name}` {tuple(shape)}" for name, shape in shapes.items())
