"""more dropout on a later, narrower layer

What it does
    Compares the dropout after a dense layer with the dropout after the next dense layer, and hints where the later
    layer is no wider and loses a larger share.

Why is this bad?
    It is a rule of thumb, not a law: rates fall towards the output. Wide layers overfit most and can spare most; what
    is near the output is narrow, and each unit dropped there takes away more of the answer. Dropout on the input and
    after convolutions is another matter, there rates are small, and is not compared.

Example
    - Dense: {units: 512, activation: relu}
    - Dropout: 0.2
    - Dense: {units: 64, activation: relu}
    - Dropout: 0.5
    - Dense: {units: 10, activation: softmax}

Use instead
    - Dense: {units: 512, activation: relu}
    - Dropout: 0.5
    - Dense: {units: 64, activation: relu}
    - Dropout: 0.2
    - Dense: {units: 10, activation: softmax}

Source
    The reason is that of Srivastava et al.: Dropout, Journal of Machine Learning Research 15 (2014), appendix A.1: a
    layer that needs n units needs n divided by the share it keeps.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import family, follow, rate, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K317"
SEVERITY = "hint"

_THROUGH = frozenset({"activation", "norm", "shape"})


def find(net: Net) -> Iterator[Problem]:
    """Dropouts that drop more than the one before them."""
    for step in net.steps:
        if family(step) != "dense":
            continue
        earlier, later_layer = _dropout(net, step)
        if earlier is None or later_layer is None:
            continue
        later, _ = _dropout(net, later_layer)
        first, second = rate(earlier) or 0.0, (rate(later) or 0.0) if later else 0.0
        units, fewer = width(net, step), width(net, later_layer)
        if later is not None and second > first > 0 and units and fewer and fewer <= units:
            message = (
                f"`{later.name}` drops {second:g} of {fewer} units, the dropout before it {first:g} of {units}; "
                "by the rule of thumb, rates fall towards the output"
            )
            yield at_step(CODE, SEVERITY, later, message, argument="rate")


def _dropout(net: Net, step: Step) -> tuple[Step | None, Step | None]:
    """The dropout after a dense layer, and the dense layer after that."""
    found: Step | None = None
    for later in follow(net, step):
        if family(later) == "dropout" and found is None:
            found = later
        elif family(later) == "dense":
            return found, later
        elif family(later) not in _THROUGH:
            break
    return found, None
