"""`keras.ops` that multiply tensors along axes: dot, tensordot, cross, cdist and the like; `matmul` is elementwise.

Where both operands bring a batch, most of them give examples by examples: a result without a batch.
"""

from kbuild.plan.shapes.batched import broadcast, full, one, operand
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def dot(given: Given) -> Shapes:
    """A number scales; a tensor is multiplied by all examples of the other: (batch, …, batch, …)."""
    (left, first), (right, second) = operand(given, 0, "x1"), operand(given, 1, "x2")
    if (not first and left) or (not second and right):
        raise _no_list(given, "x2" if first or not left else "x1")
    if not right or not left:
        return one(left or right)
    if len(right) > 2 and None not in (left[-1], right[-2]) and left[-1] != right[-2]:
        raise ShapeMistake(
            f"`{given.name}` needs the last axis of {show(left[1:])} and the last but one of {show(right[1:])} "
            f"to be equal, but they are {left[-1]} and {right[-2]}",
            "swap the axes of one with `ops.swapaxes`",
        )
    return (None,) if len(right) > 2 else _across_the_batch(given)


def paired(given: Given) -> Shapes:
    """`inner`, `outer`, `vdot`: every example with every other, so no batch."""
    for position, name in enumerate(("x1", "x2")):
        operand(given, position, name)
    return (None,)


def tensordot(given: Given) -> Shapes:
    """The axes of both but those summed over; as both bring a batch, the result has two, and so none."""
    (left, first), (right, second) = operand(given, 0, "x1"), operand(given, 1, "x2")
    if not first or not second:
        raise _no_list(given, "x2" if first else "x1")
    axes = given.raw("axes", 2)
    if isinstance(axes, int) and not isinstance(axes, bool):
        return (None,) if axes <= 0 else _across_the_batch(given)
    pairs = [numbers(each) for each in axes] if isinstance(axes, (list, tuple)) else []
    if len(pairs) != 2 or None in pairs:
        raise given.wrong("axes", "a whole number or two lists of axes", axes)
    found = []
    for one_list, shape in zip(pairs, (left, right), strict=True):
        found.append(Given(given.name, {"axes": one_list}, ()).axes("axes", None, len(shape)))
    sizes = [[shape[axis] for axis in each] for each, shape in zip(found, (left, right), strict=True)]
    if len(sizes[0]) != len(sizes[1]) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(*sizes, strict=True)
    ):
        raise ShapeMistake(
            f"`{given.name}` sums the axes {list(found[0])} of {show(left)} with {list(found[1])} of {show(right)}, "
            f"the batch included, but they have {show(sizes[0])} and {show(sizes[1])} places",
            "axes count the batch as 0",
        )
    return (None,)


def cross(given: Given) -> Shapes:
    """Vectors of 3 (or 2) along an axis, the others broadcast → vectors of 3; one number of two vectors of 2."""
    shapes: list[Known] = []
    sizes: list[int | None] = []
    for position, (name, axis) in enumerate((("x1", "axisa"), ("x2", "axisb"))):
        shape, tensor = operand(given, position, name)
        if not tensor:
            raise _no_list(given, name)
        place = given.axis("axis" if given.args.get("axis") is not None else axis, -1, len(shape))
        if shape[place] not in (2, 3, None) or place == 0:
            raise ShapeMistake(
                f"`{given.name}` needs vectors of 2 or 3 along axis {place} but gets {show(shape)}, the batch included",
                "axes count the batch as 0",
            )
        sizes.append(shape[place])
        shapes.append((*shape[:place], *shape[place + 1 :]))
    out = list(broadcast(given, [(shape, True) for shape in shapes]))
    if 3 not in sizes and None in sizes:
        raise UnknownShape
    more = 1 if 3 in sizes else 0
    place = given.axis("axis" if given.args.get("axis") is not None else "axisc", -1, len(out) + more)
    if not more:
        return one(out)
    return one([*out[:place], 3, *out[place:]], 1 if place == 0 else 0)


def correlate(given: Given) -> Shapes:
    """Keras takes two rows of numbers, which would be the examples of two batches."""
    operand(given, 0, "x1")
    operand(given, 1, "x2")
    raise ShapeMistake(
        f"`{given.name}` would correlate the examples of a batch with each other",
        "use `Conv1D`, or `Dot` along another axis",
    )


def distances(given: Given) -> Shapes:
    """`cdist` of (m, d) and (n, d): (m, n)."""
    (left, first), (right, second) = operand(given, 0, "x"), operand(given, 1, "y")
    if not first or not second:
        raise _no_list(given, "y" if first else "x")
    if None not in (left[-1], right[-1]) and left[-1] != right[-1]:
        raise ShapeMistake(
            f"`{given.name}` needs points of equally many numbers but gets {show(left[1:])} and {show(right[1:])}",
            "bring them to the same size with a `Dense`",
        )
    if len(left) != len(right):
        raise UnknownShape
    if len(left) < 3:
        return (None,)
    return one([*broadcast(given, [(left[:-2], True), (right[:-2], True)]), left[-2], right[-2]])


def attention(given: Given) -> Shapes:
    """query (T, heads, size), key and value (S, heads, size) → the query's shape."""
    shape = full(given)
    given.rank(shape[1:], ("time", "heads", "size")) if len(shape) < 3 else None
    return one(shape)


def _across_the_batch(given: Given) -> Shapes:
    raise ShapeMistake(
        f"`{given.name}` would multiply along the batch: the batch is axis 0 of its second input too",
        "use `Dot: {axes: …}`, which leaves the batch alone, or a `Dense` for learned numbers",
    )


def _no_list(given: Given, name: str) -> ShapeMistake:
    return ShapeMistake(f"`{name}` of `{given.name}` must be a tensor, not a list", "name it: `from: [a, b]`", name)


RULES: dict[str, Rule] = {
    "dot": dot,
    **dict.fromkeys(("inner", "outer", "vdot"), paired),
    "tensordot": tensordot,
    "cross": cross,
    "correlate": correlate,
    "cdist": distances,
    "dot_product_attention": attention,
}
