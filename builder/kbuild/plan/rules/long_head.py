"""many dense layers after the convolutions

What it does
    Counts the hidden dense layers between the convolutions, once they are flattened or pooled to a vector, and an
    output, and hints from the third on.

Why is this bad?
    The convolutions have done the work; what follows only has to read the classes off. AlexNet and VGG have two
    hidden layers there, and most of their parameters in them; ResNet, DenseNet and EfficientNet have none and are
    better. A third adds parameters that overfit.

Example
    - conv_pool: [32, 64]
    - Flatten
    - mlp: [512, 256, 128]
    - Dense: {units: 10, activation: softmax}

Use instead
    - conv_pool: [32, 64, 128]
    - GlobalAveragePooling2D
    - Dense: {units: 10, activation: softmax}

Source
    Simonyan and Zisserman, arXiv:1409.1556, table 1; He et al., arXiv:1512.03385, table 1; Lin et al., Network in
    network, arXiv:1312.4400, section 3.2.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import convolved, family, follow, kind, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K318"
SEVERITY = "hint"

_MOST = 2
_THROUGH = frozenset({"activation", "norm", "dropout", "dense"})


def find(net: Net) -> Iterator[Problem]:
    """Heads with more than two hidden layers."""
    after = convolved(net)
    for step in net.steps:
        if step.name not in after or (kind(step) != "Flatten" and family(step) != "global"):
            continue
        path = list(follow(net, step))
        if not path or not net.is_output(path[-1]) or any(family(each) not in _THROUGH for each in path):
            continue
        hidden = [each for each in path if family(each) == "dense"][:-1]
        if len(hidden) > _MOST:
            units = ", ".join(str(width(net, each)) for each in hidden)
            message = f"{len(hidden)} hidden dense layers ({units}) after the convolutions; VGG has 2, ResNet none"
            yield at_step(CODE, SEVERITY, hidden[_MOST], message, "leave some out")
