"""What a source gives before it is split: its parts as it has them, and how to learn an encoding from one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.fail import fail
from kbuild.data.header import Target
from kbuild.data.lazy import Array, Lazy, chunks

Encode = Callable[[Part], tuple[Mapping[str, object], Callable[[Part], Mapping[str, Array]]]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source, in memory or where it lies.

    Args:
        parts: `train`, and `validation` and `test` if the source has its own.
        targets: by output name.
        encoding: what `Dataset.encoding` is to hold.
        learn: for sources that have to be encoded, such as text: given the training part, the encoding and a function
            that gives the inputs of any part; then `x` of the parts is not yet what the model gets.
    """

    parts: Mapping[str, Part]
    targets: Mapping[str, Target] = field(default_factory=dict)
    encoding: Mapping[str, object] = field(default_factory=dict)
    learn: Encode | None = None


def checked(part: Part, name: str) -> Part:
    """A part whose arrays agree in length and hold finite numbers only. Raises SpecError K411, K412, K413, K415.

    Whether the numbers of a `Lazy` are finite is seen when they are read for the first time, in `survey.py`.
    """
    arrays = {**{f"x.{k}": a for k, a in part.x.items()}, **{f"y.{k}": a for k, a in part.y.items()}}
    if not part.x:
        raise fail("K411", f"`{name}` has no inputs", "name at least one array for `x`")
    for key, array in arrays.items():
        if array.ndim == 0:
            raise fail(
                "K411", f"`{key}` of `{name}` is a single value", "the first axis of an array counts the examples"
            )
    lengths = {key: len(array) for key, array in arrays.items()}
    if part.weights is not None:
        lengths["weights"] = len(part.weights)
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{key}` {length:,}" for key, length in lengths.items())
        raise fail(
            "K411", f"the arrays of `{name}` differ in length: {said}", "the first axis of all counts the same examples"
        )
    if not next(iter(lengths.values())):
        raise fail("K411", f"`{name}` has no examples", "a part needs at least one")
    for key, array in part.x.items():
        numbers(array, f"`x.{key}` of `{name}`", values=not isinstance(array, Lazy))
    if part.weights is not None:
        _weights(part.weights, name)
    return part


def numbers(array: Array, what: str, *, values: bool = True) -> None:
    """Refuse what is no number, or not finite: it would show as a loss of nan, much later. Raises K412, K413.

    Args:
        values: False looks at the type alone.
    """
    if array.dtype.kind not in "biuf":
        kind = "text" if array.dtype.kind in "US" else f"`{array.dtype}`"
        raise fail("K412", f"{what} holds {kind}, not numbers", "store numbers; a csv source encodes text")
    if array.dtype.kind != "f" or not array.size or not values:
        return
    for start, rows in chunks(array):
        bad = ~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)
        if bad.any():
            first = start + int(np.argmax(bad))
            raise fail(
                "K413",
                f"{what} has a nan or infinity at example {first}",
                "repair the data, or leave such examples out",
            )


def same(parts: Mapping[str, Part]) -> None:
    """Parts must have the same inputs and outputs, of the same shapes. Raises SpecError K411."""
    train = parts["train"]
    for name, part in parts.items():
        for letter, ours, theirs in (("x", train.x, part.x), ("y", train.y, part.y)):
            if set(ours) != set(theirs):
                raise fail(
                    "K411",
                    f"`{name}` has {_list(letter, theirs)} and `train` has {_list(letter, ours)}",
                    "name the same in each part",
                )
            for key, array in theirs.items():
                if array.shape[1:] != ours[key].shape[1:]:
                    raise fail(
                        "K411",
                        f"`{letter}.{key}` is {array.shape[1:]} in `{name}` and {ours[key].shape[1:]} in `train`",
                        "examples of all parts have one shape",
                    )


def _list(letter: str, arrays: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(f"`{letter}.{key}`" for key in arrays) or f"no `{letter}`"


def _weights(weights: np.ndarray, name: str) -> None:
    if weights.ndim != 1 or weights.dtype.kind not in "biuf":
        raise fail(
            "K415",
            f"`weights` of `{name}` has the shape {weights.shape} and type {weights.dtype}",
            "give one number for each example",
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise fail(
            "K415", f"`weights` of `{name}` has a value that is negative or not finite", "weights are numbers from 0 on"
        )
    if not weights.any():
        raise fail("K415", f"all `weights` of `{name}` are 0", "an example with the weight 0 counts for nothing")
