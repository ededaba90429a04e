"""`keras.ops` that rearrange axes, the batch being axis 0: reshape, transpose, expand_dims, pad and the like."""

from kbuild.plan.shapes.batched import full, one
from kbuild.plan.shapes.given import Given, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show
from kbuild.plan.shapes.reshape import rearranged


def expand_dims(given: Given) -> Shapes:
    """A size of 1 at each `axis`, counted in the result."""
    shape = full(given)
    value = given.raw("axis")
    count = len(value) if isinstance(value, (list, tuple)) else 1
    new = given.axes("axis", None, len(shape) + count)
    rest = iter(shape)
    out = [1 if axis in new else next(rest, None) for axis in range(len(shape) + len(set(new)))]
    return one(out, None if 0 in new else 0)


def squeeze(given: Given) -> Shapes:
    """Without `axis`, which must have size 1; by default without all such."""
    shape = full(given)
    if given.args.get("axis") is None:
        return one([size for size in shape if size != 1])
    gone = given.axes("axis", None, len(shape))
    for axis in gone:
        if shape[axis] != 1 and (axis == 0 or shape[axis] is not None):
            what = "the batch" if axis == 0 else f"of size {shape[axis]}"
            raise ShapeMistake(
                f"`ops.squeeze` cannot drop axis {axis} of {show(shape)}: it is {what}",
                "only axes of size 1 can go; axis 0 is the batch",
            )
    return one([size for axis, size in enumerate(shape) if axis not in gone])


def reshape(given: Given) -> Shapes:
    """→ `newshape`, the batch included: `[-1, …]`. With a fixed first size there is no batch in front any more."""
    target = given.raw("newshape")
    items = tuple(target) if isinstance(target, (list, tuple)) else (target,)
    shape = rearranged(given, "newshape", full(given), items)
    return one(shape, 0 if items[:1] == (-1,) else None)


def transpose(given: Given) -> Shapes:
    """The axes in the order of `axes`, by default reversed. Where the batch does not stay first, unknown."""
    shape = full(given)
    if given.args.get("axes") is None:
        return one(shape[::-1], len(shape) - 1)
    order = given.axes("axes", None, len(shape))
    if sorted(order) != list(range(len(shape))):
        raise ShapeMistake(
            f"`axes` of `ops.transpose` must name each axis of {show(shape)} once, not {list(order)}",
            "axis 0 is the batch and mostly stays first",
        )
    return one([shape[axis] for axis in order], order.index(0))


def moveaxis(given: Given) -> Shapes:
    """Axes `source` to the places `destination`, the others in their order."""
    shape = full(given)
    sources, places = (given.axes(arg, None, len(shape)) for arg in ("source", "destination"))
    if len(sources) != len(places) or len(set(sources)) < len(sources) or len(set(places)) < len(places):
        raise given.wrong("destination", "as many different axes as `source`", list(places))
    order = [axis for axis in range(len(shape)) if axis not in sources]
    for place, source in sorted(zip(places, sources, strict=True)):
        order.insert(place, source)
    return one([shape[axis] for axis in order], order.index(0))


def swapaxes(given: Given) -> Shapes:
    """`axis1` and `axis2` exchanged."""
    shape = full(given)
    a, b = (given.axis(arg, None, len(shape)) for arg in ("axis1", "axis2"))
    order = list(range(len(shape)))
    order[a], order[b] = order[b], order[a]
    return one([shape[axis] for axis in order], order.index(0))


def repeat(given: Given) -> Shapes:
    """`axis` times `repeats`, or the sum of a list of them; without an axis all is one row: unknown."""
    shape = full(given)
    value = given.raw("repeats")
    times = numbers(value, 0)
    if not times:
        raise given.wrong("repeats", "a whole number or a list of them", value)
    if given.args.get("axis") is None:
        return (None,)
    axis = given.axis("axis", None, len(shape))
    size = shape[axis]
    if size is None:
        return one(shape)
    if len(times) not in (1, size):
        raise ShapeMistake(
            f"`repeats` of `ops.repeat` has {len(times)} numbers for the {size} places of axis {axis}",
            f"give one number, or {size}",
        )
    out = size * times[0] if len(times) == 1 else sum(times)
    return one([*shape[:axis], out, *shape[axis + 1 :]])


def tile(given: Given) -> Shapes:
    """Each axis times its number; a shorter list is for the last axes."""
    shape = list(full(given))
    value = given.raw("repeats")
    times = numbers(value, 0)
    if times is None:
        raise given.wrong("repeats", "a whole number or a list of them", value)
    if len(times) > len(shape):
        return (None,)
    times = (1,) * (len(shape) - len(times)) + times
    return one([None if size is None else size * n for size, n in zip(shape, times, strict=True)])


def pad(given: Given) -> Shapes:
    """Each axis with what is added at its ends; the batch needs [0, 0]."""
    shape = full(given)
    pairs = _pairs(given, given.raw("pad_width"))
    pairs = pairs * len(shape) if len(pairs) == 1 else pairs
    if len(pairs) != len(shape):
        raise ShapeMistake(
            f"`pad_width` of `ops.pad` has {len(pairs)} pairs for the {len(shape)} axes of {show(shape)}",
            "give one pair for each axis, the batch first: [0, 0]",
        )
    return one([None if size is None else size + sum(pair) for size, pair in zip(shape, pairs, strict=True)])


def turned(given: Given) -> Shapes:
    """`rot90`: the two `axes` exchanged if `k` is odd; by default 0, the batch, and 1."""
    shape = list(full(given))
    axes = given.axes("axes", [0, 1], len(shape))
    if len(axes) != 2 or axes[0] == axes[1]:
        raise given.wrong("axes", "two different axes", given.raw("axes", [0, 1]))
    if given.whole("k", 1, least=None) % 2:
        a, b = axes
        shape[a], shape[b] = shape[b], shape[a]
    return (None,) if 0 in axes else one(shape)


def flipped(given: Given) -> Shapes:
    """The operand's shape. Without an axis the examples are reversed too, which mixes them up with their labels."""
    shape = full(given)
    if given.args.get("axis") is None:
        raise mixes(given, len(shape))
    given.axes("axis", None, len(shape))
    return one(shape)


def mirrored(given: Given) -> Shapes:
    """`fliplr`: the operand's shape, axis 1 reversed. `flipud` would reverse the examples."""
    shape = full(given)
    if given.name.endswith("flipud"):
        raise ShapeMistake(
            f"`{given.name}` reverses axis 0, the batch: examples would no longer match their labels",
            "write `ops.flip: {axis: 1}` for the first axis after it",
        )
    if len(shape) < 2:
        raise ShapeMistake(f"`{given.name}` needs an axis after the batch but gets single numbers")
    return one(shape)


def mixes(given: Given, rank: int) -> ShapeMistake:
    """The mistake that examples change places, as no `axis` says otherwise."""
    inner = f"axes 1 to {rank - 1} are those of an example" if rank > 2 else "axis 0 is the batch"
    return ShapeMistake(
        f"`{given.name}` without `axis` takes all axes, the batch included: "
        "examples would no longer match their labels",
        f"write `axis: 1` or another; {inner}",
    )


def patterned(given: Given) -> Shapes:
    """Keras cannot trace `rearrange` where a size is unknown, and the batch is."""
    given.raw("pattern")
    full(given)
    raise ShapeMistake(
        f"`{given.name}` cannot stand in a network: Keras needs all sizes for it, and that of the batch is not known",
        "use `Reshape`, `Permute` or `ops.transpose`",
    )


def complex_view(given: Given) -> Shapes:
    """`view_as_complex`: (…, 2) → (…)."""
    shape = full(given)
    if shape[-1] not in (2, None) or len(shape) < 2:
        raise ShapeMistake(
            f"`{given.name}` needs a last axis of 2, the real and the imaginary part, but gets {show(shape[1:])}"
        )
    return one(shape[:-1])


def real_view(given: Given) -> Shapes:
    """`view_as_real`: (…) → (…, 2)."""
    return one((*full(given), 2))


def viewed(given: Given) -> Shapes:
    """The operand's shape; with a `dtype` of another width the last size changes: unknown."""
    shape = full(given)
    if given.args.get("dtype") is not None:
        raise UnknownShape
    return one(shape)


def row(given: Given) -> Shapes:
    """`ravel` makes one row of all values, those of all examples."""
    full(given)
    return (None,)


def halved(given: Given) -> Shapes:
    """`glu`: half of `axis`, by default the last, gates the other half."""
    shape = full(given)
    axis = given.axis("axis", -1, len(shape))
    size = shape[axis]
    if size is not None and size % 2:
        raise ShapeMistake(
            f"`{given.name}` cannot halve axis {axis} of {show(shape)}, the batch included: {size} is odd",
            "give it an even number of features",
        )
    return one([*shape[:axis], None if size is None else size // 2, *shape[axis + 1 :]], None if axis == 0 else 0)


def differences(given: Given) -> Shapes:
    """`axis`, by default the last, shorter by `n`."""
    count = given.whole("n", 1, least=0)
    shape = full(given)
    axis = given.axis("axis", -1, len(shape))
    size = shape[axis]
    return one([*shape[:axis], None if size is None else max(0, size - count), *shape[axis + 1 :]])


def _pairs(given: Given, value: object) -> list[tuple[int, int]]:
    items = value if isinstance(value, (list, tuple)) else [value]
    if numbers(items):
        items = [value]
    pairs = []
    for item in items:
        pair = numbers(item)
        if pair is None or len(pair) not in (1, 2):
            raise given.wrong("pad_width", "a whole number, [before, after], or such a pair for each axis", value)
        pairs.append((pair[0], pair[-1]))
    return pairs


RULES: dict[str, Rule] = {
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "reshape": reshape,
    "transpose": transpose,
    "moveaxis": moveaxis,
    "swapaxes": swapaxes,
    "repeat": repeat,
    "tile": tile,
    "pad": pad,
    "rot90": turned,
    **dict.fromkeys(("flip", "roll"), flipped),
    **dict.fromkeys(("fliplr", "flipud"), mirrored),
    "rearrange": patterned,
    "view": viewed,
    "view_as_complex": complex_view,
    "view_as_real": real_view,
    "ravel": row,
    "glu": halved,
    "diff": differences,
}
