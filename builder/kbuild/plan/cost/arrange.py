"""Numbers in another arrangement: views, copies, maps that are cut, framed and enlarged."""

from kbuild.plan.cost.merge import copied
from kbuild.plan.cost.use import Rule, Use, Work, rule

NEIGHBORS = {"nearest": 0, "bilinear": 4, "bicubic": 16, "lanczos3": 36, "lanczos5": 100}
"""Places that a number is mixed of when a map is enlarged or shrunk."""


def view(use: Use) -> Work:
    """The same numbers: nothing is done, nothing is kept."""
    return 0, 0


def enlarged(use: Use) -> Work:
    """`interpolation` multiplies and adds the neighbors; the nearest is a copy."""
    name = use.args.get("interpolation", "nearest")
    return resampled(use, name)


def resampled(use: Use, interpolation: object) -> Work:
    """A weighted sum of the neighbors for each number; unknown for another interpolation."""
    places = NEIGHBORS.get(interpolation) if isinstance(interpolation, str) else None
    out = use.numbers()
    return None if places is None else out * max(2 * places - 1, 0), out


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Flatten", "Reshape"), rule(view)),
    **dict.fromkeys(("Permute", "RepeatVector"), rule(copied)),
    **{f"{name}{rank}D": rule(copied) for rank in (1, 2, 3) for name in ("Cropping", "ZeroPadding")},
    **{f"UpSampling{rank}D": rule(enlarged) for rank in (1, 2, 3)},
}
