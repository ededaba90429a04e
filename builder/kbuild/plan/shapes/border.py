"""Cropping, ZeroPadding and UpSampling, in 1 to 3 dimensions: maps cut, framed and enlarged."""

from functools import partial

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import PLACES, grid
from kbuild.plan.shapes.mistake import ShapeMistake, show


def cropped(given: Given, rank: int) -> Shapes:
    """Each axis without what is cut off at its ends; something must be left."""
    cuts = _ends(given, "cropping", rank, 0 if rank == 2 else 1)
    places = grid(given, rank)
    sizes = [None if n is None else n - sum(cut) for n, cut in zip(places.sizes, cuts, strict=True)]
    for axis, (n, left) in enumerate(zip(places.sizes, sizes, strict=True)):
        if left is not None and left <= 0:
            raise ShapeMistake(
                f"`{given.name}` would leave nothing of {n} {PLACES[rank][axis]}: "
                f"{n} - {cuts[axis][0]} - {cuts[axis][1]} = {left}",
                f"cut less: the map is {show(places.sizes)}",
            )
    return (places.shape(sizes, places.channels),)


def padded(given: Given, rank: int) -> Shapes:
    """Each axis with what is added at its ends."""
    ends = _ends(given, "padding", rank, 1)
    places = grid(given, rank)
    sizes = [None if n is None else n + sum(end) for n, end in zip(places.sizes, ends, strict=True)]
    return (places.shape(sizes, places.channels),)


def enlarged(given: Given, rank: int) -> Shapes:
    """Each axis times its `size`."""
    factors = given.sizes("size", rank, 2)
    places = grid(given, rank)
    sizes = [None if n is None else n * factor for n, factor in zip(places.sizes, factors, strict=True)]
    return (places.shape(sizes, places.channels),)


def _ends(given: Given, arg: str, rank: int, default: int) -> list[tuple[int, int]]:
    value = given.raw(arg, default)
    items = value if isinstance(value, (list, tuple)) else [value] * rank
    if rank == 1:
        items = [value]
    wanted = "a whole number or [before, after]" if rank == 1 else f"a whole number or {rank} of them, or of pairs"
    if len(items) != rank:
        raise given.wrong(arg, wanted, value)
    ends = []
    for item in items:
        pair = tuple(item) if isinstance(item, (list, tuple)) else (item, item)
        if len(pair) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in pair):
            raise given.wrong(arg, wanted, value)
        ends.append(pair)
    return ends


RULES: dict[str, Rule] = {
    **{f"Cropping{rank}D": partial(cropped, rank=rank) for rank in (1, 2, 3)},
    **{f"ZeroPadding{rank}D": partial(padded, rank=rank) for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": partial(enlarged, rank=rank) for rank in (1, 2, 3)},
}
