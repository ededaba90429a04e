"""`keras.ops` that pick values, put values in place, or make places of values: take, slice, one_hot, segments."""

from kbuild.plan.shapes.batched import broadcast, full, one, operand
from kbuild.plan.shapes.given import Given, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def one_hot(given: Given) -> Shapes:
    """A new axis of `num_classes` at `axis`, by default the last."""
    count = given.whole("num_classes")
    shape = full(given)
    axis = given.axis("axis", -1, len(shape) + 1)
    return one([*shape[:axis], count, *shape[axis:]], 1 if axis == 0 else 0)


def multi_hot(given: Given) -> Shapes:
    """As `one_hot`, then without the first axis after the batch, over which Keras takes the maximum."""
    count = given.whole("num_tokens" if given.args.get("num_classes") is None else "num_classes")
    shape = full(given)
    axis = given.whole("axis", -1, least=-1)
    if axis >= len(shape):
        raise given.wrong("axis", f"-1, or a number from 0 to {len(shape) - 1}", axis)
    out = [*shape, count] if axis == -1 else [*shape[:axis], count, *shape[axis:]]
    return one([out[0], *out[2:]], 0 if len(out) > 2 and axis != 0 else None)


def take(given: Given) -> Shapes:
    """`axis` replaced by the axes of `indices`. Indices from the network bring a batch of their own: unknown."""
    shape = full(given)
    indices, tensor = operand(given, 1, "indices")
    if tensor:
        raise UnknownShape
    if given.args.get("axis") is None:
        return (None,)
    axis = given.axis("axis", None, len(shape))
    return one([*shape[:axis], *indices, *shape[axis + 1 :]], None if axis == 0 else 0)


def take_along_axis(given: Given) -> Shapes:
    """`axis` as long as in `indices`, a tensor with as many axes; the others broadcast."""
    shape = full(given)
    indices, tensor = operand(given, 1, "indices")
    if not tensor:
        raise no_list(given, "indices")
    if given.args.get("axis") is None:
        if len(indices) > 1:
            raise ShapeMistake(f"`{given.name}` needs an `axis`", "write `axis: 1`, the first after the batch")
        return (None,)
    axis = given.axis("axis", None, len(shape))
    if len(indices) != len(shape):
        raise ShapeMistake(
            f"`{given.name}` needs indices with as many axes as its input but gets {show(shape[1:])} and "
            f"{show(indices[1:])}",
            "give the indices the missing axes with `ops.expand_dims`",
        )
    picked = (*shape[:axis], indices[axis], *shape[axis + 1 :])
    return one(broadcast(given, [(picked, True), (indices, True)]))


def powers(given: Given) -> Shapes:
    """`vander`: single numbers → (N,) powers of each; by default as many as examples."""
    shape = full(given)
    if len(shape) > 1:
        raise ShapeMistake(
            f"`{given.name}` needs single numbers but gets {show(shape[1:])}", "put a `Reshape: []` in front of it"
        )
    if given.args.get("N") is None:
        raise UnknownShape
    return ((given.whole("N", least=0),),)


def sliced(given: Given) -> Shapes:
    """Pieces of the sizes `shape`, -1 being all from the start on; a fixed first size cuts the batch off."""
    inputs = full(given)
    starts, _ = operand(given, 1, "start_indices")
    sizes = numbers(given.raw("shape"), -1)
    if sizes is None:
        raise given.wrong("shape", "a list of whole numbers, -1 for all", given.raw("shape"))
    begin = given.args.get("start_indices")
    if len(sizes) != len(inputs) or (starts and starts[0] != len(inputs)):
        raise ShapeMistake(
            f"`{given.name}` needs a start and a size for each of the {len(inputs)} axes of {show(inputs)}, "
            f"the batch included",
            "begin both with the batch: a start of 0 and a size of -1",
        )
    out: list[int | None] = []
    for axis, (size, wanted) in enumerate(zip(inputs, sizes, strict=True)):
        first = begin[axis] if isinstance(begin, (list, tuple)) else None
        if wanted != -1:
            out.append(wanted)
        else:
            out.append(None if size is None or not isinstance(first, int) else size - first)
    return one(out, 0 if sizes[0] == -1 else None)


def changed(given: Given) -> Shapes:
    """`slice_update` and `scatter_update` put values into a tensor: its shape."""
    return one(full(given))


def item(given: Given) -> Shapes:
    """A number picks an example: no batch. What else `key` may be is for Python: unknown."""
    full(given)
    if isinstance(given.raw("key"), int):
        return (None,)
    raise UnknownShape


def anew(given: Given) -> Shapes:
    """A tensor of sizes of its own: `broadcast_to`, `scatter`, and segments of the batch."""
    full(given)
    return (None,)


def places(given: Given) -> Shapes:
    """`unravel_index`: one tensor of the indices' shape for each size in `shape`."""
    sizes = numbers(given.raw("shape"), 1)
    if not sizes:
        raise given.wrong("shape", "a list of sizes", given.raw("shape"))
    out = full(given, outputs=len(sizes))
    return one(out) * len(sizes)  # type: ignore[operator]


def found(given: Given, name: str, other: str, position: int) -> Shapes:
    """The shape of `name`; `other`, beside it, must be a tensor."""
    shape, _ = operand(given, position, name)
    _, tensor = operand(given, 1 - position, other)
    if not tensor:
        raise no_list(given, other)
    return one(shape)


def digitize(given: Given) -> Shapes:
    """The input's shape; the edges of the bins are a tensor."""
    return found(given, "x", "bins", 0)


def searchsorted(given: Given) -> Shapes:
    """The shape of `values`; what they are searched in is a tensor."""
    return found(given, "values", "sorted_sequence", 1)


def in_top_k(given: Given) -> Shapes:
    """The shape of `targets`."""
    given.whole("k")
    return found(given, "targets", "predictions", 0)


def isin(given: Given) -> Shapes:
    """The shape of `x1`."""
    return one(full(given))


def select(given: Given) -> Shapes:
    """All conditions and all choices, broadcast."""
    conditions, choices = given.find(0, "condlist"), given.find(1, "choicelist")
    if not (isinstance(conditions, list) and isinstance(choices, list) and len(conditions) == len(choices) > 0):
        raise ShapeMistake(
            f"`{given.name}` needs as many choices as conditions",
            "name them: `from: {condlist: [a, b], choicelist: [c, d]}`",
        )
    shapes = [shape for shape in (*conditions, *choices) if isinstance(shape, tuple)]
    if len(shapes) < 2 * len(conditions):
        raise UnknownShape
    return one(broadcast(given, [((None, *shape), True) for shape in shapes]))


def no_list(given: Given, name: str) -> ShapeMistake:
    """The mistake that a list stands where Keras asks a tensor for its shape."""
    return ShapeMistake(f"`{name}` of `{given.name}` must be a tensor, not a list", "name it with `from`", name)


RULES: dict[str, Rule] = {
    "one_hot": one_hot,
    "multi_hot": multi_hot,
    "take": take,
    "vander": powers,
    "take_along_axis": take_along_axis,
    "slice": sliced,
    **dict.fromkeys(("slice_update", "scatter_update"), changed),
    "get_item": item,
    **dict.fromkeys(
        ("broadcast_to", "scatter", "segment_max", "segment_min", "segment_prod", "segment_sum"),
        anew,
    ),
    "unravel_index": places,
    "digitize": digitize,
    "searchsorted": searchsorted,
    "in_top_k": in_top_k,
    "isin": isin,
    "select": select,
}
