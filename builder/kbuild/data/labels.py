"""Arrays of what is to be predicted → the same as the model gets them, and the `Target` that says what task that is.

The rules: text and bools are classes, sorted; whole numbers are classes 0 … k - 1, other numbers are numbers; rows of
0 and 1 that each sum to 1 are one-hot classes, other rows of 0 and 1 several labels at once.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from kbuild.data.fail import fail
from kbuild.data.header import Target, Task
from kbuild.data.lazy import Array, cast, collected, every, extent, mapped, whole
from kbuild.data.loaded import numbers

Arrays = Mapping[str, Array]


def told(name: str, parts: Arrays, classes: Sequence[str] = ()) -> tuple[Arrays, Target]:
    """One target in all parts.

    Args:
        name: of the output, for messages.
        parts: by part, the first axis counts examples.
        classes: names that the source gives to whole numbers; there may be more than occur.

    Returns:
        By part int32 labels, or float32 numbers, one-hot or multi-label vectors; and what they are.

    Raises:
        SpecError: K412 for types that are no target, K413 for numbers that are not finite, K414 for unusable labels.
    """
    parts = {part: _flat(array) for part, array in parts.items()}
    kind = next(iter(parts.values())).dtype.kind
    if any(array.dtype.kind != kind and {kind, array.dtype.kind} != {"i", "u"} for array in parts.values()):
        said = ", ".join(f"`{array.dtype}` in `{part}`" for part, array in parts.items())
        raise fail("K412", f"`y.{name}` has different types: {said}", "store the same type in all parts")
    if kind == "U" or kind == "S":
        return texts(name, {part: np.asarray(array, str) for part, array in parts.items()})
    if kind not in "biuf":
        raise fail(
            "K412",
            f"`y.{name}` holds `{next(iter(parts.values())).dtype}`, not numbers or text",
            "store labels or numbers",
        )
    for part, array in parts.items():
        numbers(array, f"`y.{name}` of `{part}`")
    if _vectors(parts):
        return _rows(parts, classes)
    if kind == "f" or _picture(next(iter(parts.values())).shape):
        found = {part: cast(array, np.float32) for part, array in parts.items()}
        return found, Target(next(iter(found.values())).shape[1:], "float32", "regression")
    return _integers(name, parts, ("false", "true") if kind == "b" and not classes else classes)


def texts(name: str, parts: Mapping[str, np.ndarray]) -> tuple[Arrays, Target]:
    """Classes by their names, sorted. Raises SpecError K412, K414."""
    if next(iter(parts.values())).ndim != 1:
        raise fail("K412", f"`y.{name}` holds text in several columns", "give each output a column of its own")
    classes = np.unique(np.concatenate(list(parts.values())))
    if len(classes) < 2:
        raise fail("K414", f"`y.{name}` has one class only, `{classes[0]}`", "there must be two classes to tell apart")
    found = {part: np.searchsorted(classes, array).astype(np.int32) for part, array in parts.items()}
    return found, Target((), "int32", classed(len(classes)), tuple(str(c) for c in classes), len(classes))


def classed(count: int) -> Task:
    """The task of telling `count` classes apart."""
    return "binary" if count == 2 else "multiclass"


def guess(shape: Sequence[int | None], kind: str) -> Target:
    """What can be said of a target by its shape, without the batch axis, and `dtype.kind` alone."""
    shape = tuple(shape)
    if kind == "f" or (kind in "iu" and _picture((None, *shape))):
        several = len(shape) == 1 and shape[0] != 1
        return Target(shape, "float32", None if several else "regression")
    if len(shape) == 1 and shape[0] != 1:
        return Target(shape, "float32")
    return Target(() if shape == (1,) else shape, "int32")


def integers(target: Target, y: Array) -> np.ndarray | None:
    """(examples,) integer classes of a target, or None if it has no single class for each example."""
    if target.one_hot:
        return collected(y, lambda rows: np.argmax(rows, axis=1))
    return whole(y) if target.task in ("binary", "multiclass") and y.ndim == 1 else None


def renamed(name: str, parts: Arrays, target: Target, classes: Sequence[str]) -> tuple[Arrays, Target]:
    """The target with the class names that the user gives.

    Names that are those of the source in another order reorder the classes; others rename them, in the source's order.

    Raises:
        SpecError: K445 if the target has no classes, another number of them, or only some of the names.
    """
    path = "data.classes"
    if target.count is None:
        raise fail(
            "K445",
            f"`classes` is given and the target `{name}` has none: its task is {target.task}",
            "leave `classes` out",
            path,
        )
    if len(set(classes)) < len(classes):
        twice = next(c for i, c in enumerate(classes) if c in classes[:i])
        raise fail("K445", f"`classes` has `{twice}` twice", "give each class a name of its own", path)
    numbered = target.classes == numerals(target.count)
    if len(classes) != target.count:
        if not (numbered and len(classes) > target.count and not target.one_hot and target.task != "multilabel"):
            said = ", ".join(f"`{c}`" for c in target.classes[:12]) + (", …" if len(target.classes) > 12 else "")
            raise fail(
                "K445",
                f"`classes` has {len(classes)} names and the data have {target.count} classes",
                f"the classes are {said}",
                path,
            )
        target = Target(target.shape, target.dtype, classed(len(classes)), (), len(classes))
    same = set(classes) & set(target.classes)
    if not numbered and same and len(same) < len(classes):
        odd = next(c for c in classes if c not in same)
        raise fail(
            "K445",
            f"`classes` names `{odd}`, which is no class of the data",
            f"there is {', '.join(f'`{c}`' for c in target.classes)}",
            path,
        )
    if not numbered and same:
        place = np.array([list(classes).index(c) for c in target.classes])
        parts = {part: _moved(array, place, target) for part, array in parts.items()}
    return parts, Target(target.shape, target.dtype, target.task, tuple(classes), target.count, target.one_hot)


def numerals(count: int) -> tuple[str, ...]:
    """The names of classes that have none."""
    return tuple(str(i) for i in range(count))


def _moved(array: Array, place: np.ndarray, target: Target) -> Array:
    if target.one_hot or target.task == "multilabel":
        return mapped(array, lambda rows: rows[:, np.argsort(place)], array.shape[1:])
    return mapped(array, lambda rows: place[rows].astype(rows.dtype), array.shape[1:])


def _flat(array: Array) -> Array:
    column = array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind != "f"
    return mapped(array, lambda rows: rows[:, 0], ()) if column else array


def _vectors(parts: Arrays) -> bool:
    return all(
        a.ndim == 2 and a.shape[1] > 1 and every(a, lambda rows: ((rows == 0) | (rows == 1)).all())
        for a in parts.values()
    )


def _picture(shape: Sequence[int | None]) -> bool:
    """Whole numbers with a channel axis are pictures to give back, not labels."""
    return len(shape) == 4 and shape[-1] != 1


def _rows(parts: Arrays, classes: Sequence[str]) -> tuple[Arrays, Target]:
    found = {part: cast(array, np.float32) for part, array in parts.items()}
    width = next(iter(found.values())).shape[1]
    names = tuple(classes) if len(classes) == width else numerals(width)
    one_hot = all(every(array, lambda rows: (rows.sum(axis=1) == 1).all()) for array in found.values())
    return found, Target((width,), "float32", "multiclass" if one_hot else "multilabel", names, width, one_hot)


def _integers(name: str, parts: Arrays, classes: Sequence[str]) -> tuple[Arrays, Target]:
    ends = [extent(array) for array in parts.values()]
    low, high = min(int(low) for low, _ in ends), max(int(high) for _, high in ends)
    examples = sum(array.size for array in parts.values())
    help = "labels are 0, 1, …; store numbers that are to be predicted as float32"
    if low < 0:
        raise fail("K414", f"`y.{name}` has the label {low}", help)
    if high >= examples and high >= len(classes):
        raise fail(
            "K414",
            f"`y.{name}` has the label {high:,} among {examples:,} values, so it does not look like classes",
            help,
        )
    if high == 0 and len(classes) < 2:
        raise fail("K414", f"`y.{name}` has one class only, 0", "there must be two classes to tell apart")
    if classes and high >= len(classes):
        raise fail(
            "K414", f"`y.{name}` has the label {high} and there are {len(classes)} classes", "labels count from 0"
        )
    count = max(high + 1, len(classes))
    found = {part: cast(array, np.int32) for part, array in parts.items()}
    shape = next(iter(found.values())).shape[1:]
    return found, Target(shape, "int32", classed(count), tuple(classes) or numerals(count), count)
