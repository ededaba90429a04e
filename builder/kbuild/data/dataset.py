"""A data set: what a source loads to, and a split takes apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kbuild.data.header import Header
from kbuild.data.lazy import Array, Lazy, take


@dataclass(frozen=True, slots=True)
class Part:
    """Examples, aligned on their first axis.

    Args:
        x: arrays by input name; those that are not in memory are `Lazy`.
        y: arrays by output name; empty if there are no labels.
        weights: (examples,) float32 weights of the examples, or None.
        ids: for messages and reports: a file name or row number for each example, or None.
    """

    x: Mapping[str, Array]
    y: Mapping[str, Array] = field(default_factory=dict)
    weights: np.ndarray | None = None
    ids: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.x.values())))

    @property
    def streams(self) -> bool:
        """Whether some of it is not in memory."""
        return any(isinstance(array, Lazy) for array in (*self.x.values(), *self.y.values()))

    def take(self, index: np.ndarray) -> "Part":
        """The examples at `index`, in its order."""
        return Part(
            {name: take(array, index) for name, array in self.x.items()},
            {name: take(array, index) for name, array in self.y.items()},
            None if self.weights is None else self.weights[index],
            None if self.ids is None else tuple(str(self.ids[i]) for i in index),
        )


@dataclass(frozen=True, slots=True)
class Dataset:
    """Three parts and what is known of them. `validation` and `test` are None where there are none.

    Args:
        encoding: what was learned from the training part to encode columns and labels (vocabularies, means and
            deviations), JSON-ready; stored in the run, so that `predict` encodes new rows the same way.
        digest: hex SHA-256 of all arrays: the same data give the same digest.
    """

    header: Header
    train: Part
    validation: Part | None
    test: Part | None
    encoding: Mapping[str, object] = field(default_factory=dict)
    digest: str = ""
