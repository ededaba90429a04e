"""Normalizations. When a network is applied, the statistics of BatchNormalization are fixed; the others take theirs."""

import math

from kbuild.plan.cost.use import Rule, Use, Weights, Work, rule, size

_CENTERED = 5
"""For each number: into the mean, minus it, squared, into the variance, times one over the deviation."""
_UNCENTERED = 3
"""For each number: squared, into the sum, times one over its root."""


def batch_weights(use: Use) -> Weights:
    """gamma and beta; moving mean and variance, which training changes but not by gradients."""
    channels = _along(use, "axis", -1)
    moving = 5 if use.asks("renorm", False) else 2
    return channels * (use.asks("scale") + use.asks("center")), channels * moving


def batch_work(use: Use) -> Work:
    """With fixed statistics one factor and one summand for each number."""
    count = use.numbers()
    return 2 * count, count


def layer_weights(use: Use) -> Weights:
    """gamma and beta over all of `axis`; with `rms_scaling` gamma alone."""
    places = _along(use, "axis", -1)
    if use.asks("rms_scaling", False):
        return places, 0
    return places * (use.asks("scale") + use.asks("center")), 0


def group_weights(use: Use) -> Weights:
    """gamma and beta along `axis`."""
    return _along(use, "axis", -1) * (use.asks("scale") + use.asks("center")), 0


def example_work(use: Use) -> Work:
    """Statistics of the example, then scale and shift."""
    count = use.numbers()
    return (_CENTERED + use.asks("scale") + use.asks("center")) * count, count


def rms_weights(use: Use) -> Weights:
    """A factor for each place of `axis`."""
    return _along(use, "axis", -1), 0


def rms_work(use: Use) -> Work:
    """The root of the mean square, then the factor."""
    count = use.numbers()
    return (_UNCENTERED + 1) * count, count


def unit_work(use: Use) -> Work:
    """Divided by its length."""
    count = use.numbers()
    return _UNCENTERED * count, count


def adapted_weights(use: Use) -> Weights:
    """`Normalization`: mean and variance along `axis`, and how many examples they come from, unless they are given."""
    if use.args.get("mean") is not None and use.args.get("variance") is not None:
        return 0, 0
    return 0, 2 * (1 if use.args.get("axis", -1) is None else _along(use, "axis", -1)) + 1


def adapted_work(use: Use) -> Work:
    """Minus the mean, divided by the deviation."""
    count = use.numbers()
    return 2 * count, count


def _along(use: Use, arg: str, default: int) -> int:
    shape = use.given.tensor()
    axes = use.given.axes(arg, default, len(shape) + 1)
    return math.prod(size(shape[axis - 1]) for axis in axes)


RULES: dict[str, Rule] = {
    "BatchNormalization": rule(batch_work, batch_weights),
    "LayerNormalization": rule(example_work, layer_weights),
    "GroupNormalization": rule(example_work, group_weights),
    "InstanceNormalization": rule(example_work, group_weights),
    "RMSNormalization": rule(rms_work, rms_weights),
    "UnitNormalization": rule(unit_work),
    "Normalization": rule(adapted_work, adapted_weights),
}
