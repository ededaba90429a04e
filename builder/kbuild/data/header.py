"""What can be known of a data source without reading it whole: a `Header`. `kbuild check` reads nothing more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

Task = Literal["regression", "binary", "multiclass", "multilabel", "reconstruction"]
Features = Collection[str] | Mapping[str, tuple[int | None, ...] | None]
"""Names of the model's declared inputs, or their shapes by name, None where not known."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape without the batch axis (None is an unknown size) and NumPy dtype name, of one input or target."""

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Target:
    """One target, and what kind of task predicting it is.

    Args:
        shape: without the batch axis; () for a label or a number per example.
        dtype: NumPy dtype name of the array as the model gets it.
        task: None where the header does not tell.
        classes: class names in the order of their integers; () for regression or where not known.
        count: number of classes, if known.
        one_hot: whether the labels are vectors and not integers.
    """

    shape: tuple[int | None, ...]
    dtype: str
    task: Task | None = None
    classes: tuple[str, ...] = ()
    count: int | None = None
    one_hot: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """The smallest and the largest of some numbers."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the values of the training examples tell, where they were read or are documented.

    Args:
        inputs, targets: the range of the numbers by name; targets that are classes have none.
        sizes: examples of each class by the target's name, in the order of the classes.
    """

    inputs: Mapping[str, Range] = field(default_factory=dict)
    targets: Mapping[str, Range] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a data source.

    Args:
        inputs: by name of the model's input; a single input is named `input`.
        targets: by name of the model's output; a single target is named `output`. Empty if there are none.
        counts: examples by part (`train`, `validation`, `test`), as the source has them, before the split; None is
            unknown.
        weighted: whether examples have weights.
        seen: what the values tell, as far as any were read: two headers that differ in it alone are equal.
    """

    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Target] = field(default_factory=dict)
    counts: Mapping[str, int | None] = field(default_factory=dict)
    weighted: bool = False
    seen: Seen = field(default_factory=Seen, compare=False)
