"""`keras.ops` that join tensors or take one apart, the batch being axis 0: concatenate, stack, split, unstack."""

from itertools import pairwise

from kbuild.plan.shapes.batched import full, listed, one, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, show


def concatenate(given: Given) -> Shapes:
    """Tensors that are equal but for `axis`, whose sizes add up. Keras's default is axis 0, the batch."""
    shapes = listed(given)
    axis = given.axis("axis", 0, len(shapes[0]))
    _alike(given, shapes, axis)
    sizes = [shape[axis] for shape in shapes]
    joined = None if None in sizes else sum(size for size in sizes if size is not None)
    known = [next((s for s in column if s is not None), None) for column in zip(*shapes, strict=True)]
    return one([*known[:axis], joined, *known[axis + 1 :]])


def stack(given: Given) -> Shapes:
    """A new axis, as long as the list, at `axis`. Keras's default is 0, in front of the batch: unknown."""
    shapes = listed(given)
    axis = given.axis("axis", 0, len(shapes[0]) + 1)
    _alike(given, shapes, None)
    known = [next((s for s in column if s is not None), None) for column in zip(*shapes, strict=True)]
    return one([*known[:axis], len(shapes), *known[axis:]], 1 if axis == 0 else 0)


def split(given: Given) -> Shapes:
    """Equal parts, or parts that end at each of the given indices."""
    value = given.raw("indices_or_sections")
    parts = value if isinstance(value, int) and not isinstance(value, bool) else None
    cuts = list(value) if isinstance(value, (list, tuple)) else []
    if (parts is None and not cuts) or (parts is not None and parts < 1) or not all(isinstance(n, int) for n in cuts):
        raise given.wrong(
            "indices_or_sections",
            "a whole number of at least 1 or a list of indices",
            value,
        )
    count = parts or len(cuts) + 1
    shape = full(given, outputs=count)
    axis = given.axis("axis", 0, len(shape))
    size = shape[axis]
    if size is None:
        sizes: list[int | None] = [None] * count
    elif parts:
        if size % parts:
            left = f"{size} % {parts} = {size % parts}"
            raise ShapeMistake(
                f"`ops.split` cannot cut axis {axis} of {show(shape)} into {parts} equal parts: {left}",
                "give a divisor, or a list of the indices at which to cut",
            )
        sizes = [size // parts] * parts
    else:
        sizes = [end - start for start, end in pairwise([0, *cuts, size])]
        if any(part is not None and part < 0 for part in sizes):
            raise ShapeMistake(
                f"`ops.split` cannot cut axis {axis} of {show(shape)} at {cuts}", f"give rising indices up to {size}"
            )
    return tuple(unbatched((*shape[:axis], n, *shape[axis + 1 :])) for n in sizes)


def unstack(given: Given) -> Shapes:
    """One tensor for each place of `axis`, without it. Its number must be known."""
    shape = full(given, outputs=None)
    axis = given.axis("axis", 0, len(shape))
    if axis == 0:
        return None
    number = given.args.get("num")
    size = shape[axis] if number is None else given.whole("num")
    out = unbatched((*shape[:axis], *shape[axis + 1 :]))
    return None if size is None else (out,) * size


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
    "stack": stack,
    "split": split,
    "unstack": unstack,
}
