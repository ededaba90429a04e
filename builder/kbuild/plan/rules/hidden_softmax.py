"""softmax between two layers

What it does
    Finds a hidden dense or convolutional layer with a softmax whose result goes to a next such layer that is no
    wider. Attention, gates and mixtures of experts, where the result is multiplied with something, and mixtures of
    topics, where the next layer is wider, are left alone.

Why is this bad?
    A softmax makes its units compete: they sum to 1, so that all but a few are close to 0, and so are their
    gradients. Between layers it throws away what several units together could say. Mostly it was copied from the
    output.

Example
    - Dense: {units: 64, activation: softmax}
    - Dense: {units: 10, activation: softmax}

Use instead
    - Dense: {units: 64, activation: relu}
    - Dense: {units: 10, activation: softmax}

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), sections 6.2.2 and 6.3. Mixtures: Miao et al.,
    arXiv:1706.00359, section 3.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import MAPS, activated, family, follow, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K326"
SEVERITY = "warning"

_THROUGH = frozenset({"activation", "dropout", "norm"})


def find(net: Net) -> Iterator[Problem]:
    """Layers with a softmax before a layer that is no wider."""
    for step in net.steps:
        if family(step) not in MAPS or activated(net, step)[0] != "softmax":
            continue
        after = next((one for one in follow(net, step) if family(one) not in _THROUGH), None)
        if after is None or family(after) not in MAPS:
            continue
        units, next_units = width(net, step), width(net, after)
        if units and next_units and next_units <= units:
            message = f"`{step.name}` has a softmax, and `{after.name}` goes on from {units} numbers that sum to 1"
            yield at_step(CODE, SEVERITY, step, message, "write `activation: relu`", argument="activation")
