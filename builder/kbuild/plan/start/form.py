"""Guess → Form: what kind of examples there are, and what is done to them before the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kbuild.data.fail import fail
from kbuild.data.guess import Guess
from kbuild.data.header import Tensor
from kbuild.plan.start.lines import Line
from kbuild.spec.data import Csv, Images
from kbuild.text.problem import SpecError

Kind = Literal["columns", "maps", "words"]


@dataclass(frozen=True, slots=True)
class Form:
    """What the network gets.

    Args:
        kind: numbers side by side; a sequence, picture or volume with channels last; numbers of words.
        shape: after `preprocess`, without the batch axis.
        preprocess: entries of that chain.
        augment: likewise.
    """

    kind: Kind
    shape: tuple[int | None, ...]
    preprocess: tuple[Line, ...] = ()
    augment: tuple[Line, ...] = ()


def form(guess: Guess) -> Form:
    """Raises SpecError K401 for examples that there are no rules of thumb for."""
    (tensor,) = guess.header.inputs.values()
    if 0 in tensor.shape:
        raise _without_rule(tensor.shape)
    if guess.words:
        return Form("words", tensor.shape)
    if isinstance(guess.section, Csv):
        return Form("columns", tensor.shape)
    if len(tensor.shape) == 1:
        return Form("columns", tensor.shape, (_NORMALIZATION,))
    if len(tensor.shape) == 0:
        return Form("columns", (1,), (Line("- Reshape: [1]", "a number becomes a column"), _NORMALIZATION))
    return _maps(guess, tensor)


_NORMALIZATION = Line("- Normalization", "each column to mean 0, variance 1, learned from the training part")


def _maps(guess: Guess, tensor: Tensor) -> Form:
    shape = tensor.shape
    lines = [_scaled(guess, tensor)]
    channels_first = len(shape) == 3 and shape[0] in (1, 3) and None not in shape and shape[2] not in (1, 3)  # type: ignore[comparison-overlap]
    if channels_first:
        shape = (*shape[1:], shape[0])
        lines.append(Line("- Permute: [2, 3, 1]", "channels last, as Keras has them"))
    elif len(shape) == 2 and _picture(tensor):
        shape = (*shape, 1)
        lines.append(Line(f"- Reshape: [{', '.join(map(str, shape))}]", "convolutions need a channel axis"))
        # augmentation comes before preprocessing, and its layers need the axis too
        return Form("maps", shape, tuple(lines))
    if len(shape) > 4:
        raise _without_rule(shape)
    return Form("maps", shape, tuple(lines), tuple(_augment(guess, shape)))


def _picture(tensor: Tensor) -> bool:
    """Whether an array without a channel axis is a picture and not steps of a sequence."""
    height, width = tensor.shape
    if height is None or width is None:
        return False
    return tensor.dtype == "uint8" or (min(height, width) >= 8 and max(height, width) <= 2 * min(height, width))


def _scaled(guess: Guess, tensor: Tensor) -> Line:
    if tensor.dtype == "uint8":
        return Line('- Rescaling: "${1 / 255}"', "bytes to 0–1: numbers near 1 train best")
    if guess.source == "digits":
        return Line('- Rescaling: "${1 / 16}"', "grey values 0–16 to 0–1: numbers near 1 train best")
    if len(tensor.shape) == 2 and not _picture(tensor):
        return Line("- Normalization", "each feature to mean 0, variance 1, learned from the training part")
    return Line("- Normalization: {axis: null}", "all to mean 0, variance 1, learned from the training part")


def _augment(guess: Guess, shape: Sequence[int | None]) -> list[Line]:
    """Pictures may be moved a little, photographs turned over; where there are very many it is not worth the time."""
    count = guess.header.counts.get("train")
    if len(shape) != 3 or None in shape or (count or 0) > 50_000:
        return []
    moved = "- RandomTranslation: {height_factor: 0.1, width_factor: 0.1, fill_mode: constant}"
    lines = [Line(moved, "up to a tenth of the size")]
    photographs = shape[-1] == 3 and (isinstance(guess.section, Images) or str(guess.source).startswith("cifar"))
    return [Line("- RandomFlip: horizontal", "wrong for letters and digits"), *lines] if photographs else lines


def _without_rule(shape: Sequence[int | None]) -> SpecError:
    return fail(
        "K401",
        f"there is no rule of thumb for examples of shape {'×'.join(map(str, shape))}",
        "begin with a spec of `kbuild ls` that is near to what you have, and copy it with `kbuild cp`",
    )
