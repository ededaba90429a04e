"""normalization after the activation

What it does
    Finds `BatchNormalization` right after the activation of a dense or convolutional layer.

Why is this bad?
    It need not be. The paper puts the normalization before the activation: what comes out of a sum of many terms is
    closer to a normal distribution than what comes out of a ReLU, of which half is zero. Published networks do it the
    other way round too (ConvMixer), and comparisons on ImageNet found that as good or better; so this is a hint.

Example
    - Conv2D: {filters: 64, kernel_size: 3, activation: relu}
    - BatchNormalization

Use instead
    - Conv2D: {filters: 64, kernel_size: 3, use_bias: false}
    - BatchNormalization
    - ReLU

Source
    Ioffe and Szegedy: Batch normalization, arXiv:1502.03167, section 3.2. Against: Mishkin et al., arXiv:1606.02228.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import activation, kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K313"
SEVERITY = "hint"


def find(net: Net) -> Iterator[Problem]:
    """Batch normalizations that follow an activation."""
    for step in net.steps:
        name = activation(step)
        if name in (None, "linear"):
            continue
        after = net.next(step)
        if after is not None and kind(after) == "BatchNormalization":
            message = f"`{after.name}` normalizes after the {name} of `{step.name}`; the paper normalizes before it"
            help = "put the activation after the normalization, or keep it: some networks do better this way"
            yield at_step(CODE, SEVERITY, after, message, help)
