"""Transposed convolutions, in 1 to 3 dimensions. → (places, filters)."""

from functools import partial

from kbuild.plan.shapes.convolution import strides_or_dilation
from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import grid
from kbuild.plan.shapes.mistake import ShapeMistake


def transposed(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (rows', columns', filters).

    With the kernel's reach k' = d·(k - 1) + 1 (Keras: `compute_conv_transpose_output_shape`), `same`: n·s, `valid`:
    (n - 1)·s + max(k', s); with an output padding p: (n - 1)·s + k' + p, k' counted modulo 2 for `same`.
    """
    filters = given.whole("filters")
    kernel, strides = given.sizes("kernel_size", rank), given.sizes("strides", rank, 1)
    dilation = given.sizes("dilation_rate", rank, 1)
    padding = given.choice("padding", "valid", ("valid", "same"))
    extra = None if given.args.get("output_padding") is None else given.sizes("output_padding", rank, least=0)
    strides_or_dilation(given, rank)
    if extra and any(p >= s for p, s in zip(extra, strides, strict=True)):
        raise ShapeMistake(
            f"`output_padding` of `{given.name}` must be below its `strides`, not {list(extra)} with {list(strides)}",
            "leave `output_padding` out, or raise `strides`",
        )
    window = grid(given, rank)
    sizes = [
        _size(n, d * (k - 1) + 1, s, padding, p)
        for n, k, s, d, p in zip(window.sizes, kernel, strides, dilation, extra or [None] * rank, strict=True)
    ]
    return (window.shape(sizes, filters),)


def _size(n: int | None, reach: int, stride: int, padding: str, extra: int | None) -> int | None:
    if n is None:
        return None
    if padding == "valid":
        return (n - 1) * stride + (max(reach, stride) if extra is None else reach + extra)
    return n * stride if extra is None else (n - 1) * stride + reach % 2 + extra


RULES: dict[str, Rule] = {
    f"{name}{rank}DTranspose": partial(transposed, rank=rank) for rank in (1, 2, 3) for name in ("Conv", "Convolution")
}
