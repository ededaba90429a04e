"""Npz file → Guess: which of its arrays are the examples, which the labels, and which are parts of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kbuild.data.arrays import Index, arrays
from kbuild.data.fail import fail, shown, there
from kbuild.data.guess.guess import Guess, center, peeked, spec_name
from kbuild.data.labels import told
from kbuild.spec.data import Npz, NpzPart

_X = ("x", "X", "images", "image", "imgs", "data", "inputs", "input", "features")
_Y = ("y", "Y", "labels", "label", "targets", "target", "outputs", "output")
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_FOLLOWING = ("arr_0", "arr_1")
"""The names that `numpy.savez` gives to arrays without one."""


def guess(path: Path) -> Guess:
    """Raises SpecError K410 for arrays of which it cannot be told."""
    index = arrays(path)
    pairs = dict(_pairs(index))
    x, y = pairs.pop("train", None) or _others(index, path)
    parts = {part: NpzPart(x=keys[0], y=keys[1]) for part, keys in pairs.items()}
    section = Npz(npz=path, x=x, y=y, validation=parts.get("validation"), test=parts.get("test"))
    source: dict[str, object] = {"npz": path, "x": x, "y": y}
    source |= {part: {"x": keys[0], "y": keys[1]} for part, keys in pairs.items()}
    header = peeked(section)
    labels = _labels(path, [y, *(keys[1] for keys in pairs.values())])
    named = dict(zip(["train", *pairs], labels, strict=True))
    if not all(len(array) for array in labels):
        raise fail("K411", f"`{shown(path)}` has no examples", "a part needs at least one")
    _, target = told("output", named)
    middle = None
    if target.task == "regression" and target.shape in {(), (1,)}:
        middle = center([float(value) for value in named["train"].reshape(-1)])
    notes = (f"of {', '.join(index)}",) if len(index) > 2 * (len(pairs) + 1) else ()
    return Guess(
        spec_name(path), section, source, replace(header, targets={"output": target}), path.parent, None, middle, notes
    )


def _pairs(index: Index) -> Iterator[tuple[str, tuple[str, str]]]:
    """Parts that are named as they usually are: `x_train` and `y_train`, `train_images` and `train_labels`, `x` and
    `y`.
    """
    for part, words in _PARTS.items():
        x = [f"{a}_{b}" for w in words for name in _X for a, b in ((name, w), (w, name))]
        y = [f"{a}_{b}" for w in words for name in _Y for a, b in ((name, w), (w, name))]
        found = _first(index, x, y) or (_first(index, _X, _Y) if part == "train" else None)
        if found:
            yield part, found


def _first(index: Index, x: Sequence[str], y: Sequence[str]) -> tuple[str, str] | None:
    for key in (key for key in x if key in index):
        for label in (label for label in y if label in index):
            if _fit(index, key, label):
                return key, label
    return None


def _fit(index: Index, x: str, y: str) -> bool:
    shapes = index[x].shape, index[y].shape
    return bool(shapes[0] and shapes[1]) and shapes[0][0] == shapes[1][0]


def _others(index: Index, path: Path) -> tuple[str, str]:
    """Two arrays alone: the larger one is what the other is predicted from."""
    keys = list(index)
    if len(keys) == 2 and _fit(index, *keys):
        larger = keys[0] if tuple(keys) == _FOLLOWING else max(keys, key=lambda key: _each(index, key))
        return larger, next(key for key in keys if key != larger)
    listed = ", ".join(f"`{key}` {_shape(index, key)}" for key in keys[:8]) + (", …" if len(keys) > 8 else "")
    raise fail(
        "K410",
        f"`{shown(path)}` does not tell which arrays to learn from: it has {listed}",
        "name them `x` and `y`, or `x_train`, `y_train`, `x_test`, `y_test`; or write "
        "`source: {npz: FILE, x: KEY, y: KEY}` into a spec of your own",
    )


def _each(index: Index, key: str) -> int:
    """Numbers for each example."""
    return int(np.prod(index[key].shape[1:]))


def _shape(index: Index, key: str) -> str:
    return "×".join(map(str, index[key].shape)) or "a single value"


def _labels(path: Path, keys: Sequence[str]) -> list[np.ndarray]:
    """The labels alone are read: their number of classes is not in the headers."""
    with there(path).open("rb") as file:
        content: Mapping[str, np.ndarray] = np.load(file, allow_pickle=False)
        try:
            return [content[key] for key in keys]
        except ValueError as error:
            raise fail("K412", f"`{shown(path)}` cannot be read: {error}", "store numbers or text") from error
