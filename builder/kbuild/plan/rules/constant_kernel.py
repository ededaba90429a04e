"""a kernel that starts with one number everywhere

What it does
    Finds hidden layers of several units whose kernel starts with zeros, ones or another constant. It warns where
    nothing can break that: zeros before a ReLU, and two such layers in a row. One such layer alone is a hint. What is
    frozen, normalized apart from a ReLU, an output or the end of a residual branch is left alone: zeros there are a
    known start.

Why is this bad?
    Units with equal weights compute the same and, if the layer above weighs them equally too, get the same gradient:
    they stay equal for ever, as if the layer had one unit. Zeros before a ReLU are worse: the ReLU has slope 0 there,
    so the layer never learns at all.

Example
    - Dense: {units: 64, activation: relu, kernel_initializer: zeros}

Use instead
    - Dense: {units: 64, activation: relu, kernel_initializer: he_normal}

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), section 8.4. Zeros on purpose: Zhang et al., Fixup,
    arXiv:1901.09321.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import MAPS, activated, argument, family, follow, layer, plain, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.spec.call import Call
from kbuild.text.problem import Problem

CODE = "K325"
SEVERITY = "warning"

_CONSTANTS = frozenset({"zeros", "zero", "ones", "one", "constant"})
_ZEROS = frozenset({"zeros", "zero"})
_THROUGH = frozenset({"activation", "norm", "dropout", "shape", "pool", "global", "frame"})


def find(net: Net) -> Iterator[Problem]:
    """Constant kernels, by what becomes of them."""
    for step in net.steps:
        value = _constant(step)
        if value is None or width(net, step) == 1:
            continue
        after = next((one for one in follow(net, step) if family(one) not in _THROUGH), None)
        if _dead(net, step, value):
            message = f"`{step.name}` gives a ReLU nothing but zeros, where its slope is 0: it never learns"
            yield _said(step, "warning", message)
        elif after is not None and _constant(after) is not None:
            message = f"`{step.name}` and `{after.name}` start with constants: the units of `{step.name}` stay equal"
            yield _said(step, "warning", message)
        elif after is not None and family(after) in MAPS:
            yield _said(step, "hint", f"all units of `{step.name}` start equal")


def _constant(step: Step) -> str | None:
    """The initializer of a trained kernel that has one number everywhere."""
    if family(step) not in MAPS or step.trainable is False:
        return None
    given = layer(step).args.get("kernel_initializer", layer(step).args.get("pointwise_initializer"))
    name = plain(given)
    if isinstance(given, Call) and name == "constant" and given.args.get("value", 0.0) == 0:
        return "zeros"
    return name if name in _CONSTANTS else None


def _dead(net: Net, step: Step, value: str) -> bool:
    """Whether a ReLU gets nothing but zeros."""
    name, _ = activated(net, step)
    bias = plain(argument(step, "bias_initializer"))
    return value in _ZEROS and name in {"relu", "relu6"} and (argument(step, "use_bias") is False or bias in _ZEROS)


def _said(step: Step, severity: str, message: str) -> Problem:
    key = "kernel_initializer" if "kernel_initializer" in layer(step).args else "pointwise_initializer"
    level = "warning" if severity == "warning" else "hint"
    return at_step(CODE, level, step, message, "draw it at random: leave the initializer out", argument=key)
