"""Convolutions: Conv, DepthwiseConv, SeparableConv and their transposes, in 1 to 3 dimensions."""

import math
from collections.abc import Callable
from functools import partial

from kbuild.plan.cost.activation import activated
from kbuild.plan.cost.dense import matrix
from kbuild.plan.cost.use import Rule, Use, Weights, Work, numbers, rule, size
from kbuild.plan.shapes.grid import grid


def conv_kernel(use: Use, rank: int) -> tuple[int, ...]:
    """(rows, columns, channels / groups, filters)."""
    return (*_window(use, rank), _channels(use, rank) // use.given.whole("groups", 1), use.given.whole("filters"))


def conv_weights(use: Use, rank: int) -> Weights:
    """Kernel and bias."""
    shape = conv_kernel(use, rank)
    return matrix(use, shape[-1] * use.asks("use_bias"), shape)


def conv_work(use: Use, rank: int) -> Work:
    """2·rows·columns·channels / groups for each number that comes out, 1 for its bias."""
    out = use.numbers()
    return out * (2 * math.prod(conv_kernel(use, rank)[:-1]) + use.asks("use_bias")), out


def depthwise_kernel(use: Use, rank: int) -> tuple[int, ...]:
    """(rows, columns, channels, depth_multiplier)."""
    return (*_window(use, rank), _channels(use, rank), use.given.whole("depth_multiplier", 1))


def depthwise_weights(use: Use, rank: int) -> Weights:
    """Kernel and bias."""
    shape = depthwise_kernel(use, rank)
    return math.prod(shape) + shape[-2] * shape[-1] * use.asks("use_bias"), 0


def depthwise_work(use: Use, rank: int) -> Work:
    """2·rows·columns for each number that comes out, 1 for its bias."""
    out = use.numbers()
    return out * (2 * math.prod(_window(use, rank)) + use.asks("use_bias")), out


def separable_weights(use: Use, rank: int) -> Weights:
    """A depthwise kernel, one of size 1 that mixes the channels, and a bias."""
    shape = depthwise_kernel(use, rank)
    filters = use.given.whole("filters")
    return math.prod(shape) + filters * (shape[-2] * shape[-1] + use.asks("use_bias")), 0


def separable_work(use: Use, rank: int) -> Work:
    """Both, one after the other; what lies between them is kept too."""
    out, shape = use.numbers(), depthwise_kernel(use, rank)
    middle = shape[-2] * shape[-1]
    between = out // use.given.whole("filters") * middle
    return between * 2 * math.prod(shape[:-2]) + out * (2 * middle + use.asks("use_bias")), between + out


def transposed_kernel(use: Use, rank: int) -> tuple[int, ...]:
    """(rows, columns, filters, channels)."""
    return (*_window(use, rank), use.given.whole("filters"), _channels(use, rank))


def transposed_weights(use: Use, rank: int) -> Weights:
    """Kernel and bias."""
    shape = transposed_kernel(use, rank)
    return math.prod(shape) + shape[-2] * use.asks("use_bias"), 0


def transposed_work(use: Use, rank: int) -> Work:
    """2·rows·columns·filters for each number that goes in, 1 for the bias of each that comes out."""
    out, taken = use.numbers(), numbers(use.given.tensor())
    return taken * 2 * math.prod(transposed_kernel(use, rank)[:-1]) + out * use.asks("use_bias"), out


def _window(use: Use, rank: int) -> tuple[int, ...]:
    return use.given.sizes("kernel_size", rank)


def _channels(use: Use, rank: int) -> int:
    return size(grid(use.given, rank).channels)


_FAMILIES = (
    (("Conv{}D", "Convolution{}D"), (1, 2, 3), conv_work, conv_weights),
    (("DepthwiseConv{}D",), (1, 2), depthwise_work, depthwise_weights),
    (("SeparableConv{}D", "SeparableConvolution{}D"), (1, 2), separable_work, separable_weights),
    (("Conv{}DTranspose", "Convolution{}DTranspose"), (1, 2, 3), transposed_work, transposed_weights),
)

RULES: dict[str, Rule] = {
    name.format(rank): activated(rule(partial(work, rank=rank), partial(weights, rank=rank)))
    for names, ranks, work, weights in _FAMILIES
    for name in names
    for rank in ranks
}

_WITH_KERNEL = {conv_work: conv_kernel, depthwise_work: depthwise_kernel, transposed_work: transposed_kernel}
KERNELS: dict[str, Callable[[Use], tuple[int, ...]]] = {
    name.format(rank): partial(_WITH_KERNEL[work], rank=rank)
    for names, ranks, work, _ in _FAMILIES
    if work in _WITH_KERNEL
    for name in names
    for rank in ranks
}
"""The shapes of the kernels of the layers that have one."""
