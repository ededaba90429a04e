"""(Part, targets) → Seen: ranges and the sizes of classes, from all values of the training part."""

from collections.abc import Mapping

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.header import Range, Seen, Target
from kbuild.data.labels import integers


def seen(train: Part, targets: Mapping[str, Target]) -> Seen:
    """What the values tell; of inputs that are numbers, and of the targets that the part has."""
    inputs = {name: within(array) for name, array in train.x.items() if array.dtype.kind in "biuf" and array.size}
    known = {name: target for name, target in targets.items() if name in train.y and train.y[name].size}
    ranges = {name: within(train.y[name]) for name, target in known.items() if target.task == "regression"}
    sizes = {
        name: tuple(np.bincount(labels, minlength=target.count or 0).tolist())
        for name, target in known.items()
        if (labels := integers(target, train.y[name])) is not None
    }
    return Seen(inputs, ranges, sizes)


def within(array: np.ndarray) -> Range:
    """The smallest and the largest value."""
    return Range(float(array.min()), float(array.max()))
