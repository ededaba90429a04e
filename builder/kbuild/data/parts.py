"""(examples of the parts that a source has, Split) → examples of each part after the split; nothing is read for it."""

from collections.abc import Collection, Mapping

from kbuild.data.fail import fail
from kbuild.spec.data import Split

KEPT = ("validation", "test")
"""The parts that are kept from training, where the source has none of its own."""


def taken(count: int, how: Split, own: Collection[str]) -> Mapping[str, int]:
    """How many of `count` training examples each part takes that the source does not have.

    Args:
        own: the parts that the source has.

    >>> taken(100, Split(folds=8, fold=2, test=0.2), ())
    {'validation': 10, 'test': 20}
    """
    found = {name: _size(getattr(how, name), count) for name in KEPT if name not in own}
    if how.folds is not None and "validation" in found:
        found["validation"] = fold_size(count - found.get("test", 0), how.folds, how.fold or 1)
    return found


def fold_size(count: int, folds: int, fold: int) -> int:
    """Examples of the `fold`-th of `folds` parts of `count`, which differ by one at most, the first ones larger.

    >>> [fold_size(11, 3, fold) for fold in (1, 2, 3)]
    [4, 4, 3]
    """
    return max(0, count) // folds + (fold <= max(0, count) % folds)


def foldable(counts: Mapping[str, int | None], how: Split) -> None:
    """Whether the folds that are asked for can be made, as far as the numbers of examples are known.

    Args:
        counts: of the parts that the source has.

    Raises:
        SpecError: K442.
    """
    if how.folds is None:
        return
    path = "data.split.folds"
    if "validation" in counts:
        message = "the source has a validation part of its own, which folds would not use"
        raise fail("K442", message, "leave out `folds`, or the validation part of the source", path)
    count = counts.get("train")
    left = None if count is None else max(0, count - taken(count, how, counts).get("test", 0))
    if left is not None and left < how.folds:
        message = f"{left:,} {'example' if left == 1 else 'examples'} cannot be divided into {how.folds} folds"
        raise fail("K442", message, "take fewer folds, or keep fewer examples for the test", path)


def sizes(counts: Mapping[str, int | None], how: Split) -> Mapping[str, int | None]:
    """Examples of each part after the split; None where they are not known.

    >>> sizes({"train": 150}, Split(validation=0.1, test=0.2))
    {'train': 105, 'validation': 15, 'test': 30}
    """
    count = counts.get("train")
    own = {name: counts[name] for name in KEPT if name in counts}
    if count is None:
        return {"train": None, **dict.fromkeys(KEPT), **own}
    less = taken(count, how, own)
    return {"train": count - sum(less.values()), **{name: own.get(name, less.get(name)) for name in KEPT}}


def _size(wanted: float, count: int) -> int:
    if isinstance(wanted, int):
        return wanted
    return max(1, int(wanted * count + 0.5)) if wanted > 0 else 0
