"""a bottleneck narrower than the classes

What it does
    Walks back from a softmax over classes through the dense layers before it, and hints where one has fewer units
    than there are classes; with a single unit it warns.

Why is this bad?
    The scores of k classes that are computed from d numbers have rank d at most: below k - 1 they cannot vary freely,
    so that some pairs of classes stay alike. Large vocabularies are learned so every day, and two units can be meant,
    to draw them; but with one unit all classes lie on a line.

Example
    - Dense: {units: 4, activation: relu}
    - Dense: {units: 10, activation: softmax}

Use instead
    - Dense: {units: 32, activation: relu}
    - Dense: {units: 10, activation: softmax}

Source
    Yang et al.: Breaking the softmax bottleneck, arXiv:1711.03953, section 2. Two units on purpose: Wen et al.: A
    discriminative feature learning approach for deep face recognition, ECCV 2016.
"""

from collections.abc import Iterator

from kbuild.plan.activation import last_activation
from kbuild.plan.plan import Ref, Step
from kbuild.plan.rules.kinds import family, lead, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K321"
SEVERITY = "hint"

_THROUGH = frozenset({"activation", "norm", "dropout", "shape"})


def find(net: Net) -> Iterator[Problem]:
    """The narrowest hidden layer before a softmax, if it is too narrow."""
    for name, ref in net.plan.outputs.items():
        shape, last = net.plan.shape(ref), net.plan.step(ref.step)
        classes = shape[-1] if shape and len(shape) == 1 else None
        if last is None or classes is None or classes < 3 or not _chosen(net, name, ref):
            continue
        hidden = _hidden(net, last)
        widths = [(width(net, step) or classes, step) for step in hidden]
        units, narrow = min(widths, key=lambda pair: pair[0], default=(classes, last))
        if units < classes:
            message = f"`{narrow.name}` has {_count(units)} before the {classes} classes of the output `{name}`"
            severity = "warning" if units == 1 else "hint"
            yield at_step(CODE, severity, narrow, message, f"give it {classes} or more", argument="units")


def _chosen(net: Net, name: str, ref: Ref) -> bool:
    """Whether an output chooses one of several classes."""
    if last_activation(net.plan, ref) == "softmax":
        return True
    return any(head.output == name and head.task == "multiclass" for head in net.heads)


def _hidden(net: Net, last: Step) -> list[Step]:
    """The dense layers before the one that gives the classes."""
    dense = [last] if family(last) == "dense" else []
    for step in lead(net, last):
        if family(step) == "dense":
            dense.append(step)
        elif family(step) not in _THROUGH:
            break
    return dense[1:]


def _count(units: int) -> str:
    return "1 unit" if units == 1 else f"{units} units"
