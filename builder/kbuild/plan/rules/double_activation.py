"""two activations in a row

What it does
    Finds an activation right after another: a softmax after a softmax as an error if it is an output, a softmax after
    a sigmoid, a sigmoid after a ReLU and a squashing function twice as warnings, the same ReLU twice as a hint.

Why is this bad?
    A softmax of numbers between 0 and 1 is nearly flat: of k classes none gets more than e/(e + k - 1), 23 % of ten,
    and the loss cannot come near zero. A sigmoid of what a ReLU leaves is never below ½. tanh of tanh stays within
    ±0.77. A second ReLU changes nothing.

Example
    - Dense: {units: 10, activation: softmax}
    - Softmax

Use instead
    - Dense: {units: 10, activation: softmax}

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.2.2.
"""

from collections.abc import Iterator
from math import e

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import SIGMOID_LIKE, TANH_LIKE, activation, argument, family, layer
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem, Severity

CODE = "K327"
SEVERITY = "warning"

_AGAIN = frozenset({"relu", "relu6"})
_UNIT = SIGMOID_LIKE | {"softmax"}


def find(net: Net) -> Iterator[Problem]:
    """Activations of what was activated."""
    for second in net.steps:
        if family(second) != "activation":
            continue
        before = net.before(second)
        first = before[0] if len(before) == 1 and net.next(before[0]) is not None else None
        found = _found(net, first, second) if first is not None else None
        if first is not None and found is not None:
            severity, why = found
            message = (
                f"`{second.name}` applies {activation(second)} to the {activation(first)} of `{first.name}`: {why}"
            )
            yield at_step(CODE, severity, second, message, "leave one of them out")


def _found(net: Net, first: Step, second: Step) -> tuple[Severity, str] | None:
    """How grave a pair is, and why."""
    one, two = activation(first), activation(second)
    if two == "softmax" and one in _UNIT:
        shape = net.output_shape(second)
        if _axis(second) != -1 or (one == "softmax" and _axis(first) != -1) or not shape or not shape[-1]:
            return None
        most = f"none of {shape[-1]} classes gets more than {e / (e + shape[-1] - 1):.2g}"
        return ("error" if one == "softmax" and net.is_output(second) else "warning"), most
    if two in SIGMOID_LIKE and one in _AGAIN:
        return "warning", "it is never below ½"
    if one == two and two in SIGMOID_LIKE | TANH_LIKE:
        return "warning", "the range shrinks again"
    if one == two and two in _AGAIN and not set(layer(second).args) - {"activation"}:
        return "hint", "the second changes nothing"
    return None


def _axis(step: Step) -> object:
    found = argument(step, "axis")
    return -1 if found is None else found
