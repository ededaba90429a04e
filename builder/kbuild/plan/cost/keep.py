"""Layers that hand on what they get: dropout, noise, masks. Dropout and noise do nothing when a network is applied."""

from functools import partial

from kbuild.plan.cost.arrange import view
from kbuild.plan.cost.use import Rule, Use, Work, rule
from kbuild.plan.shapes.grid import grid


def dropped(use: Use) -> Work:
    """In training the output and the mask; nothing at rate 0."""
    return 0, 0 if use.args.get("rate") == 0 else 2 * use.numbers()


def spatial(use: Use, rank: int) -> Work:
    """As `dropped`, but the mask has one number for each channel."""
    if use.args.get("rate") == 0:
        return 0, 0
    channels = grid(use.given, rank).channels
    return 0, None if channels is None else use.numbers() + channels


def noisy(use: Use) -> Work:
    """Added noise has no share in the gradient: the output alone."""
    return 0, use.numbers()


def masking(use: Use) -> Work:
    """Compared, joined along the features, multiplied."""
    count = use.numbers()
    return 3 * count, count


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout"), rule(dropped)),
    **{f"SpatialDropout{rank}D": rule(partial(spatial, rank=rank)) for rank in (1, 2, 3)},
    "GaussianNoise": rule(noisy),
    "Masking": rule(masking),
    **dict.fromkeys(("Identity", "ActivityRegularization"), rule(view)),
}
