"""Layers that hand on the shape they get: activations, dropout, noise, masks."""

from functools import partial

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import words


def same(given: Given) -> Shapes:
    """The input's shape."""
    return (given.tensor(),)


def softmax(given: Given) -> Shapes:
    """The input's shape; `axis` must exist."""
    shape = given.tensor()
    given.axes("axis", -1, len(shape) + 1)
    return (shape,)


def spatial(given: Given, rank: int) -> Shapes:
    """The input's shape, a map of `rank` axes of places."""
    shape = given.tensor()
    given.rank(shape, words(rank, given.channels_first()))
    return (shape,)


_SAME = """
    Activation ELU LeakyReLU PReLU ReLU
    Dropout AlphaDropout GaussianDropout GaussianNoise ActivityRegularization
    Identity Masking ApplicationPreprocessing
"""

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME.split(), same),
    "Softmax": softmax,
    **{f"SpatialDropout{rank}D": partial(spatial, rank=rank) for rank in (1, 2, 3)},
}
