"""Net → how long the run is: examples, steps and epochs, as far as the header tells."""

from kbuild.data.parts import sizes
from kbuild.plan.rules.net import Net


def called(net: Net) -> str:
    """What the length of `train` is of: `the run`, or `phase 2`."""
    return "the run" if net.phase is None else f"phase {net.phase + 1}"


def examples(net: Net) -> int | None:
    """Examples to train on, after the split."""
    if net.spec is None or net.spec.data is None or net.header is None:
        return None
    return sizes(net.header.counts, net.spec.data.split)["train"]


def steps(net: Net) -> int | None:
    """Batches in an epoch."""
    count = examples(net)
    if count is None or net.spec is None or net.spec.data is None:
        return None
    return max(1, -(-count // net.spec.data.batch_size))


def epochs_of(duration: str, net: Net) -> float | None:
    """A length of training, `3 epochs`, `10 percent` or `500 steps`, in epochs; None if steps cannot be told."""
    amount, unit = duration.split()
    if unit == "epochs":
        return float(amount)
    if unit == "percent":
        return float(amount) / 100 * (net.spec.train.epochs if net.spec else 0)
    each = steps(net)
    return float(amount) / each if each else None
