"""(examples of the parts that a source has, Split) → examples of each part after the split; nothing is read for it."""

from collections.abc import Collection, Mapping

from kbuild.spec.data import Split

KEPT = ("validation", "test")
"""The parts that are kept from training, where the source has none of its own."""


def taken(count: int, how: Split, own: Collection[str]) -> Mapping[str, int]:
    """How many of `count` training examples each part takes that the source does not have.

    Args:
        own: the parts that the source has.
    """
    return {name: _size(getattr(how, name), count) for name in KEPT if name not in own}


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
