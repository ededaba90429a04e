"""Merging layers: several tensors to one. Axes count the batch as 0, as in Keras."""

from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, show


def elementwise(given: Given) -> Shapes:
    """Shapes that are equal, or broadcast from the last axis on, to that shape. At least one input, as in Keras."""
    shapes = given.tensors(exactly=2 if given.name == "Subtract" else None)
    out = shapes[0]
    for shape in shapes[1:]:
        out = _pair(given, shapes, out, shape)
    return (out,)


def concatenated(given: Given) -> Shapes:
    """Shapes that are equal but for `axis`, whose sizes add up."""
    shapes = given.tensors()
    rank = len(shapes[0]) + 1
    axis = given.axis("axis", -1, rank)
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeMistake(
            f"`{given.name}` needs inputs with equally many axes but gets {_list(shapes)}",
            "bring them to the same number of axes, with `Flatten`, `Reshape` or a global pooling layer",
        )
    for index, column in enumerate(zip(*shapes, strict=True), start=1):
        sizes = [size for size in dict.fromkeys(column) if size is not None]
        if index != axis and len(sizes) > 1:
            raise ShapeMistake(
                f"`{given.name}` along axis {axis} needs inputs equal in all other axes, but on axis {index} they have "
                f"{sizes[0]} and {sizes[1]}: {_list(shapes)}",
                _same_places(rank - 1) if 0 < axis == rank - 1 else "bring them to equal sizes, or give another `axis`",
            )
    if axis == 0:
        return (shapes[0],)
    sizes = [shape[axis - 1] for shape in shapes]
    joined = None if None in sizes else sum(size for size in sizes if size is not None)
    return ((*shapes[0][: axis - 1], joined, *shapes[0][axis:]),)


def dot(given: Given) -> Shapes:
    """The axes of both, without the batch of the second and without those that are summed over."""
    first, second = given.tensors(exactly=2)
    value = given.raw("axes")
    pair = value if isinstance(value, (list, tuple)) else [value, value]
    if len(pair) != 2:
        raise given.wrong("axes", "a whole number or a list of 2", value)
    axes = []
    for axis, shape in zip(pair, (first, second), strict=True):
        one = Given(given.name, {"axes": axis}, ()).axis("axes", axis, len(shape) + 1)
        if one == 0:
            raise ShapeMistake(
                f"`{given.name}` cannot sum over axis 0, the batch",
                "axes count the batch as 0",
            )
        axes.append(one)
    sizes = first[axes[0] - 1], second[axes[1] - 1]
    if None not in sizes and sizes[0] != sizes[1]:
        raise ShapeMistake(
            f"`{given.name}` sums axis {axes[0]} of {show(first)} with axis {axes[1]} of {show(second)}, "
            f"but they have {sizes[0]} and {sizes[1]} places",
            "axes count the batch as 0; a list gives one for each input",
        )
    rest = first[: axes[0] - 1] + first[axes[0] :] + second[: axes[1] - 1] + second[axes[1] :]
    return (rest or (1,),)


def _pair(given: Given, shapes: list[Known], one: Known, other: Known) -> Known:
    longer, shorter = (other, one) if len(one) < len(other) else (one, other)
    lead = len(longer) - len(shorter)
    out = list(longer[:lead])
    for a, b in zip(longer[lead:], shorter, strict=True):
        if a is None or b is None:
            out.append(None)
        elif a == b or 1 in (a, b):
            out.append(a if b == 1 else b)
        else:
            raise ShapeMistake(
                f"`{given.name}` cannot merge {_list(shapes)}: {a} against {b}",
                _help(given.name, longer, shorter),
            )
    return tuple(out)


def _help(name: str, longer: Known, shorter: Known) -> str:
    if name == "Multiply" and len(shorter) == 1 and longer[-1] is not None:
        return f"give what weighs the channels {longer[-1]} values, one for each"
    if len(longer) != len(shorter):
        return "bring them to the same number of axes, with `Flatten`, `Reshape` or a global pooling layer"
    if longer[:-1] == shorter[:-1]:
        kind = "a `Dense`" if len(longer) < 3 else f"a `Conv{len(longer) - 1}D` of kernel 1"
        return f"bring both to the same size with {kind}, or use `Concatenate`"
    return _same_places(len(longer))


def _same_places(axes: int) -> str:
    """How maps get places alike."""
    if axes not in (2, 3, 4):
        return "bring them to equal sizes first"
    fit = f"`ZeroPadding{axes - 1}D`, `Cropping{axes - 1}D`" + (" or `Resizing`" if axes == 3 else "")
    return f"give both the same `strides` and `padding: same`, or fit one to the other with {fit}"


def _list(shapes: list[Known]) -> str:
    return " and ".join(show(shape) for shape in shapes)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), elementwise),
    "Concatenate": concatenated,
    "Dot": dot,
}
