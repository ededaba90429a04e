"""a receptive field smaller than the picture, or far larger

What it does
    Looks at convolutions whose map is pooled globally, and says how much of the input a place of the last of them
    sees: hints where that is less than the input, and where it is more than 20 times the input along an axis.
    Networks whose last map is flattened for a dense layer, that end in a map, or that attend, see all of it by other
    means.

Why is this bad?
    If no place sees the whole, the network is a vote of patches: it can tell textures, not how parts lie to each
    other. That can be meant (BagNet). If the field is far larger, most layers look at borders that were made up by
    padding, and add nothing that the earlier ones could not: then fewer layers, or smaller strides at the beginning,
    do as well. Wide fields as such are usual, and the middle counts most; the widest of keras.applications is 17
    times its input (DenseNet201).

Example
    # a picture of 224×224
    - conv_pool: [32, 64]
    - GlobalAveragePooling2D

Use instead
    # a picture of 224×224
    - conv_pool: [32, 64, 128, 256, 512, 512]
    - GlobalAveragePooling2D

Source
    Araujo, Norris, Sim: Computing receptive fields of convolutional neural networks, Distill (2019); Richter et al.,
    arXiv:2106.12307. Patches on purpose: Brendel and Bethge, arXiv:1904.00760.
"""

from collections.abc import Iterator, Mapping

from kbuild.plan.field import WINDOWS, Field, fields
from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import argument, family, kind, rank
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K323"
SEVERITY = "hint"

_FAR = 20
_LOCAL = frozenset({"activation", "norm", "dropout", "dense"})
_MERGES = frozenset(
    {"Add", "Concatenate", "Average", "Maximum", "Multiply", "Subtract", "StochasticDepth", "Rescaling"}
)


def find(net: Net) -> Iterator[Problem]:
    """Fields at a global pooling that do not fit the input."""
    pooled = [step for step in net.steps if family(step) == "global" and rank(step) > 1 and _gathers(net, step)]
    if not pooled or len(net.plan.inputs) != 1:
        return
    found = fields(net.plan)
    for step in pooled:
        last = _widest(net, step, found)
        given = _input(net, step)
        if last is None or given is None:
            continue
        seen = [size or extent for size, extent in zip(found[last.name].size, given, strict=True)]
        if any(size < extent for size, extent in zip(seen, given, strict=True)):
            message = f"a place of `{last.name}` sees {_shown(seen)} of an input of {_shown(given)}, and all are pooled"
            yield at_step(CODE, SEVERITY, last, message, "add layers or strides, if the whole matters")
        elif any(size > _FAR * extent for size, extent in zip(seen, given, strict=True)):
            message = f"a place of `{last.name}` sees {_shown(seen)}, over {_FAR} times the input of {_shown(given)}"
            yield at_step(CODE, SEVERITY, last, message, "fewer layers or strides may do as well")


def _gathers(net: Net, step: Step) -> bool:
    """Whether all that is known goes through a pooling: a gate's leaves the map for the others."""
    before = net.before(step)
    return len(before) == 1 and net.next(before[0]) is not None


def _widest(net: Net, step: Step, found: Mapping[str, Field]) -> Step | None:
    """Of the convolutions whose results are pooled, the one that sees most; None where something else comes between."""
    seen: set[str] = set()
    last: Step | None = None
    waiting = list(net.before(step))
    while waiting:
        here = waiting.pop()
        if here.name in seen or family(here) == "global":
            continue
        seen.add(here.name)
        if family(here) in WINDOWS:
            if here.name not in found:
                return None
            last = here if last is None or _wider(found[here.name], found[last.name]) else last
        elif family(here) in _LOCAL or kind(here) in _MERGES:
            waiting += net.before(here)
        else:
            return None
    return last


def _wider(one: Field, other: Field) -> bool:
    return [size or float("inf") for size in one.size] > [size or float("inf") for size in other.size]


def _input(net: Net, step: Step) -> tuple[int, ...] | None:
    """The sizes of the axes that the network slides along."""
    shape, axes = net.plan.inputs[0].shape, rank(step)
    if shape is None or len(shape) < axes:
        return None
    places = shape[-axes:] if argument(step, "data_format") == "channels_first" else shape[:axes]
    known = tuple(size for size in places if size is not None)
    return known if len(known) == axes else None


def _shown(sizes: list[int] | tuple[int, ...]) -> str:
    return "×".join(str(size) for size in sizes)
