"""`keras.ops`: no weights. Functions that are not here have unknown operations."""

import math
from functools import partial

from kbuild.plan.cost.activation import SOFTMAX, in_place
from kbuild.plan.cost.arrange import view
from kbuild.plan.cost.merge import copied
from kbuild.plan.cost.own import elementwise
from kbuild.plan.cost.use import Rule, Use, Work, known, last, numbers, rule, size
from kbuild.plan.shapes import elementwise as named
from kbuild.plan.shapes.mistake import UnknownShape


def reduced(use: Use, flops: int = 1) -> Work:
    """So many operations for each number that goes in."""
    return flops * numbers(use.given.tensor()), use.numbers()


def ordered(use: Use) -> Work:
    """n·log₂(n) comparisons along the axis."""
    shape = use.given.tensor()
    axis = use.given.axes("axis", -1, len(shape) + 1)[0]
    if axis == 0:
        raise UnknownShape
    return numbers(shape) * (size(shape[axis - 1]) - 1).bit_length(), use.numbers()


def matmul(use: Use) -> Work:
    """2·size of the axis that is summed over, for each number."""
    out = use.numbers()
    return out * 2 * last(use.given.tensor(0, "x1")), out


def einsum(use: Use) -> Work:
    """For each combination of letters as many operations as there are operands, all multiplied at once; batch 1."""
    text = str(use.given.raw("subscripts")).replace(" ", "").partition("->")[0]
    items = use.given.inputs[0] if len(use.given.inputs) == 1 else use.given.inputs
    operands = items if isinstance(items, list) else list(use.given.inputs)
    sizes: dict[str, int] = {}
    for letters, shape in zip(text.split(","), operands, strict=False):
        full = (1, *shape) if isinstance(shape, tuple) else ()
        if len(full) != len(letters) or "." in letters:
            raise UnknownShape
        for letter, n in zip(letters, full, strict=True):
            sizes[letter] = max(size(n), sizes.get(letter, 1))
    return math.prod(sizes.values()) * len(operands), use.numbers()


def attention(use: Use) -> Work:
    """`dot_product_attention` of query (T, heads, d) with key and value (S, heads, d)."""
    query, key = known(use.given.tensor(0, "query")), known(use.given.tensor(1, "key"))
    out = use.numbers()
    pairs = query[0] * key[0] * query[1]
    return math.prod(query) + pairs * (2 * query[2] + SOFTMAX) + 2 * out * key[0], pairs + out


def pooled(use: Use) -> Work:
    """As many operations as the window has places, for each number that comes out."""
    rank = len(use.given.tensor()) - 1
    out = use.numbers()
    return out * math.prod(use.given.sizes("pool_size", rank)), out


def parts(use: Use) -> Work:
    """Several outputs, none of them computed."""
    if not use.outputs:
        raise UnknownShape
    return 0, sum(numbers(shape) for shape in use.outputs)


_VIEWS = """
    reshape squeeze expand_dims stop_gradient cast copy zeros_like ones_like full_like ravel view view_as_complex
    view_as_real
"""
_COPIES = """
    transpose moveaxis swapaxes flip fliplr flipud roll rot90 repeat tile pad take take_along_axis one_hot multi_hot
    concatenate append stack hstack vstack dstack where tril triu diag diagflat diagonal real imag get_item slice
    slice_update scatter scatter_update select broadcast_to depth_to_space space_to_depth rearrange fold unfold
    extract_sequences
"""
_IN_PLACE = "relu relu6 leaky_relu elu selu sigmoid hard_sigmoid tanh exp"
_SUMS = """
    sum mean max min amax amin prod any all logsumexp argmax argmin count_nonzero average norm ptp nansum nanmean
    nanmax nanmin nanprod nanargmax nanargmin cumsum cumprod nancumsum nancumprod top_k trace segment_sum segment_max
    segment_min segment_prod
"""
_SPLITS = "split array_split hsplit vsplit dsplit unstack"
_TWICE = "glu batch_normalization"

RULES: dict[str, Rule] = {
    **{name: rule(elementwise) for name, found in named.RULES.items() if found in (named.unary, named.binary)},
    **dict.fromkeys(_VIEWS.split(), rule(view)),
    **dict.fromkeys(_COPIES.split(), rule(copied)),
    **dict.fromkeys(_IN_PLACE.split(), rule(in_place)),
    **dict.fromkeys(("softmax", "log_softmax"), rule(partial(in_place, flops=SOFTMAX))),
    **dict.fromkeys(_SUMS.split(), rule(reduced)),
    **dict.fromkeys(("var", "std", "nanvar", "nanstd", "moments"), rule(partial(reduced, flops=4))),
    **dict.fromkeys(("normalize", "rms_normalization"), rule(partial(elementwise, flops=3))),
    "layer_normalization": rule(partial(elementwise, flops=5)),
    **dict.fromkeys(("outer", "kron", "diff"), rule(elementwise)),
    **dict.fromkeys(_TWICE.split(), rule(partial(elementwise, flops=2))),
    **dict.fromkeys(("max_pool", "average_pool"), rule(pooled)),
    **dict.fromkeys(("adaptive_max_pool", "adaptive_average_pool"), rule(reduced)),
    **dict.fromkeys(("sort", "argsort", "median"), rule(ordered)),
    **dict.fromkeys(_SPLITS.split(), rule(parts)),
    "matmul": rule(matmul),
    "einsum": rule(einsum),
    "dot_product_attention": rule(attention),
}
