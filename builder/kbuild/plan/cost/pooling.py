"""Pooling: each number that comes out looks at its window."""

import math
from functools import partial

from kbuild.plan.cost.use import Rule, Use, Work, numbers, rule
from kbuild.plan.shapes.given import REQUIRED


def pool(use: Use, rank: int) -> Work:
    """As many operations as the window has places, for each number that comes out."""
    window = use.given.sizes("pool_size", rank, 2 if use.given.name.startswith("Max") else REQUIRED)
    out = use.numbers()
    return out * math.prod(window), out


def whole_map(use: Use) -> Work:
    """One operation for each number that goes in."""
    return numbers(use.given.tensor()), use.numbers()


_NAMES = [f"{name}{rank}D" for rank in (1, 2, 3) for name in ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool")]
RULES: dict[str, Rule] = {
    **{name: rule(partial(pool, rank=int(name[-2]))) for name in _NAMES},
    **{f"Global{name}": rule(whole_map) for name in _NAMES},
    **{f"Adaptive{name}": rule(whole_map) for name in _NAMES if "Pooling" in name},
}
