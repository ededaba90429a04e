"""Layers that hand on what they get: dropout, noise, masks. Dropout and noise do nothing when a network is applied."""

from functools import partial

from kbuild.plan.cost.arrange import view
from kbuild.plan.cost.use import Rule, Use, Work, rule
from kbuild.plan.shapes.grid import grid


def twice(use: Use) -> int | None:
    """Two numbers for each that comes out."""
    out = use.kept()
    return None if out is None else 2 * out


def dropped(use: Use) -> Work:
    """In training the output and the mask; nothing at rate 0."""
    return 0, 0 if use.args.get("rate") == 0 else twice(use)


def spatial(use: Use, rank: int) -> Work:
    """As `dropped`, but the mask has one number for each channel."""
    if use.args.get("rate") == 0:
        return 0, 0
    channels, out = grid(use.given, rank).channels, use.kept()
    return 0, None if channels is None or out is None else out + channels


def noisy(use: Use) -> Work:
    """Added noise has no share in the gradient: the output alone."""
    return 0, use.kept()


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
