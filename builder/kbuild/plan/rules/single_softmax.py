"""softmax over a single unit

What it does
    Finds an output with a softmax whose last axis has one unit.

Why is this bad?
    A softmax divides by the sum over the axis. Over one unit that gives 1 for every example, whatever the weights: the
    gradient is zero and nothing is learned.

Example
    - Dense: {units: 1, activation: softmax}

Use instead
    - Dense: {units: 1, activation: sigmoid}

    or one unit for each class:

    - Dense: {units: 2, activation: softmax}

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.2.2.
"""

from collections.abc import Iterator

from kbuild.plan.activation import last_activation
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K333"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Outputs that are 1 whatever goes in."""
    for name, ref in net.plan.outputs.items():
        shape = net.plan.shape(ref)
        step = net.plan.step(ref.step)
        if step is not None and shape and shape[-1] == 1 and last_activation(net.plan, ref) == "softmax":
            message = f"the output `{name}` has a softmax over 1 unit, which is 1 for every example"
            help = "write `activation: sigmoid`, or give it a unit for each class"
            yield at_step(CODE, SEVERITY, step, message, help, argument="activation")
