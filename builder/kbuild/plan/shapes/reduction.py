"""`keras.ops` that take values together along axes, the batch being axis 0: mean, sum, argmax and the like."""

from kbuild.plan.shapes.batched import full, one, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake

_REDUCTIONS = """
    sum mean max min amax amin var std prod any all median logsumexp argmax argmin count_nonzero average norm ptp
    nansum nanmean nanmax nanmin nanvar nanstd nanprod
"""


def reduced(given: Given) -> Shapes:
    """The shape without `axis`, or 1 there with `keepdims`; over the batch, or over all, unknown."""
    shape = full(given)
    if given.args.get("axis") is None:
        return (None,)
    gone = given.axes("axis", None, len(shape))
    return (_without(shape, gone, given.flag("keepdims")),)


def moments(given: Given) -> Shapes:
    """Mean and variance, each as `reduced`, over `axes`."""
    shape = full(given, outputs=2)
    out = _without(shape, given.axes("axes", None, len(shape)), given.flag("keepdims"))
    return (out, out)


def cumulated(given: Given) -> Shapes:
    """The operand's shape along `axis`; without it all is one row: unknown."""
    shape = full(given)
    if given.args.get("axis") is None:
        return (None,)
    given.axes("axis", None, len(shape))
    return one(shape)


def top(given: Given) -> Shapes:
    """`top_k`: values and places, k along the last axis."""
    count = given.whole("k")
    shape = full(given, outputs=2)
    size = shape[-1]
    if size is not None and count > size:
        raise ShapeMistake(
            f"`{given.name}` cannot take {count} of {size} values",
            f"write at most {size}",
        )
    out = unbatched((*shape[:-1], count)) if len(shape) > 1 else None
    return (out, out)


def _without(shape: Known, gone: tuple[int, ...], keep: bool) -> Known | None:
    if 0 in gone:
        return None
    if keep:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))[1:]
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)[1:]


RULES: dict[str, Rule] = {
    **dict.fromkeys(_REDUCTIONS.split(), reduced),
    **dict.fromkeys(("cumsum", "cumprod"), cumulated),
    "moments": moments,
    "top_k": top,
}
