"""an initializer made for another activation

What it does
    Where a dense or convolutional layer names its `kernel_initializer`, compares it with the activation that follows:
    He for ReLU and its like, Glorot for sigmoid and tanh, LeCun's normal for SELU. Keras's default is never reported.

Why is this bad?
    An initializer sets the variance of the weights so that the size of signals stays the same from layer to layer. A
    ReLU throws half of the variance away, and He's 2/fan_in makes up for it; without it a deep network of ReLUs fades
    from layer to layer, with it a deep one of tanh saturates. SELU normalizes itself only with variance 1/fan_in.
    With normalization between it hardly matters, and nothing is said.

Example
    - Dense: {units: 256, activation: relu, kernel_initializer: glorot_uniform}

Use instead
    - Dense: {units: 256, activation: relu, kernel_initializer: he_normal}

Source
    He et al.: Delving deep into rectifiers, arXiv:1502.01852, section 2.2; Glorot and Bengio, AISTATS 2010, section
    4.2; Klambauer et al.: Self-normalizing neural networks, arXiv:1706.02515, section 3.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import MAPS, RELU_LIKE, SIGMOID_LIKE, TANH_LIKE, activated, family, layer, plain
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K324"
SEVERITY = "hint"

_HE = frozenset({"henormal", "heuniform"})
_GLOROT = frozenset({"glorotnormal", "glorotuniform"})
_LECUN = frozenset({"lecunnormal", "lecununiform"})
_ARGUMENTS = ("kernel_initializer", "depthwise_initializer", "pointwise_initializer")


def find(net: Net) -> Iterator[Problem]:
    """Initializers that were written and fit another activation."""
    for step in net.steps:
        written = [argument for argument in _ARGUMENTS if argument in layer(step).args]
        if not written or family(step) not in MAPS:
            continue
        name, normalized = activated(net, step)
        for argument in written:
            value = plain(layer(step).args[argument])
            better = _better(name, value or "")
            if better and not normalized:
                message = (
                    f"`{step.name}` starts with `{_shown(value)}` and goes through {name}, which `{better}` is for"
                )
                yield at_step(CODE, SEVERITY, step, message, f"write `{argument}: {better}`", argument=argument)


def _better(activation: str, initializer: str) -> str | None:
    """What the activation's paper starts with, if the initializer is one of the others."""
    if activation == "selu":
        return None if initializer in _LECUN or initializer not in _HE | _GLOROT else "lecun_normal"
    if activation in RELU_LIKE:
        return "he_normal" if initializer in _GLOROT | _LECUN else None
    if activation in SIGMOID_LIKE | TANH_LIKE:
        return "glorot_uniform" if initializer in _HE else None
    return None


def _shown(initializer: str | None) -> str:
    name = initializer or ""
    return next(
        (name.replace(word, f"{word}_", 1) for word in ("glorot", "lecun", "he") if name.startswith(word)), name
    )
