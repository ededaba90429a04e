"""`keras.ops` that take values together along axes, the batch being axis 0: mean, sum, argmax and the like."""

from kbuild.plan.shapes.batched import full, one, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, show

_REDUCTIONS = """
    sum mean max min amax amin var std prod any all median logsumexp argmax argmin count_nonzero average norm ptp
    nansum nanmean nanmax nanmin nanvar nanstd nanprod nanmedian nanargmax nanargmin
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


def quantile(given: Given) -> Shapes:
    """As `reduced`; a list of quantiles makes a first axis of their own, in front of the batch."""
    several = given.raw("q")
    if isinstance(several, (list, tuple)):
        if given.args.get("axis") is not None:
            given.axes("axis", None, len(full(given)))
        full(given)
        return (None,)
    return reduced(given)


def integral(given: Given) -> Shapes:
    """`trapezoid`: the shape without `axis`, by default the last."""
    shape = full(given)
    return (_without(shape, given.axes("axis", -1, len(shape)), False),)


def tallied(given: Given) -> Shapes:
    """`histogram` and `corrcoef` take all examples together: no batch."""
    outputs, axes = (1, 2) if given.name.endswith("corrcoef") else (2, 1)
    shape = full(given, outputs=outputs)
    if len(shape) > axes:
        wanted = "one number" if axes == 1 else "one row of numbers"
        raise ShapeMistake(
            f"`{given.name}` takes {wanted} of each example but gets {show(shape[1:])}",
            "it tells of the batch as a whole: use it for a penalty, after `Flatten`",
        )
    return (None,) * outputs


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
    **dict.fromkeys(("cumsum", "cumprod", "nancumsum", "nancumprod"), cumulated),
    **dict.fromkeys(("quantile", "percentile", "nanquantile", "nanpercentile"), quantile),
    "trapezoid": integral,
    **dict.fromkeys(("histogram", "corrcoef"), tallied),
    "moments": moments,
    "top_k": top,
}
