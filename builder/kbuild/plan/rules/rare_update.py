"""gradients of more steps than there are

What it does
    Compares `train.accumulate` with the steps of an epoch and of the run, or of each phase.

Why is this bad?
    Weights change after so many steps. With more of them than the run has, they never do: every epoch ends with the
    weights that it began with. With more than an epoch has, most epochs are validated without having changed anything.

Example
    data: {source: iris, batch_size: 32}
    train: {epochs: 10, accumulate: 64}

Use instead
    data: {source: iris, batch_size: 32}
    train: {epochs: 10, accumulate: 2}

Source
    `keras.src.optimizers.base_optimizer`: the accumulated gradients are applied where the number of steps is a multiple
    of `gradient_accumulation_steps`; a new optimizer, which each phase has, begins with none.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.rules.run import called, steps
from kbuild.text.problem import Problem

CODE = "K349"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Updates that never come, or seldom."""
    each = steps(net)
    if net.spec is None or each is None or net.spec.train.accumulate <= each:
        return
    train, path = net.spec.train, "train.accumulate"
    help = f"an epoch has {each} step{'' if each == 1 else 's'}; write a smaller number, or a smaller `data.batch_size`"
    if train.accumulate > each * train.epochs:
        message = f"no weight ever changes: gradients of {train.accumulate:,} steps are awaited, and {called(net)} has "
        yield at_path(CODE, SEVERITY, net.spec, path, f"{message}{each * train.epochs:,}", help)
    else:
        message = f"the weights change every {train.accumulate:,} steps, less than once an epoch"
        yield at_path(CODE, "warning", net.spec, path, message, help)
