"""(examples, seed) → parts: which of them are kept from training. A pure function of the data and the seed."""

from collections.abc import Mapping, Sequence

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.fail import fail
from kbuild.data.header import Target
from kbuild.data.labels import integers
from kbuild.data.order import deal
from kbuild.data.parts import fold_size, foldable, taken
from kbuild.spec.data import Split

NAMES = ("train", "validation", "test")


def split(parts: Mapping[str, Part], targets: Mapping[str, Target], how: Split, seed: int) -> Mapping[str, Part]:
    """Take validation and test parts from the training part, where the source has none of its own.

    Args:
        parts: `train`, perhaps `validation` and `test`.
        targets: what `y` of the parts holds, to stratify by the first that is classes.
        how: fractions are of the examples of `train`, as the source has it. With `folds` the test part is the same
            for each `fold`, and each of the other examples is in the validation part of one fold.
        seed: used unless `how` has one of its own.

    Returns:
        `train` and those of `validation` and `test` that have examples; each in the source's order.

    Raises:
        SpecError: K440 if nothing would be left to train on, K441 if it cannot be stratified, K442 if folds cannot be
            made.
    """
    train = parts["train"]
    seed = seed if how.seed is None else how.seed
    sizes = taken(len(train), how, parts)
    foldable({name: len(part) for name, part in parts.items()}, how)
    if sum(sizes.values()) >= len(train):
        said = " and ".join(f"{size:,} for `{name}`" for name, size in sizes.items() if size)
        raise fail(
            "K440",
            f"{len(train):,} examples, less {said}, leave none to train on",
            "make the parts smaller",
            "data.split",
        )
    kept = sum(size > 0 for size in sizes.values())
    groups = _groups(train, targets, how, kept + (how.folds - 2 if how.folds is not None else 0))
    dealt = _take(groups, len(train), sizes, how, seed)
    found = {name: part for name, part in parts.items() if name != "train"}
    rest = np.ones(len(train), bool)
    for name, index in dealt.items():
        rest[index] = False
        if len(index):
            found[name] = train.take(np.sort(index))
    found["train"] = train if rest.all() else train.take(np.flatnonzero(rest))
    return {name: found[name] for name in NAMES if name in found}


def share(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` divided in proportion to `counts`, in whole numbers by largest remainders, the lower class first.

    >>> share(np.array([6, 3, 1]), 5).tolist()
    [3, 2, 0]
    """
    exact = counts * total
    whole = exact // counts.sum()
    left = total - int(whole.sum())
    first = np.argsort(-(exact % counts.sum()), kind="stable")[:left]
    whole[first] += 1
    return whole


def _groups(train: Part, targets: Mapping[str, Target], how: Split, parts: int) -> np.ndarray | None:
    """(examples,) classes to stratify by, or None."""
    wanted = how.stratify
    if wanted is False or not parts:
        return None
    if not how.shuffle:
        if wanted is True:
            raise fail(
                "K441",
                "`stratify: true` needs shuffled examples",
                "leave out `shuffle: false` or `stratify`",
                "data.split.stratify",
            )
        return None
    found = ((name, integers(target, train.y[name])) for name, target in targets.items() if name in train.y)
    name, labels = next(((name, labels) for name, labels in found if labels is not None), ("", None))
    if labels is None:
        if wanted is True:
            raise fail(
                "K441",
                "`stratify: true` needs classes, and the data have none",
                "leave `stratify` out",
                "data.split.stratify",
            )
        return None
    counts = np.bincount(labels)
    few = np.flatnonzero((counts > 0) & (counts <= parts))
    if len(few) and wanted is True:
        which = targets[name].classes[few[0]] if targets[name].classes else few[0]
        count = int(counts[few[0]])
        raise fail(
            "K441",
            f"the class `{which}` has {count} {'example' if count == 1 else 'examples'}, too few for {parts + 1} parts",
            "leave `stratify` out, or give the class more examples",
            "data.split.stratify",
        )
    return None if len(few) else labels


def _take(
    groups: np.ndarray | None, count: int, sizes: Mapping[str, int], how: Split, seed: int
) -> Mapping[str, np.ndarray]:
    order = deal(count, seed) if how.shuffle else np.arange(count)[::-1]
    wanted = [(name, sizes[name]) for name in ("test", "validation") if sizes.get(name)]
    if how.folds is not None:
        kept = _dealt(groups, order, [pair for pair in wanted if pair[0] == "test"])
        return {**kept, "validation": _fold(groups, order, kept.get("test", order[:0]), how)}
    return _dealt(groups, order, wanted)


def _fold(groups: np.ndarray | None, order: np.ndarray, test: np.ndarray, how: Split) -> np.ndarray:
    """The examples of one fold: every `folds`-th of a row in which classes stand together, so that folds differ by one
    example at most, in all and in each class; without shuffling a stretch of the series.
    """
    assert how.folds is not None
    rest = order[~np.isin(order, test)]
    fold = how.fold or 1
    if not how.shuffle:
        ends = np.cumsum([0, *(fold_size(len(rest), how.folds, at + 1) for at in range(how.folds))])
        return rest[::-1][ends[fold - 1] : ends[fold]]
    if groups is not None:
        rest = rest[np.argsort(groups[rest], kind="stable")]
    return rest[fold - 1 :: how.folds]


def _dealt(groups: np.ndarray | None, order: np.ndarray, wanted: Sequence[tuple[str, int]]) -> Mapping[str, np.ndarray]:
    if groups is None:
        ends = np.cumsum([0, *(size for _, size in wanted)])
        return {name: order[a:b] for (name, _), a, b in zip(wanted, ends, ends[1:], strict=False)}
    taken: dict[str, list[np.ndarray]] = {name: [] for name, _ in wanted}
    counts = left = np.bincount(groups)
    quotas: dict[str, np.ndarray] = {}
    for name, size in wanted:
        quotas[name] = share(left, size)
        left = left - quotas[name]
    for label in np.flatnonzero(counts):
        members = order[groups[order] == label]
        start = 0
        for name, _ in wanted:
            stop = start + int(quotas[name][label])
            taken[name].append(members[start:stop])
            start = stop
    return {name: np.concatenate(pieces) for name, pieces in taken.items()}
