"""(Checked, Checked) → Diff."""

from kbuild.plan.check import Checked
from kbuild.plan.diff import sections
from kbuild.plan.diff.difference import Diff
from kbuild.plan.diff.fold import fold
from kbuild.plan.diff.network import network, sides


def diff(one: Checked, other: Checked) -> Diff:
    """What is different in what two specs mean.

    Layers are aligned by name and by what they are; arguments are compared with Keras's defaults filled in, losses as
    they were decided, and how a value is written makes no difference.

    Args:
        one, other: before and after.
    """
    mine, theirs = sides(one, other)
    return Diff(
        layers=tuple(fold(network(mine, theirs), one.plan, other.plan)),
        inputs=tuple(sections.inputs(mine, theirs)),
        outputs=tuple(sections.outputs(mine, theirs)),
        data=tuple(sections.data(one, other)),
        train=tuple(sections.train(one, other)),
        tune=tuple(sections.tune(one, other)),
        totals={
            "layers": (_layers(one), _layers(other)),
            "params": (one.costs.total.params, other.costs.total.params),
            "trainable": (one.costs.total.trainable, other.costs.total.trainable),
            "flops": (one.costs.total.flops, other.costs.total.flops),
        },
    )


def _layers(found: Checked) -> int:
    return len({step.layer for step in found.plan.steps})
