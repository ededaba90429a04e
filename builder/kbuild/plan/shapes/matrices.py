"""`keras.ops` of linear algebra: matrices are the last two axes of a tensor, the batch stands in front of them."""

from functools import partial

from kbuild.plan.shapes.batched import full, one, operand, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, show


def like(given: Given) -> Shapes:
    """Of a square matrix one of the same shape: its inverse, its Cholesky factor."""
    return one(_square(given))


def number(given: Given) -> Shapes:
    """One number for each matrix: determinant."""
    return one(_square(given)[:-2])


def sign_and_number(given: Given) -> Shapes:
    """`slogdet`: the sign and the logarithm, each one number for a matrix. Keras declares a sign for all: unknown."""
    out = unbatched(_square(given, 2)[:-2])
    return (out, out)


def rank(given: Given) -> Shapes:
    """One number for each matrix, square or not."""
    shape = full(given)
    return one(shape[:-2]) if len(shape) > 2 else (None,)


def eigen(given: Given) -> Shapes:
    """The eigenvalues (…, n) and the eigenvectors (…, n, n)."""
    shape = _square(given, 2)
    return (unbatched(shape[:-1]), unbatched(shape))


def singular(given: Given) -> Shapes:
    """`svd` of (…, m, n): (…, m, m), (…, min(m, n)), (…, n, n); the values alone with `compute_uv: false`."""
    values_only = given.args.get("compute_uv") is False
    *lead, rows, columns = _matrix(given, 1 if values_only else 3)
    least = min(rows, columns)
    if values_only:
        return one([*lead, least])
    left, right = (rows, columns) if given.args.get("full_matrices", True) else (least, least)
    return (unbatched([*lead, rows, left]), unbatched([*lead, least]), unbatched([*lead, right, columns]))


def triangular(given: Given) -> Shapes:
    """`qr` of (…, m, n): (…, m, k) and (…, k, n); k is min(m, n), or m with `mode: complete`."""
    complete = given.choice("mode", "reduced", ("reduced", "complete")) == "complete"
    *lead, rows, columns = _matrix(given, 2)
    inner = rows if complete else min(rows, columns)
    return (unbatched([*lead, rows, inner]), unbatched([*lead, inner, columns]))


def factors(given: Given) -> Shapes:
    """`lu_factor` of (…, m, n): (…, m, n) and the pivots (…, min(m, n))."""
    *lead, rows, columns = _matrix(given, 2)
    return (unbatched([*lead, rows, columns]), unbatched([*lead, min(rows, columns)]))


def inverted(given: Given) -> Shapes:
    """`pinv` of (…, m, n): (…, n, m)."""
    shape = full(given)
    return one([*shape[:-2], shape[-1], shape[-2]]) if len(shape) > 2 else (None,)


def solved(given: Given, first: str, second: str) -> Shapes:
    """(…, n, n) and (…, n, m) → (…, n, m); a tensor with one axis less stands for vectors (…, n)."""
    left = _square(given)
    right, tensor = operand(given, 1, second)
    if not tensor:
        raise ShapeMistake(f"`{second}` of `{given.name}` must be a tensor", "name it: `from: [a, b]`", second)
    if len(right) not in (len(left), len(left) - 1):
        raise ShapeMistake(
            f"`{given.name}` needs `{second}` with as many axes as `{first}` or one less, "
            f"but gets {show(left[1:])} and {show(right[1:])}",
            "bring them to the same number of axes with `Reshape`",
        )
    size = right[-2] if len(right) == len(left) else right[-1]
    if size != left[-1]:
        raise ShapeMistake(
            f"`{given.name}` needs {left[-1]} rows in `{second}` for the {show(left[1:])} of `{first}`, "
            f"but gets {show(right[1:])}",
            "swap the axes of one with `ops.swapaxes`",
        )
    return one(right)


def nearest(given: Given) -> Shapes:
    """`lstsq` takes one matrix, whose rows would be the examples: the result has no batch."""
    shape = full(given)
    if len(shape) != 2:
        raise ShapeMistake(
            f"`{given.name}` takes one matrix and no batch of them, but gets {show(shape)}, the batch included",
            "use `ops.solve` or `ops.pinv`, which take a batch",
        )
    return (None,)


def diagonal(given: Given) -> Shapes:
    """(…, m, n) → (…, k) for `diagonal`, (…) for `trace`; by default of the axes 0 and 1, the batch among them."""
    shape = full(given)
    axes = (given.axis("axis1", 0, len(shape)), given.axis("axis2", 1, len(shape)))
    offset = given.whole("offset", 0, least=None)
    if axes[0] == axes[1]:
        raise given.wrong("axis2", "another axis than `axis1`", given.raw("axis2", 1))
    rest = [size for axis, size in enumerate(shape) if axis not in axes]
    if 0 in axes:
        return (None,)
    if given.name.endswith("trace"):
        return one(rest)
    rows, columns = shape[axes[0]], shape[axes[1]]
    if rows is None or columns is None:
        return one([*rest, None])
    left = columns - offset if offset > 0 else rows + offset
    return one([*rest, max(0, min(left, rows, columns))])


def on_a_diagonal(given: Given) -> Shapes:
    """`diag` and `diagflat` make one matrix of all values: the result has no batch."""
    shape = full(given)
    if given.name.endswith("diag") and len(shape) > 2:
        raise ShapeMistake(
            f"`{given.name}` takes at most 2 axes but gets {show(shape)}, the batch included",
            "the diagonals of a batch of matrices gives `ops.diagonal: {axis1: 1, axis2: 2}`",
        )
    return (None,)


def _square(given: Given, outputs: int = 1) -> Known:
    shape = full(given, outputs=outputs)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeMistake(
            f"`{given.name}` needs square matrices (n, n) but gets {show(shape[1:])}",
            "the last two axes must be equal",
        )
    return shape


def _matrix(given: Given, outputs: int) -> tuple[int, ...]:
    shape = full(given, outputs=outputs)
    rows, columns = shape[-2:] if len(shape) > 2 else (None, None)
    if rows is None or columns is None:
        raise ShapeMistake(
            f"`{given.name}` needs matrices (m, n) of known sizes but gets {show(shape[1:])}",
            "put a `Reshape` in front of it",
        )
    return (*shape[:-2], rows, columns)  # type: ignore[return-value]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("inv", "cholesky", "cholesky_inverse"), like),
    **dict.fromkeys(("det", "logdet"), number),
    "slogdet": sign_and_number,
    "matrix_rank": rank,
    **dict.fromkeys(("eig", "eigh"), eigen),
    "svd": singular,
    "qr": triangular,
    "lu_factor": factors,
    "pinv": inverted,
    **dict.fromkeys(("solve", "solve_triangular"), partial(solved, first="a", second="b")),
    "lstsq": nearest,
    **dict.fromkeys(("diagonal", "trace"), diagonal),
    **dict.fromkeys(("diag", "diagflat"), on_a_diagonal),
}
