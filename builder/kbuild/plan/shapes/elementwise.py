"""`keras.ops` that work value by value: one operand, or several that broadcast; and matmul."""

from kbuild.plan.shapes.batched import broadcast, full, one, operand
from kbuild.plan.shapes.given import REQUIRED, Given, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show

_UNARY = """
    abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh bitwise_invert bitwise_not cast cbrt ceil celu
    clip conj conjugate copy cos cosh deg2rad elu erf erfc erfinv exp exp2 expm1 fabs floor gelu hard_shrink
    hard_sigmoid hard_silu hard_swish hard_tanh imag isfinite isinf isnan isneginf isposinf leaky_relu log log10
    log1p log2 log_sigmoid logical_not nan_to_num negative ones_like rad2deg real reciprocal relu relu6 round rsqrt
    saturate_cast selu sigmoid sign signbit silu sin sinc sinh soft_shrink softplus softsign sparse_plus
    sparse_sigmoid sqrt square squareplus stop_gradient swish tan tanh tanh_shrink threshold trunc zeros_like
    full_like tril triu empty_like isreal i0 convert_to_tensor
"""
_BINARY = """
    add arctan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor divide divide_no_nan equal
    floor_divide fmax fmin fmod greater greater_equal heaviside hypot isclose left_shift less less_equal logaddexp
    logaddexp2 logical_and logical_or logical_xor maximum minimum mod multiply not_equal power right_shift subtract
    true_divide gcd lcm ldexp nextafter
"""


def unary(given: Given) -> Shapes:
    """The operand's shape."""
    return one(full(given))


def along(given: Given) -> Shapes:
    """The operand's shape; `axis`, by default the last, must exist."""
    shape = full(given)
    if given.args.get("axis", -1) is not None:
        given.axes("axis", -1, len(shape))
    return one(shape)


def binary(given: Given) -> Shapes:
    """Two operands, broadcast. A number or a list may stand for one."""
    return one(broadcast(given, [operand(given, 0, "x1"), operand(given, 1, "x2")]))


def polar(given: Given) -> Shapes:
    """Length and angle, broadcast."""
    return one(broadcast(given, [operand(given, 0, "abs_"), operand(given, 1, "angle")]))


def normalized(given: Given) -> Shapes:
    """The operand's shape; mean and variance are one row for the whole batch, as `ops.mean` over axis 0 gives it."""
    shape = full(given)
    given.axis("axis", REQUIRED, len(shape))
    for position, name in enumerate(("mean", "variance"), start=1):
        literal = given.args.get(name)
        value = literal if literal is not None else given.find(position, name)
        if isinstance(value, (list, tuple)):
            what = "a list" if literal is not None else f"{show(value)} for each example"
            raise ShapeMistake(
                f"`{name}` of `{given.name}` must be a tensor without a batch, not {what}",
                "use the layer `BatchNormalization`, which learns them",
                name,
            )
    return one(shape)


def kronecker(given: Given) -> Shapes:
    """Every example with every other: no batch."""
    operand(given, 0, "x1")
    operand(given, 1, "x2")
    return (None,)


def where(given: Given) -> Shapes:
    """Condition and both choices, broadcast. The condition alone gives places, which depend on the values."""
    if not given.has(1, "x1") and given.args.get("x1") is None:
        raise UnknownShape(None)
    return one(
        broadcast(
            given,
            [operand(given, i, name) for i, name in enumerate(("condition", "x1", "x2"))],
        )
    )


def matmul(given: Given) -> Shapes:
    """(…, n, k) by (…, k, m) → (…, n, m), the batch in front of both; the axes before n and k broadcast."""
    (left, left_tensor), (right, right_tensor) = operand(given, 0, "x1"), operand(given, 1, "x2")
    if not left_tensor or not right_tensor:
        raise ShapeMistake(f"`{given.name}` needs two tensors", "for learned numbers use `Dense` or `EinsumDense`")
    if len(right) < 3:
        raise ShapeMistake(
            f"`{given.name}` would multiply along the batch: its second input is {show(right)}, the batch included",
            "use `Dot`, or give both at least two axes beside the batch",
        )
    columns, rows = left[-1], right[len(right) - 2]
    if None not in (columns, rows) and columns != rows:
        raise ShapeMistake(
            f"`{given.name}` needs the last axis of {show(left[1:])} and the last but one of {show(right[1:])} "
            f"to be equal, but they are {columns} and {rows}",
            "swap the axes of one with `ops.swapaxes`",
        )
    if len(left) < 3:
        return (None,)
    lead = broadcast(given, [(left[:-2], True), (right[:-2], True)])
    return one([*lead, left[len(left) - 2], right[-1]])


RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNARY.split(), unary),
    **dict.fromkeys(_BINARY.split(), binary),
    **dict.fromkeys(
        (
            "softmax",
            "log_softmax",
            "sparsemax",
            "normalize",
            "rms_normalization",
            "sort",
            "argsort",
            "argpartition",
        ),
        along,
    ),
    "layer_normalization": unary,
    "batch_normalization": normalized,
    "polar": polar,
    "kron": kronecker,
    "where": where,
    "matmul": matmul,
}
