"""dropout before a batch normalization

What it does
    Finds dropout whose result reaches `BatchNormalization`, right away (an activation, pooling or flattening may
    stand between) or through one dense or convolutional layer. It warns where nothing with weights stands between and
    the rate is 0.5 or more, and hints otherwise. `AlphaDropout` keeps the variance and is left alone.

Why is this bad?
    Dropout at rate p multiplies what it keeps by 1/(1 - p), which raises the variance of values around zero to 1/(1 -
    p) times what it is without dropout. The normalization stores the variance of training and uses it later, when
    dropout is off and the variance is smaller: it scales wrongly. With dropout of 0.5 in every block, Li et al. saw a
    DenseNet on CIFAR100 fall from 77.4 % to 68.6 %. A layer with weights between spreads the shift over its sum and
    softens it; a wide layer softens it most.

Example
    - Dense: {units: 256, activation: relu}
    - Dropout: 0.5
    - BatchNormalization

Use instead
    - Dense: {units: 256, use_bias: false}
    - BatchNormalization
    - ReLU
    - Dropout: 0.5

    with dropout after the last normalization of the network.

Source
    Li et al.: Understanding the disharmony between dropout and batch normalization by variance shift,
    arXiv:1801.05134, figure 1 and section 4.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import MAPS, family, follow, kind, rate
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K314"
SEVERITY = "warning"

_GRAVE = 0.5
_THROUGH = frozenset({"activation", "pool", "global", "shape", "frame"})


def find(net: Net) -> Iterator[Problem]:
    """Dropouts that a batch normalization comes after."""
    for step in net.steps:
        dropped = rate(step)
        if dropped is None or not 0 < dropped < 1 or kind(step) == "AlphaDropout":
            continue
        maps, norm = _reached(net, step)
        if norm is None:
            continue
        way = f"reaches `{norm.name}` through `{maps[0].name}`" if maps else f"comes before `{norm.name}`"
        message = (
            f"`{step.name}` ({dropped:g}) {way}: in training that sees up to {1 / (1 - dropped):.3g} × the variance"
        )
        help = "put the dropout after the last normalization"
        yield at_step(CODE, "hint" if maps or dropped < _GRAVE else "warning", step, message, help)


def _reached(net: Net, step: Step) -> tuple[list[Step], Step | None]:
    """The layers with weights on the way to the next batch normalization, at most one, and that normalization."""
    maps: list[Step] = []
    for later in follow(net, step):
        if kind(later) == "BatchNormalization":
            return maps, later
        if family(later) in MAPS and not maps:
            maps.append(later)
        elif family(later) not in _THROUGH:
            break
    return maps, None
