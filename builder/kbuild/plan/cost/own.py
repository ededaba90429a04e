"""kbuild's own layers."""

from functools import partial

from kbuild.plan.cost.arrange import view
from kbuild.plan.cost.keep import twice
from kbuild.plan.cost.use import Rule, Use, Weights, Work, last, rule


def elementwise(use: Use, flops: int = 1) -> Work:
    """So many operations for each number that comes out."""
    out = use.numbers()
    return flops * out, out


def places(use: Use) -> Weights:
    """`PositionEmbedding`: a vector for each of `length` places."""
    return use.given.whole("length") * last(use.given.tensor()), 0


def vector(use: Use) -> Weights:
    """One number for each feature."""
    return last(use.given.tensor()), 0


def token(use: Use) -> Work:
    """`ClassToken` copies the sequence behind its vector."""
    return 0, use.kept()


def sampling(use: Use) -> Work:
    """A network that is applied hands on the mean; in training the deviation is kept beside the draw."""
    return 0, twice(use)


def maxout_weights(use: Use) -> Weights:
    """`pieces` matrices and biases."""
    wide = use.given.whole("units") * use.given.whole("pieces", 2)
    return wide * (last(use.given.tensor()) + use.asks("use_bias")), 0


def maxout_work(use: Use) -> Work:
    """`pieces` products for each number, and the largest of them; all are kept."""
    out, pieces = use.numbers(), use.given.whole("pieces", 2)
    each = 2 * last(use.given.tensor()) + use.asks("use_bias") + 1
    return out * pieces * each, out * (pieces + 1)


def scheduled(use: Use) -> Work:
    """In training the output and the mask."""
    return 0, twice(use)


def counter(use: Use) -> Weights:
    """`ScheduledDropout` counts its steps, and keeps how many there are where it is not told beforehand."""
    return 0, 1 if use.args.get("steps") is not None else 2


def depth(use: Use) -> Work:
    """`StochasticDepth`: in training the output; its mask is one number."""
    return 0, 0 if use.args.get("rate") == 0 else use.kept()


RULES: dict[str, Rule] = {
    "PositionEmbedding": rule(elementwise, places),
    "SinePositionEncoding": rule(elementwise),
    "ClassToken": rule(token, vector),
    "LayerScale": rule(elementwise, vector),
    "Sampling": rule(sampling),
    "AddLoss": rule(view),
    "Maxout": rule(maxout_work, maxout_weights),
    "ScheduledDropout": rule(scheduled, counter),
    "StochasticDepth": rule(depth),
    "ApplicationPreprocessing": rule(partial(elementwise, flops=2)),
}
