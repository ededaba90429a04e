"""a dense layer after `Flatten` that holds most of the network

What it does
    Finds a dense layer that takes a flattened map from convolutions and has more than half of all parameters, and
    says how many it would have after global average pooling.

Why is this bad?
    Each unit has a weight for each place of each channel: rows · columns · channels of them. That is where such a
    network overfits, it ties the network to one picture size, and it is most of what has to be stored. The mean over
    the places keeps one number for each channel. Where the place itself matters, as in telling digits apart,
    flattening may still be right.

Example
    - conv_pool: [32, 64, 128]
    - Flatten
    - Dense: {units: 1024, activation: relu}

Use instead
    - conv_pool: [32, 64, 128]
    - GlobalAveragePooling2D
    - Dense: {units: 1024, activation: relu}

Source
    Lin et al.: Network in network, arXiv:1312.4400, section 3.2.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import argument, convolved, family, follow, kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K319"
SEVERITY = "hint"

_SHARE = 0.5


def find(net: Net) -> Iterator[Problem]:
    """Dense layers with more than half of the parameters."""
    total, after = net.costs.total.params, convolved(net)
    for step in net.steps if total else ():
        dense = _dense(net, step) if kind(step) == "Flatten" and step.name in after else None
        shape = net.input_shapes(step)[0] if dense else None
        if dense is None or not shape or not 2 <= len(shape) <= 4:
            continue
        cost = net.costs.steps.get(dense.name)
        units, channels = argument(dense, "units"), shape[-1]
        held = cost.params if cost else None
        if held is None or not total or channels is None or not isinstance(units, int) or held <= _SHARE * total:
            continue
        pooled = channels * units + (units if argument(dense, "use_bias") else 0)
        if pooled < held:
            message = (
                f"`{dense.name}` holds {held:,} of {total:,} parameters ({held / total:.0%}); "
                f"after global average pooling it would have {pooled:,}"
            )
            help = f"write `GlobalAveragePooling{len(shape) - 1}D` in place of `Flatten`"
            yield at_step(CODE, SEVERITY, dense, message, help)


def _dense(net: Net, step: Step) -> Step | None:
    """The dense layer that takes what was flattened."""
    after = next((one for one in follow(net, step) if family(one) not in {"dropout", "norm", "activation"}), None)
    return after if after is not None and family(after) == "dense" else None
