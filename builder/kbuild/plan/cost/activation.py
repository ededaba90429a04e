"""Activations: given as an argument, and as layers of their own."""

import math
from functools import partial

from kbuild.plan.cost.cost import Cost
from kbuild.plan.cost.use import Rule, Use, Weights, Work, rule, size
from kbuild.plan.shapes.given import numbers as whole
from kbuild.plan.shapes.mistake import UnknownShape
from kbuild.spec.call import Call

SOFTMAX = 5
"""For each number: to find the largest, subtract it, the exponential, the sum, the division."""

_FLOPS = {None: 0, "linear": 0, "softmax": SOFTMAX, "log_softmax": SOFTMAX}
_FROM_OUTPUT = {
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid"),
    *("tanh", "softmax", "log_softmax", "exponential"),
}
"""Activations whose derivative follows from what they give: it is kept in place of what they took."""


def activation(name: object, count: int) -> Work:
    """What an activation costs that is given by its name.

    Args:
        count: how many numbers go through.
    """
    flops = _FLOPS.get(name, 1) if name is None or isinstance(name, str) else 1
    return flops * count, 0 if name is None or name in _FROM_OUTPUT else count


def activated(inner: Rule) -> Rule:
    """A rule with its layer's `activation` added: a name, or a layer with a cost of its own."""

    def cost(use: Use) -> Cost:
        found, given = inner(use), use.args.get("activation")
        if given is None or given == "linear":
            return found
        if isinstance(given, Call) and given.namespace == "layers":
            return found + use.inside(given, use.outputs[0] if use.outputs else None)[0]
        return found + rule(lambda use: activation(given, use.numbers()))(use)

    return cost


def nothing(use: Use) -> Work:
    """The layer `Activation` without what `activated` adds: nothing, but a look at the shape."""
    use.numbers()
    return 0, 0


def in_place(use: Use, flops: int = 1) -> Work:
    """An activation whose output takes the place of its input."""
    return flops * use.numbers(), 0


def slopes(use: Use) -> Weights:
    """`PReLU`: a slope for each number, the `shared_axes` (the first after the batch being 1) having one in common."""
    shape = use.given.tensor()
    shared = use.args.get("shared_axes")
    axes = () if shared is None else whole(shared)
    if axes is None:
        raise UnknownShape
    sizes = list(shape)
    for axis in axes:
        if not -len(shape) < axis <= len(shape):
            raise UnknownShape
        sizes[axis - 1] = 1
    return math.prod(size(n) for n in sizes), 0


def prelu(use: Use) -> Work:
    """Its slopes' gradient needs the input, so that both stay."""
    count = use.numbers()
    return count, count


RULES: dict[str, Rule] = {
    "Activation": activated(rule(nothing)),
    **dict.fromkeys(("ReLU", "LeakyReLU", "ELU"), rule(in_place)),
    "Softmax": rule(partial(in_place, flops=SOFTMAX)),
    "PReLU": rule(prelu, slopes),
}
