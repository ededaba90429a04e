"""Flatten, Reshape, Permute, RepeatVector: the same numbers in another arrangement."""

import math

from kbuild.plan.shapes.given import Given, Known, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, show


def flatten(given: Given) -> Shapes:
    """(a, b, c) → (a·b·c,); single numbers → (1,)."""
    given.channels_first()
    shape = given.tensor()
    return ((product(shape),),)


def reshape(given: Given) -> Shapes:
    """→ `target_shape`, without the batch; one -1 takes what is left."""
    target = given.raw("target_shape")
    if not isinstance(target, (list, tuple)):
        raise given.wrong("target_shape", "a list of sizes without the batch", target)
    return (rearranged(given, "target_shape", given.tensor(), tuple(target)),)


def rearranged(given: Given, arg: str, shape: Known, target: tuple[object, ...]) -> Known:
    """`target` with its -1 worked out.

    Raises:
        ShapeMistake: sizes that are none, two -1, or another number of values.
    """
    sizes: list[int | None] = []
    for size in target:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < -1):
            raise given.wrong(arg, "a list of sizes, one of them perhaps -1", list(target))
        sizes.append(size)
    if sizes.count(-1) > 1:
        raise given.wrong(arg, "a list of sizes with at most one -1", list(target))
    total = product(shape)
    if total is None or None in sizes:
        return tuple(None if size == -1 else size for size in sizes)
    known = math.prod(size for size in sizes if size not in (-1, None))
    if known != total if -1 not in sizes else known == 0 or total % known:
        have, rest = _times(shape, total), [size for size in sizes if size != -1]
        wanted = f"a multiple of {_times(rest, known)}" if -1 in sizes else _times(rest, known)
        raise ShapeMistake(
            f"`{given.name}` cannot make {show(sizes)} of {show(shape)}: {have} values are not {wanted}",
            f"the sizes in `{arg}` must multiply to {total}"
            if -1 not in sizes
            else f"the sizes beside -1 must divide {total}",
        )
    return tuple(total // known if size == -1 else size for size in sizes)


def permute(given: Given) -> Shapes:
    """The axes in the order of `dims`, the first axis after the batch being 1."""
    dims = given.raw("dims")
    order = numbers(dims)
    if order is None or sorted(order) != list(range(1, len(order) + 1)):
        raise given.wrong("dims", "each axis once, the first being 1", dims)
    shape = given.tensor()
    if len(order) != len(shape):
        raise ShapeMistake(
            f"`{given.name}` orders {len(order)} axes but its input {show(shape)} has {len(shape)}",
            "give every axis but the batch, the first being 1",
        )
    return (tuple(shape[d - 1] for d in order),)


def repeat_vector(given: Given) -> Shapes:
    """(features,) → (n, features)."""
    times = given.whole("n")
    shape = given.tensor()
    given.rank(shape, ("features",))
    return ((times, *shape),)


def product(shape: Known) -> int | None:
    """How many values; None if a size is unknown."""
    return None if None in shape else math.prod(size for size in shape if size is not None)


def _times(sizes: Known | list[int | None], total: int) -> str:
    return f"{' * '.join(str(size) for size in sizes)} = {total}" if len(sizes) > 1 else str(total)


RULES: dict[str, Rule] = {
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    "RepeatVector": repeat_vector,
}
