"""no activation between two layers

What it does
    Finds a dense or convolutional layer without an activation whose result goes to the next such layer with nothing
    but linear steps between them (dropout, normalization, flattening, mean pooling).

    It is silent where that is a design: a projection narrower than both of its neighbours (a low-rank factorization,
    an inverted residual), one that saves parameters against the single layer, the parts of a separable convolution,
    1×k after k×1, and wherever the path branches.

Why is this bad?
    Two linear maps in a row are one linear map, W₂(W₁x) = (W₂W₁)x. The second layer adds parameters and time, and the
    network can represent nothing that it could not without it. In training, batch normalization and dropout stand
    between; in use they are linear too.

Example
    - Dense: 512
    - Dense: {units: 256, activation: relu}

Use instead
    - Dense: {units: 512, activation: relu}
    - Dense: {units: 256, activation: relu}

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.1. The exceptions: Sandler et al., MobileNetV2,
    arXiv:1801.04381; Szegedy et al., arXiv:1512.00567, section 3.2.
"""

import re
from collections.abc import Iterator
from math import prod

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import activation, argument, family, fan_in, follow, kind, rank, sizes, volume, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem, Related

CODE = "K310"
SEVERITY = "warning"

_MIXING = frozenset({"dense", "conv", "separable"})
_LINEAR = re.compile(r"AveragePooling[123]D|BatchNormalization|Flatten|Identity|ActivityRegularization")


def find(net: Net) -> Iterator[Problem]:
    """Layers that the next one swallows."""
    for first in net.steps:
        if activation(first) == "linear" and (family(first) in _MIXING or family(first) == "transposed"):
            between = list(_linear(net, first))
            second = net.next(between[-1] if between else first)
            if second is not None and _pair(first, second) and not _meant(net, first, second, between):
                yield _problem(net, first, second)


def _linear(net: Net, first: Step) -> Iterator[Step]:
    """The linear steps that follow."""
    for step in follow(net, first):
        plain = family(step) in {"dropout", "frame"} or _LINEAR.fullmatch(kind(step))
        if not plain and not (family(step) == "activation" and activation(step) == "linear"):
            return
        yield step


def _pair(first: Step, second: Step) -> bool:
    """Whether the two could be one layer of the same sort."""
    families = {family(first), family(second)}
    if not families <= _MIXING and families != {"transposed"}:
        return False
    return argument(first, "groups") in (None, 1) and argument(second, "groups") in (None, 1)


def _meant(net: Net, first: Step, second: Step, between: list[Step]) -> bool:
    """Whether the middle is a projection that one wants: narrower than both ends, or cheaper than the single layer."""
    before, middle, after = fan_in(net, first), width(net, first), width(net, second)
    one, two = _kernel(first), _kernel(second)
    if middle is None or after is None or one is None or two is None:
        return True
    if _patches(first, one) and before is not None:
        before, one = before * prod(one), ()
    flat = _flat(net, first) if any(kind(step) == "Flatten" for step in between) else None
    if flat is not None:
        before, middle, weights = flat
        return _narrow(before, middle, after) or weights + middle * after < before * after
    if before is None:
        return middle < after
    pointwise = prod(one) == 1 or prod(two) == 1
    if pointwise and "conv" in {family(first), family(second)} and middle <= min(before, after):
        return True
    if pointwise and prod(one) * before * middle + prod(two) * middle * after < prod(one) * prod(two) * before * after:
        return True
    return _narrow(before, middle, after) or _crossed(one, two)


def _narrow(before: int, middle: int, after: int) -> bool:
    return middle < before and middle < after


def _crossed(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    """1×k and k×1: a separable kernel."""
    return (
        len(one) == len(two)
        and prod(one) > 1
        and prod(two) > 1
        and all(1 in pair for pair in zip(one, two, strict=True))
    )


def _kernel(step: Step) -> tuple[int, ...] | None:
    return sizes(step, "kernel_size", rank(step)) if rank(step) else ()


def _patches(step: Step, kernel: tuple[int, ...]) -> bool:
    """Whether a convolution reads patches that do not overlap: a dense layer on each."""
    strides = sizes(step, "strides", len(kernel))
    overlaps = prod(kernel) == 1 or family(step) == "transposed"
    return not overlaps and strides is not None and all(s >= k for s, k in zip(strides, kernel, strict=True))


def _flat(net: Net, first: Step) -> tuple[int, int, int] | None:
    """Of a convolution before a `Flatten`: how many numbers go in, how many come out, and its weights."""
    if not rank(first):
        return None
    before, middle = volume(net.input_shapes(first)[0]), volume(net.output_shape(first))
    kernel, features, filters = _kernel(first), fan_in(net, first), width(net, first)
    if before is None or middle is None or kernel is None or features is None or filters is None:
        return None
    return before, middle, prod(kernel) * features * filters


def _problem(net: Net, first: Step, second: Step) -> Problem:
    units, after = width(net, first), width(net, second)
    message = f"`{first.name}` ({units}) has no activation before `{second.name}` ({after}): the two are one linear map"
    related = (Related("the next layer", second.span),) if second.span and second.span != first.span else ()
    help = "write `activation: relu`, or leave the layer out"
    return at_step(CODE, SEVERITY, first, message, help, argument="activation", related=related)
