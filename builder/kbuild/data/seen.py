"""(Part, targets, ranges) → Seen: ranges and the sizes of classes, from all values of the training part."""

from collections.abc import Mapping

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.header import Range, Seen, Target
from kbuild.data.labels import integers
from kbuild.data.lazy import Array, extent


def seen(train: Part, targets: Mapping[str, Target], ranges: Mapping[str, Range] | None = None) -> Seen:
    """What the values tell; of inputs that are numbers, and of the targets that the part has.

    Args:
        ranges: those that are known already, by `x.NAME` or `y.NAME`.
    """
    before = ranges or {}

    def within(name: str, array: Array) -> Range:
        return before.get(name) or Range(*map(float, extent(array)))

    inputs = {
        name: within(f"x.{name}", array) for name, array in train.x.items() if array.dtype.kind in "biuf" and array.size
    }
    known = {name: target for name, target in targets.items() if name in train.y and train.y[name].size}
    ranges = {name: within(f"y.{name}", train.y[name]) for name, target in known.items() if target.task == "regression"}
    sizes = {
        name: tuple(np.bincount(labels, minlength=target.count or 0).tolist())
        for name, target in known.items()
        if (labels := integers(target, train.y[name])) is not None
    }
    return Seen(inputs, ranges, sizes)
