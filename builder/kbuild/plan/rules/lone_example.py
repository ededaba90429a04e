"""a last batch of one example before a batch normalization

What it does
    Finds a training part that leaves one example for the last batch, and a `BatchNormalization` over plain features.

Why is this bad?
    The variance of one example is 0: the normalization gives its offset whatever goes in, that step teaches nothing
    in front of it, and the zero goes into the moving average that is used in prediction.

Example
    data: {source: iris, batch_size: 8, split: {validation: 0.1, test: 0.04}}    # 129 = 16 · 8 + 1
    model: [{Dense: 16}, BatchNormalization, ReLU, {Dense: {units: 3, activation: softmax}}]

Use instead
    data: {source: iris, batch_size: 16, split: {validation: 0.1, test: 0.1}}    # 120 = 7 · 16 + 8
    model: [{Dense: 16}, BatchNormalization, ReLU, {Dense: {units: 3, activation: softmax}}]

Source
    Ioffe and Szegedy, arXiv:1502.03167, algorithm 1.
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.rules.run import examples
from kbuild.text.problem import Problem

CODE = "K344"
SEVERITY = "hint"


def find(net: Net) -> Iterator[Problem]:
    """Batches with nothing to compare."""
    count = examples(net)
    if count is None or net.spec is None or net.spec.data is None:
        return
    size = net.spec.data.batch_size
    if count % size != 1 or size == 1 or count == 1:
        return
    for step in net.steps:
        shape = net.output_shape(step)
        if kind(step) == "BatchNormalization" and shape is not None and len(shape) == 1:
            message = (
                f"{count:,} examples in batches of {size} leave a last batch of 1, and `{step.name}` normalizes over it"
            )
            yield at_path(
                CODE, SEVERITY, net.spec, "data.batch_size", message, "choose another `batch_size` or `split`"
            )
            return
