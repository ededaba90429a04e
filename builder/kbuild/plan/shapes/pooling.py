"""Pooling: maximum and average, over windows, over the whole map, or onto a map of given size."""

from functools import partial

from kbuild.plan.shapes.given import REQUIRED, Given, Rule, Shapes
from kbuild.plan.shapes.grid import grid, slid


def pool(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (rows', columns', channels); `strides` are by default the window."""
    window = given.sizes("pool_size", rank, 2 if given.name.startswith("Max") else REQUIRED)
    strides = window if given.args.get("strides") is None else given.sizes("strides", rank)
    padding = given.choice("padding", "valid", ("valid", "same"))
    places = grid(given, rank)
    sizes = slid(given, places.sizes, window, strides, padding, what="window")
    return (places.shape(sizes, places.channels),)


def whole_map(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (channels,), or (1, 1, channels) with `keepdims`."""
    places = grid(given, rank)
    return (places.shape([1] * rank, places.channels) if given.flag("keepdims") else (places.channels,),)


def adaptive(given: Given, rank: int) -> Shapes:
    """(rows, columns, channels) → (*output_size, channels)."""
    sizes = given.sizes("output_size", rank)
    places = grid(given, rank)
    return (places.shape(sizes, places.channels),)


_RANKS = (1, 2, 3)
RULES: dict[str, Rule] = {
    **{
        f"{name}{rank}D": partial(pool, rank=rank)
        for rank in _RANKS
        for name in ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool")
    },
    **{
        f"Global{name}{rank}D": partial(whole_map, rank=rank)
        for rank in _RANKS
        for name in ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool")
    },
    **{f"Adaptive{name}Pooling{rank}D": partial(adaptive, rank=rank) for rank in _RANKS for name in ("Max", "Average")},
}
