"""EinsumDense: the sizes of the letters of its equation."""

import math

from kbuild.plan.cost.activation import activated
from kbuild.plan.cost.dense import matrix
from kbuild.plan.cost.use import Rule, Use, Weights, Work, rule, size
from kbuild.plan.shapes.mistake import UnknownShape


def kernel(use: Use) -> tuple[int, ...]:
    """A size for each letter of the second operand."""
    _, weights, _, sizes, _ = _letters(use)
    return tuple(size(sizes[letter]) for letter in weights)


def weights(use: Use) -> Weights:
    """Kernel, and a bias over `bias_axes`."""
    axes = use.args.get("bias_axes")
    *_, sizes, _ = _letters(use)
    # an empty text asks for a bias of one number
    bias = 0 if axes is None else math.prod(size(sizes.get(letter)) for letter in str(axes))
    return matrix(use, bias, kernel(use))


def work(use: Use) -> Work:
    """Two operations for each combination of letters, 1 for the bias of each number."""
    _, _, result, sizes, rest = _letters(use)
    more = math.prod(size(n) for n in rest)
    products = math.prod(size(n) for n in sizes.values()) * more
    out = math.prod(size(sizes[letter]) for letter in result) * more
    return 2 * products + out * (use.args.get("bias_axes") is not None), out


def _letters(use: Use) -> tuple[str, str, str, dict[str, int | None], tuple[int | None, ...]]:
    """The letters of both operands and of the result, the size of each, and the sizes that `...` stands for.

    The batch counts as 1.
    """
    left, _, result = str(use.given.raw("equation")).replace(" ", "").partition("->")
    inputs, _, kernel = left.partition(",")
    taken = (1, *use.given.tensor())
    if not use.outputs or use.outputs[0] is None:
        raise UnknownShape
    given = (1, *use.outputs[0])
    sizes: dict[str, int | None] = {}
    rest: tuple[int | None, ...] = ()
    for text, shape in ((result, given), (inputs, taken)):
        letters = text.replace(".", "")
        more = len(shape) - len(letters)
        first = text.startswith(".")
        rest = shape[:more] if first else shape[len(letters) :]
        named = shape[more:] if first else shape[: len(letters)]
        sizes |= {a: n for a, n in zip(letters, named, strict=True) if n is not None or a not in sizes}
    return inputs.replace(".", ""), kernel, result.replace(".", ""), sizes, rest


RULES: dict[str, Rule] = {"EinsumDense": activated(rule(work, weights))}
