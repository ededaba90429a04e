"""`keras.ops` that slide windows over maps, or fold maps: pooling, unfold, depth_to_space.

The convolutions of `keras.ops` take their kernel as a tensor. A list is none to them, and a tensor of the network has
the batch as its first axis: their shapes are unknown.
"""

from kbuild.plan.shapes.batched import full
from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import grid, slid
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show

_INSTEAD = {
    "conv": "Conv2D",
    "depthwise_conv": "DepthwiseConv2D",
    "separable_conv": "SeparableConv2D",
    "conv_transpose": "Conv2DTranspose",
    "adaptive_max_pool": "AdaptiveMaxPooling2D",
    "adaptive_average_pool": "AdaptiveAveragePooling2D",
}


def pooled(given: Given) -> Shapes:
    """(rows, columns, channels) → (rows', columns', channels), in 1 to 3 dimensions."""
    shape = given.tensor()
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise ShapeMistake(f"`{given.name}` needs a map of 1 to 3 axes and its channels but gets {show(shape)}")
    window = given.sizes("pool_size", rank)
    strides = window if given.args.get("strides") is None else given.sizes("strides", rank)
    padding = given.choice("padding", "valid", ("valid", "same"))
    places = grid(given, rank)
    return (places.shape(slid(given, places.sizes, window, strides, padding, what="window"), places.channels),)


def convolved(given: Given) -> Shapes:
    """Unknown: the kernel's sizes are those of a tensor that is no layer's."""
    for name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
        if isinstance(given.args.get(name), (list, tuple)):
            raise ShapeMistake(f"`{name}` of `{given.name}` must be a tensor, not a list", _layer(given), name)
    raise UnknownShape


def adaptive(given: Given) -> Shapes:
    """Keras takes a tuple here and nothing else, which no spec can write."""
    given.raw("output_size")
    raise ShapeMistake(f"`{given.name}` takes its `output_size` from Python alone", _layer(given), "output_size")


def unfolded(given: Given) -> Shapes:
    """(channels, rows, columns) → (channels · kernel, places)."""
    kernel, dilation = given.sizes("kernel_size", 2), given.sizes("dilation", 2, 1)
    padding, stride = given.sizes("padding", 2, 0, least=0), given.sizes("stride", 2, 1)
    shape = given.tensor()
    given.rank(shape, ("channels", "rows", "columns"))
    channels, *sizes = shape
    if channels is None or None in sizes:
        raise UnknownShape
    framed = tuple(size + 2 * p for size, p in zip(sizes, padding, strict=True) if size is not None)
    rows, columns = slid(given, framed, kernel, stride, "valid", dilation)
    return ((channels * kernel[0] * kernel[1], (rows or 0) * (columns or 0)),)


def folded(given: Given) -> Shapes:
    """(channels · kernel, places) → (channels, *output_size)."""
    out, kernel = given.sizes("output_size", 2), given.sizes("kernel_size", 2)
    dilation, stride = given.sizes("dilation", 2, 1), given.sizes("stride", 2, 1)
    framed = tuple(size + 2 * p for size, p in zip(out, given.sizes("padding", 2, 0, least=0), strict=True))
    shape = given.tensor()
    given.rank(shape, ("channels · kernel", "places"))
    values, area = shape[0], kernel[0] * kernel[1]
    if values is not None and values % area:
        raise ShapeMistake(
            f"`{given.name}` cannot share {values} values among a kernel of {kernel[0]} * {kernel[1]} = {area}",
            f"the first size must be a multiple of {area}",
        )
    rows, columns = slid(given, framed, kernel, stride, "valid", dilation)
    wanted = (rows or 0) * (columns or 0)
    if shape[1] not in (wanted, None):
        raise ShapeMistake(
            f"`{given.name}` needs {rows} * {columns} = {wanted} places for {show(out)} but gets {shape[1]}",
            "give it the arguments that `ops.unfold` had",
        )
    return ((None if values is None else values // area, *out),)


def to_space(given: Given) -> Shapes:
    """(rows, columns, b²·channels) → (b·rows, b·columns, channels)."""
    block = given.whole("block_size", least=2)
    places = grid(given, 2)
    if places.channels is not None and places.channels % block**2:
        raise ShapeMistake(
            f"`{given.name}` cannot share {places.channels} channels among {block} * {block} = {block**2} places",
            f"the channels must be a multiple of {block**2}",
        )
    channels = None if places.channels is None else places.channels // block**2
    return (places.shape([None if n is None else n * block for n in places.sizes], channels),)


def to_depth(given: Given) -> Shapes:
    """(b·rows, b·columns, channels) → (rows, columns, b²·channels)."""
    block = given.whole("block_size", least=2)
    places = grid(given, 2)
    if any(n is not None and n % block for n in places.sizes):
        raise ShapeMistake(
            f"`{given.name}` cannot cut the map {show(places.sizes)} into blocks of {block}",
            f"rows and columns must be multiples of {block}: pad or resize them first",
        )
    channels = None if places.channels is None else places.channels * block**2
    return (places.shape([None if n is None else n // block for n in places.sizes], channels),)


def _layer(given: Given) -> str:
    named = _INSTEAD[given.name.removeprefix("ops.")]
    rank = max(1, min(3, len(full(given)) - 2)) if given.inputs and isinstance(given.inputs[0], tuple) else 2
    return f"use the layer `{named.replace('2D', f'{rank}D')}`"


RULES: dict[str, Rule] = {
    **dict.fromkeys(("max_pool", "average_pool"), pooled),
    **dict.fromkeys(("conv", "depthwise_conv", "separable_conv", "conv_transpose"), convolved),
    **dict.fromkeys(("adaptive_max_pool", "adaptive_average_pool"), adaptive),
    "unfold": unfolded,
    "fold": folded,
    "depth_to_space": to_space,
    "space_to_depth": to_depth,
}
