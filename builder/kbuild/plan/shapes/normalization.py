"""Normalizations: the shape stays; the axes they name must exist and have a size."""

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake


def normalized(given: Given) -> Shapes:
    """The input's shape. `axis` counts the batch as 0; a layer with weights cannot take that one."""
    shape = given.tensor()
    _weighted(given, given.axes("axis", -1, len(shape) + 1))
    return (shape,)


def unit(given: Given) -> Shapes:
    """The input's shape; no weights, so any axis."""
    shape = given.tensor()
    given.axes("axis", -1, len(shape) + 1)
    return (shape,)


def group(given: Given) -> Shapes:
    """The input's shape; `groups` (32; -1 for one each) must divide the size of `axis`."""
    groups = given.whole("groups", 32, least=None)
    shape = given.tensor()
    axis = given.axis("axis", -1, len(shape) + 1)
    _weighted(given, (axis,))
    size = shape[axis - 1]
    if size is not None and groups != -1 and (groups <= 0 or size % groups):
        fitting = [n for n in range(1, size + 1) if size % n == 0 and n <= max(groups, 1)]
        raise ShapeMistake(
            f"`{given.name}` cannot split {size} channels into {groups} groups",
            f"`groups: {fitting[-1]}` would fit: it must divide {size}" if fitting else "it needs at least one channel",
        )
    return (shape,)


def adapted(given: Given) -> Shapes:
    """`Normalization`: the input's shape; `axis` may be null."""
    shape = given.tensor()
    if given.args.get("axis", -1) is not None:
        _weighted(given, given.axes("axis", -1, len(shape) + 1))
    return (shape,)


def _weighted(given: Given, axes: tuple[int, ...]) -> None:
    if 0 in axes:
        raise ShapeMistake(
            f"`{given.name}` cannot have the batch as its `axis`: it has no fixed size",
            "axis 0 is the batch; the features are the last, -1",
        )


RULES: dict[str, Rule] = {
    "BatchNormalization": normalized,
    "LayerNormalization": normalized,
    "RMSNormalization": normalized,
    "UnitNormalization": unit,
    "GroupNormalization": group,
    "Normalization": adapted,
}
