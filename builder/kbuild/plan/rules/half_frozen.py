"""an argument `trainable: false` that leaves layers free

What it does
    Finds calls with Keras's own argument `trainable: false` whose weights are in layers inside them (attention,
    `Bidirectional`, `TimeDistributed`, `RNN`): those go on learning.

Why is this bad?
    Keras hands the argument to the call's own weights alone. The network trains what was to be frozen, and nothing says
    so. The key beside the call reaches all that is inside.

Example
    - Reshape: [8, 8]
    - {MultiHeadAttention: {num_heads: 2, key_dim: 4, trainable: false}, from: {query: previous, value: previous}}

Use instead
    - Reshape: [8, 8]
    - {MultiHeadAttention: {num_heads: 2, key_dim: 4}, trainable: false, from: {query: previous, value: previous}}

Source
    `keras.layers.Layer`: the setter of `trainable` goes down to the layers inside, the argument of `__init__` does not.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K351"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Calls that say they are frozen, and learn."""
    for step in net.steps:
        learned = net.costs.steps[step.name].trainable
        if step.call.args.get("trainable") is False and learned:
            message = f"`trainable: false` as an argument leaves {learned:,} parameters of `{step.name}` free"
            help = f"write it beside `{step.call.name}`: it then reaches the layers inside"
            yield at_step(CODE, SEVERITY, step, message, help, argument="trainable")
