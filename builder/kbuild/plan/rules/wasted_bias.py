"""a bias that the normalization cancels

What it does
    Finds a dense or convolutional layer with a bias whose result goes straight into `BatchNormalization`, and says
    how many numbers the biases are.

Why is this bad?
    `BatchNormalization` subtracts the mean of each channel, and with it any constant that was added to the channel.
    The bias gets no gradient; what it was for is done by the normalization's own `beta`. It costs memory and a little
    time, nothing else.

Example
    - Conv2D: {filters: 64, kernel_size: 3}
    - BatchNormalization
    - ReLU

Use instead
    - Conv2D: {filters: 64, kernel_size: 3, use_bias: false}
    - BatchNormalization
    - ReLU

Source
    Ioffe and Szegedy: Batch normalization, arXiv:1502.03167, section 3.2.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import MAPS, activation, argument, family, kind, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K312"
SEVERITY = "hint"


def find(net: Net) -> Iterator[Problem]:
    """Biases right before a batch normalization of the same axis."""
    for step in net.steps:
        after = net.next(step) if family(step) in MAPS else None
        if after is None or kind(after) != "BatchNormalization" or activation(step) != "linear":
            continue
        shape = net.output_shape(step)
        last = -1 if argument(step, "data_format") != "channels_first" else 1
        axis = argument(after, "axis")
        same = axis == last or (shape is not None and last == -1 and axis == len(shape))
        if argument(step, "use_bias") is True and same:
            count = width(net, step)
            numbers = f"{count:,} numbers" if count else "its numbers"
            message = f"`{after.name}` cancels the bias of `{step.name}`, {numbers} that learn nothing"
            yield at_step(CODE, SEVERITY, step, message, "write `use_bias: false`", argument="use_bias")
