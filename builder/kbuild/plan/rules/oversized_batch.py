"""a batch larger than the data

What it does
    Compares `data.batch_size` with the number of examples that the split leaves to train on.

Why is this bad?
    Every epoch is a single step with all examples, which are fewer than the batch size says: the run takes as many
    steps as it has epochs, and a learning rate or schedule chosen for that batch size is meant for another run.

Example
    data: {source: iris, batch_size: 512}

Use instead
    data: {source: iris, batch_size: 16}

Source
    Bengio: Practical recommendations for gradient-based training of deep architectures (2012), arXiv:1206.5533,
    section 3.1.1.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.rules.run import examples
from kbuild.text.problem import Problem

CODE = "K332"
SEVERITY = "warning"


def find(net: Net) -> Iterator[Problem]:
    """Batches that never fill."""
    count = examples(net)
    if count is None or count < 1 or net.spec is None or net.spec.data is None or net.spec.data.batch_size <= count:
        return
    size = net.spec.data.batch_size
    message = f"a batch holds {size:,} examples and there are {count:,} to train on: an epoch is one step"
    help = f"write `batch_size: {_usual(count)}`, which makes {-(-count // _usual(count))} steps an epoch"
    yield at_path(CODE, SEVERITY, net.spec, "data.batch_size", message, help)


def _usual(count: int) -> int:
    """Keras's 32, or less where that leaves fewer than four steps: a power of 2."""
    return max(1, min(32, 1 << max(0, (count // 4).bit_length() - 1)))
