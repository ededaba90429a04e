"""numbers to predict that the last activation cannot reach

What it does
    Finds outputs that predict numbers, compared number by number, through an activation with bounds: relu and
    softplus give nothing below 0, sigmoid and softmax stay between 0 and 1, tanh between -1 and 1. Where the range of
    the targets is known and outside, it is a warning, and an error if no target can be reached; where it is not
    known, a hint.

Why is this bad?
    A target beyond the bounds is never met: the output saturates there, its gradient vanishes, and the network
    predicts the bound.

Example
    data: {source: diabetes}                     # the targets are 25 to 346
    model: [{Dense: {units: 1, activation: sigmoid}}]

Use instead
    data: {source: diabetes}
    model: [{Dense: 1}]

    An activation is right where it says something true of the targets: a sigmoid for numbers between 0 and 1.

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.2.2.1: linear units for the mean of a Gaussian.
"""

from collections.abc import Iterator

from kbuild.data.header import Range
from kbuild.plan.activation import last_activation
from kbuild.plan.agree import BINARY, ELEMENTWISE
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem, Severity

CODE = "K335"
SEVERITY: Severity = "error"

_INF = float("inf")
_WITHIN = {
    "relu": Range(0, _INF),
    "softplus": Range(0, _INF),
    "relu6": Range(0, 6),
    "sigmoid": Range(0, 1),
    "hardsigmoid": Range(0, 1),
    "softmax": Range(0, 1),
    "tanh": Range(-1, 1),
    "softsign": Range(-1, 1),
}


def find(net: Net) -> Iterator[Problem]:
    """Outputs with bounds where numbers are to be predicted."""
    for head in net.heads:
        ref = net.plan.outputs.get(head.output)
        step = net.plan.step(ref.step) if ref else None
        compared = head.loss is not None and head.loss.name in ELEMENTWISE - BINARY | {"MeanSquaredError"}
        if ref is None or step is None or head.task != "regression" or not compared:
            continue
        activation = last_activation(net.plan, ref)
        # the layer `ReLU` is `re_lu`
        activation = (activation or "").replace("_", "")
        bounds = _WITHIN.get(activation)
        targets = _targets(net, head.output)
        if bounds is None or (targets and bounds.low <= targets.low and targets.high <= bounds.high):
            continue
        reach = f"{bounds.low:g} and up" if bounds.high == _INF else f"{bounds.low:g} to {bounds.high:g}"
        message = f"the output `{head.output}` predicts numbers and its {activation} gives {reach} only"
        severity: Severity = "hint"
        if targets is not None:
            severity = "error" if targets.low > bounds.high or targets.high < bounds.low else "warning"
            message += f": the targets are {targets.low:g} to {targets.high:g}"
        help = "leave `activation` out of the last layer" + ("" if targets else ", if the targets can lie outside")
        yield at_step(CODE, severity, step, message, help, argument="activation")


def _targets(net: Net, output: str) -> Range | None:
    if net.header is None:
        return None
    known = net.header.seen.targets
    if len(net.heads) == 1 and len(known) == 1 and len(net.header.targets) == 1:
        return next(iter(known.values()))
    return known.get(output)
