"""`keras.ops` that join tensors or take one apart, the batch being axis 0: concatenate, stack, split, unstack.

Keras joins and cuts along axis 0 unless it is told otherwise. That is the batch, and mostly a slip of the pen: here the
axis must be written.
"""

from itertools import pairwise

from kbuild.plan.shapes.batched import full, listed, one, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def concatenate(given: Given) -> Shapes:
    """Tensors that are equal but for `axis`, whose sizes add up."""
    shapes = listed(given)
    _written(given, "joins along axis 0, the batch")
    return _joined(given, shapes, given.axis("axis", 0, len(shapes[0])))


def append(given: Given) -> Shapes:
    """As `concatenate`, for two; without an axis all is one row."""
    shapes = [full(given), (None, *given.tensor(1, "x2"))]
    if given.args.get("axis") is None:
        return (None,)
    return _joined(given, shapes, given.axis("axis", None, len(shapes[0])))


def stack(given: Given) -> Shapes:
    """A new axis, as long as the list, at `axis`."""
    shapes = listed(given)
    _written(given, "puts its new axis in front of the batch", "axis: 1")
    axis = given.axis("axis", 0, len(shapes[0]) + 1)
    _alike(given, shapes, None)
    known = _known(shapes)
    return one([*known[:axis], len(shapes), *known[axis:]], 1 if axis == 0 else 0)


def side_by_side(given: Given) -> Shapes:
    """`hstack` joins along axis 1, the first after the batch; `dstack` along axis 2, which it makes if need be."""
    shapes = listed(given)
    if given.name.endswith("vstack"):
        raise ShapeMistake(
            f"`{given.name}` joins along axis 0, the batch",
            "use `Concatenate`, or `ops.concatenate: {axis: 0}` if the batch is meant",
        )
    if given.name.endswith("hstack"):
        return _joined(given, shapes, 1) if len(shapes[0]) > 1 else (None,)
    if any(len(shape) < 2 for shape in shapes):
        return (None,)
    return _joined(given, [(*shape, 1) if len(shape) == 2 else shape for shape in shapes], 2)


def split(given: Given) -> Shapes:
    """Equal parts, or parts that end at each of the given indices."""
    parts, cuts, count = _cuts(given)
    shape = full(given, outputs=count)
    _written(given, "cuts along axis 0, the batch")
    return _cut(given, shape, given.axis("axis", 0, len(shape)), parts, cuts)


def split_along(given: Given) -> Shapes:
    """`hsplit` cuts axis 1, `dsplit` axis 2; `vsplit` would cut the batch."""
    parts, cuts, count = _cuts(given)
    shape = full(given, outputs=count)
    letter = given.name.removeprefix("ops.")[0]
    if letter == "v":
        raise ShapeMistake(f"`{given.name}` cuts along axis 0, the batch", "use `ops.split` with `axis: 1` or another")
    axis = {"h": 1, "d": 2}[letter]
    if len(shape) <= axis:
        raise ShapeMistake(f"`{given.name}` cuts axis {axis}, which {show(shape)} has not, the batch included")
    return _cut(given, shape, axis, parts, cuts)


def array_split(given: Given) -> Shapes:
    """As `split` into a number of parts; where they cannot be equal, the first ones are longer by one."""
    parts = given.whole("indices_or_sections")
    shape = full(given, outputs=parts)
    _written(given, "cuts along axis 0, the batch")
    axis = given.axis("axis", 0, len(shape))
    size = shape[axis]
    if size is None:
        return _cut(given, shape, axis, parts, [])
    least, more = divmod(size, parts)
    sizes = [least + 1] * more + [least] * (parts - more)
    return tuple(unbatched((*shape[:axis], n, *shape[axis + 1 :])) for n in sizes)


def unstack(given: Given) -> Shapes:
    """One tensor for each place of `axis`, without it. Its number must be known."""
    shape = full(given, outputs=None)
    _written(given, "takes the batch apart, whose size is not known")
    axis = given.axis("axis", 0, len(shape))
    if axis == 0:
        return None
    number = given.args.get("num")
    size = shape[axis] if number is None else given.whole("num")
    out = unbatched((*shape[:axis], *shape[axis + 1 :]))
    return None if size is None else (out,) * size


def meshgrid(given: Given) -> Shapes:
    """Every value of each with every value of the others, those of all examples: no batch."""
    if any(not isinstance(value, tuple) for value in given.inputs):
        raise UnknownShape(len(given.inputs))
    return (None,) * len(given.inputs)


def _written(given: Given, otherwise: str, instead: str = "axis: -1") -> None:
    if given.args.get("axis") is None:
        raise ShapeMistake(
            f"`{given.name}` without `axis` {otherwise}",
            f"write `{given.name}: {{{instead}}}`, or `axis: 0` if the batch is meant",
        )


def _joined(given: Given, shapes: list[Known], axis: int) -> Shapes:
    _alike(given, shapes, axis)
    sizes = [shape[axis] for shape in shapes]
    joined = None if None in sizes else sum(size for size in sizes if size is not None)
    known = _known(shapes)
    return one([*known[:axis], joined, *known[axis + 1 :]])


def _known(shapes: list[Known]) -> list[int | None]:
    return [next((s for s in column if s is not None), None) for column in zip(*shapes, strict=True)]


def _cuts(given: Given) -> tuple[int | None, list[int], int]:
    """How many parts, or where to cut; and how many tensors come out."""
    value = given.raw("indices_or_sections")
    parts = value if isinstance(value, int) and not isinstance(value, bool) else None
    cuts = list(value) if isinstance(value, (list, tuple)) else []
    if (parts is None and not cuts) or (parts is not None and parts < 1) or not all(isinstance(n, int) for n in cuts):
        raise given.wrong(
            "indices_or_sections",
            "a whole number of at least 1 or a list of indices",
            value,
        )
    return parts, cuts, parts or len(cuts) + 1


def _cut(given: Given, shape: Known, axis: int, parts: int | None, cuts: list[int]) -> Shapes:
    size = shape[axis]
    if size is None:
        sizes: list[int | None] = [None] * (parts or len(cuts) + 1)
    elif parts:
        if size % parts:
            left = f"{size} % {parts} = {size % parts}"
            raise ShapeMistake(
                f"`{given.name}` cannot cut axis {axis} of {show(shape)} into {parts} equal parts: {left}",
                "give a divisor, or a list of the indices at which to cut",
            )
        sizes = [size // parts] * parts
    else:
        sizes = [end - start for start, end in pairwise([0, *cuts, size])]
        if any(part is not None and part < 0 for part in sizes):
            raise ShapeMistake(
                f"`{given.name}` cannot cut axis {axis} of {show(shape)} at {cuts}", f"give rising indices up to {size}"
            )
    return tuple(unbatched((*shape[:axis], n, *shape[axis + 1 :])) for n in sizes)


def _alike(given: Given, shapes: list[Known], axis: int | None) -> None:
    for shape in shapes[1:]:
        same = len(shape) == len(shapes[0]) and all(
            index == axis or a == b or None in (a, b) for index, (a, b) in enumerate(zip(shapes[0], shape, strict=True))
        )
        if not same:
            but = "" if axis is None else f" but for axis {axis}"
            raise ShapeMistake(
                f"`{given.name}` needs tensors that are equal{but}, the batch included, but gets "
                + " and ".join(show(one) for one in shapes),
                "bring them to equal shapes first; axis 0 is the batch",
            )


RULES: dict[str, Rule] = {
    "concatenate": concatenate,
    "append": append,
    "stack": stack,
    **dict.fromkeys(("hstack", "vstack", "dstack"), side_by_side),
    "split": split,
    "array_split": array_split,
    **dict.fromkeys(("hsplit", "vsplit", "dsplit"), split_along),
    "unstack": unstack,
    "meshgrid": meshgrid,
}
