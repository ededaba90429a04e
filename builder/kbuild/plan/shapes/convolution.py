"""Convolutions: Conv, DepthwiseConv, SeparableConv, in 1 to 3 dimensions. → (places, filters)."""

from functools import partial

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import Grid, grid, slid
from kbuild.plan.shapes.mistake import ShapeMistake


def conv(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (rows', columns', filters); see `grid.slid` for rows'."""
    filters, groups = given.whole("filters"), given.whole("groups", 1)
    if filters % groups:
        raise ShapeMistake(
            f"`{given.name}` cannot split {filters} filters into {groups} groups",
            f"make `filters` a multiple of {groups}",
        )
    strides_or_dilation(given, rank)
    window = grid(given, rank)
    if window.channels is not None and window.channels % groups:
        raise ShapeMistake(
            f"`{given.name}` cannot split its {window.channels} input channels into {groups} groups",
            f"`groups` must divide {window.channels}",
        )
    return _slide(given, rank, window, filters, causal=rank == 1)


def separable(given: Given, rank: int) -> Shapes:
    """As `conv`."""
    filters = given.whole("filters")
    given.whole("depth_multiplier", 1)
    return _slide(given, rank, grid(given, rank), filters)


def depthwise(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (rows', columns', channels · depth_multiplier)."""
    multiplier = given.whole("depth_multiplier", 1)
    window = grid(given, rank)
    return _slide(
        given,
        rank,
        window,
        None if window.channels is None else window.channels * multiplier,
    )


def strides_or_dilation(given: Given, rank: int) -> None:
    """Keras takes strides or dilation above 1, not both.

    Raises:
        ShapeMistake: both are.
    """
    strides, dilation = (
        given.sizes("strides", rank, 1),
        given.sizes("dilation_rate", rank, 1),
    )
    if max(strides) > 1 and max(dilation) > 1:
        raise ShapeMistake(
            f"`{given.name}` takes `strides` or `dilation_rate` above 1, not both",
            "set one of them to 1",
        )


def _slide(given: Given, rank: int, window: Grid, filters: int | None, *, causal: bool = False) -> Shapes:
    kernel = given.sizes("kernel_size", rank)
    strides, dilation = (
        given.sizes("strides", rank, 1),
        given.sizes("dilation_rate", rank, 1),
    )
    padding = given.choice("padding", "valid", ("valid", "same", "causal") if causal else ("valid", "same"))
    sizes = slid(given, window.sizes, kernel, strides, padding, dilation)
    return (window.shape(sizes, filters),)


RULES: dict[str, Rule] = {
    **{f"{name}{rank}D": partial(conv, rank=rank) for rank in (1, 2, 3) for name in ("Conv", "Convolution")},
    **{
        f"{name}{rank}D": partial(separable, rank=rank)
        for rank in (1, 2)
        for name in ("SeparableConv", "SeparableConvolution")
    },
    **{f"DepthwiseConv{rank}D": partial(depthwise, rank=rank) for rank in (1, 2)},
}
