"""a batch larger than the data

What it does
    Compares `data.batch_size` with the number of examples that the split leaves to train on. It is a hint where no
    batch size is written and the default of 32 is larger than the data.

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
from kbuild.spec.spec import span_at
from kbuild.text.problem import Problem, Severity

CODE = "K332"
SEVERITY: Severity = "warning"


def find(net: Net) -> Iterator[Problem]:
    """Batches that never fill."""
    count = examples(net)
    if count is None or count < 1 or net.spec is None or net.spec.data is None or net.spec.data.batch_size <= count:
        return
    size = net.spec.data.batch_size
    message = f"a batch holds {size:,} examples and there are {count:,} to train on: an epoch is one step"
    written = span_at(net.spec.node, "data.batch_size") != span_at(net.spec.node, "data")
    help = f"write `batch_size: {_usual(count)}`, which makes {-(-count // _usual(count))} steps an epoch"
    yield at_path(CODE, SEVERITY if written else "hint", net.spec, "data.batch_size", message, help)


def _usual(count: int) -> int:
    """Keras's 32, or less where that leaves fewer than four steps: a power of 2."""
    return max(1, min(32, 1 << max(0, (count // 4).bit_length() - 1)))
