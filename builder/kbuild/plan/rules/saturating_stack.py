"""sigmoid or tanh in a deep stack

What it does
    Counts hidden dense and convolutional layers with a sigmoid, or with a tanh, that follow each other. From 9 layers
    with a sigmoid on it warns; from 4 with a sigmoid, and from 6 with a tanh, it hints.

    Gates (what feeds a `Multiply`), recurrent layers, normalized layers and paths that branch do not count.

Why is this bad?
    The slope of a sigmoid is at most ¼: n of them shrink a gradient to 4⁻ⁿ, weights aside, and its mean of ½ pushes
    the layers above into saturation. Glorot and Bengio trained with random initialization: with four hidden layers of
    sigmoids the uppermost saturated and began to come out of it near epoch 100; with five it never did. Networks for
    speech had up to eight, which were trained layer by layer before; hence the warning from nine on. tanh has slope 1
    at 0 and mean 0, and with Glorot's initialization worked at five layers, which is as deep as they went.

Example
    - {Dense: {units: 64, activation: sigmoid}, repeat: 9}

Use instead
    - {Dense: {units: 64, activation: relu}, repeat: 9}

    or normalize each layer, or let a path go around them.

Source
    Glorot and Bengio: Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010,
    sections 3 and 5. Eight layers: Mohamed, Dahl, Hinton: Acoustic modeling using deep belief networks, IEEE
    Transactions on Audio, Speech, and Language Processing 20 (2012).
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import MAPS, SIGMOID_LIKE, TANH_LIKE, activated, family, follow, kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K311"
SEVERITY = "warning"

_WARN, _HINT_SIGMOID, _HINT_TANH = 9, 4, 6
_THROUGH = frozenset({"dropout", "shape", "pool", "frame", "activation"})


def find(net: Net) -> Iterator[Problem]:
    """Runs of saturating layers, at their first."""
    counted: set[str] = set()
    for step in net.steps:
        if step.name in counted or family(step) not in MAPS:
            continue
        run = list(_run(net, step))
        counted |= {each.name for each in run}
        if run:
            yield from _said(net, run)


def _run(net: Net, step: Step) -> Iterator[Step]:
    """`step` and the layers that follow it, while each is hidden and has the activation of the first."""
    wanted = _squash(net, step)
    here: Step | None = step
    while here is not None and wanted and _squash(net, here) == wanted:
        after = next((one for one in follow(net, here) if family(one) not in _THROUGH), None)
        if after is None or kind(after) == "Multiply":
            return
        yield here
        here = after if family(after) in MAPS else None


def _squash(net: Net, step: Step) -> str:
    """`sigmoid` or `tanh` for a layer that ends in one like it."""
    name, _ = activated(net, step)
    if name not in SIGMOID_LIKE | TANH_LIKE:
        return ""
    return "sigmoid" if name in SIGMOID_LIKE else "tanh"


def _said(net: Net, run: list[Step]) -> Iterator[Problem]:
    squash, count = _squash(net, run[0]), len(run)
    if count < (_HINT_SIGMOID if squash == "sigmoid" else _HINT_TANH):
        return
    if squash == "sigmoid":
        message = (
            f"{count} hidden layers in a row have a sigmoid: their slopes alone, at most ¼ each, "
            f"leave {0.25**count:.1g} of a gradient"
        )
    else:
        message = f"{count} hidden layers in a row have a tanh, and gradients shrink in each where it saturates"
    severity = "warning" if squash == "sigmoid" and count >= _WARN else "hint"
    help = "write `activation: relu`, or put `BatchNormalization` before each activation"
    yield at_step(CODE, severity, run[0], message, help, argument="activation")
