"""A data set: what a source loads to, and a split takes apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from kbuild.data.header import Header
from kbuild.data.lazy import Array, Lazy, take


@dataclass(frozen=True, slots=True, eq=False)
class Numbered(Sequence[str]):
    """Names of examples that are a word and a number each: `line 7`.

    Args:
        numbers: (examples,) integers.
    """

    word: str
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "Numbered": ...
    def __getitem__(self, at: int | slice) -> "str | Numbered":
        return self.take(at) if isinstance(at, slice) else f"{self.word} {self.numbers[at]}"

    def take(self, index: np.ndarray | slice) -> "Numbered":
        """Those at `index`."""
        return Numbered(self.word, self.numbers[index])


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
            self.ids.take(index) if isinstance(self.ids, Numbered) else _chosen(self.ids, index),
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


def _chosen(ids: Sequence[str] | None, index: np.ndarray) -> tuple[str, ...] | None:
    return None if ids is None else tuple(str(ids[i]) for i in index)
