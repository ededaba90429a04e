"""dropout on the output

What it does
    Finds dropout between the layer that computes an output and the output.

Why is this bad?
    Dropout sets some of the answers to zero and enlarges the others: in training the loss compares numbers that the
    network did not mean, a probability of 0 for the right class among them. It belongs before the last layer, where
    the network can learn to do without what is dropped.

Example
    - Dense: {units: 10, activation: softmax}
    - Dropout: 0.2

Use instead
    - Dropout: 0.2
    - Dense: {units: 10, activation: softmax}

Source
    Srivastava et al.: Dropout, Journal of Machine Learning Research 15 (2014), section 4: units of the input and of
    hidden layers are dropped.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import MAPS, family, lead, rate
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K315"
SEVERITY = "warning"

_THROUGH = frozenset({"activation", "shape", "dropout"})


def find(net: Net) -> Iterator[Problem]:
    """Dropouts that nothing but activations and a layer with weights stands around."""
    for name, ref in net.plan.outputs.items():
        last = net.plan.step(ref.step)
        if last is None or ref.index:
            continue
        path = [last]
        for step in lead(net, last) if family(last) in _THROUGH else ():
            path.append(step)
            if family(step) not in _THROUGH:
                break
        if family(path[-1]) in MAPS:
            for step in path[:-1]:
                dropped = rate(step)
                if dropped:
                    message = f"`{step.name}` drops {dropped:.0%} of the output `{name}`"
                    yield at_step(CODE, SEVERITY, step, message, f"put it before `{path[-1].name}`")
