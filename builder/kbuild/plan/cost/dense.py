"""Dense and embeddings: matrices of weights."""

import math

from kbuild.plan.cost.activation import activated
from kbuild.plan.cost.use import Rule, Use, Weights, Work, last, rule


def matrix(use: Use, bias: int, kernel: tuple[int, ...]) -> Weights:
    """A kernel and a bias; with `lora_rank` r the kernel is frozen, and two matrices of rank r are learned."""
    rank = use.args.get("lora_rank")
    if isinstance(rank, int) and rank > 0:
        return math.prod(kernel[:-1]) * rank + rank * kernel[-1] + bias, math.prod(kernel)
    return math.prod(kernel) + bias, 0


def kernel(use: Use) -> tuple[int, ...]:
    """(features, units)."""
    return (last(use.given.tensor()), use.given.whole("units"))


def dense_weights(use: Use) -> Weights:
    """Kernel and bias."""
    shape = kernel(use)
    return matrix(use, shape[-1] * use.asks("use_bias"), shape)


def dense_work(use: Use) -> Work:
    """2·features for each number that comes out, 1 for its bias."""
    out = use.numbers()
    return out * (2 * kernel(use)[0] + use.asks("use_bias")), out


def entries(use: Use) -> tuple[int, ...]:
    """(input_dim, output_dim)."""
    return (use.given.whole("input_dim"), use.given.whole("output_dim"))


def embedding_weights(use: Use) -> Weights:
    """A vector for each entry."""
    return matrix(use, 0, entries(use))


def embedding_work(use: Use) -> Work:
    """To look a vector up takes no operation."""
    return 0, use.kept()


def reversible_weights(use: Use) -> Weights:
    """As `Embedding`; without `tie_weights` a second matrix for the way back."""
    learned, fixed = embedding_weights(use)
    return learned + (0 if use.asks("tie_weights") else math.prod(entries(use))), fixed


def reversible_work(use: Use) -> Work:
    """`reverse` is a product with the matrix, 2·output_dim for each number; a soft cap divides, bends, multiplies."""
    if not use.given.flag("reverse"):
        return embedding_work(use)
    out = use.numbers()
    return out * (2 * entries(use)[1] + (3 if use.args.get("logit_soft_cap") is not None else 0)), out


RULES: dict[str, Rule] = {
    "Dense": activated(rule(dense_work, dense_weights)),
    "Embedding": rule(embedding_work, embedding_weights),
    "ReversibleEmbedding": rule(reversible_work, reversible_weights),
}
