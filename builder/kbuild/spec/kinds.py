"""What an argument takes, read from the words with which Keras documents it: so that `units: yes` is found before
Keras loads.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["int", "float", "bool"]

_INT = re.compile(r"\s*((an? )?(strictly )?(positive |non-negative |python )*(int|integer)|number of)\b", re.IGNORECASE)
_FLOAT = re.compile(
    r"\s*(an? )?(python |scalar |small |non-negative |positive )*(float|number(?! of))\b", re.IGNORECASE
)
_BOOL = re.compile(r"\s*(an? )?(optional )?(bool|boolean|whether)\b", re.IGNORECASE)
_MORE = re.compile(
    r"\b(or|tuple|tuples|list|lists|string|str|tensor|array|schedule|none|one of|sequence|iterable|dict)\b",
    re.IGNORECASE,
)

LOW: dict[str, float] = {
    **dict.fromkeys(
        ["units", "filters", "kernel_size", "pool_size", "strides", "dilation_rate", "groups", "num_heads", "key_dim"],
        1,
    ),
    **dict.fromkeys(["input_dim", "output_dim", "depth_multiplier"], 1),
    **dict.fromkeys(["rate", "dropout", "recurrent_dropout", "stddev", "weight_decay", "epsilon"], 0),
    **dict.fromkeys(["momentum", "beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "rho", "ema_momentum"], 0),
    "ema_overwrite_frequency": 1,
    "gradient_accumulation_steps": 2,
}
"""Smallest value, by argument name: these names mean the same wherever Keras uses them."""
BELOW: dict[str, float] = {
    **dict.fromkeys(["dropout", "recurrent_dropout"], 1),
    # what an optimizer remembers must fade: at 1 a sum grows for ever and a mean never moves
    **dict.fromkeys(["momentum", "beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "rho", "ema_momentum"], 1),
}
ABOVE: dict[str, float] = {"learning_rate": 0, "clipnorm": 0, "clipvalue": 0, "global_clipnorm": 0}
_STATISTICS = re.compile(r"\bmoving average\b", re.IGNORECASE)
"""A normalization's momentum may be 1: its statistics then stay as they are."""
_FRACTION = re.compile(r"\bfloat between 0 and 1\b", re.IGNORECASE)


def kind(documentation: str) -> Kind | None:
    """The one kind of value that an argument takes; None if it takes several, or the documentation does not say.

    Args:
        documentation: the argument's entry in the docstring: `"int, the dimension of the output space"`.
    """
    first = re.split(r"[.,;:(]", documentation.strip(), maxsplit=1)[0]
    if _MORE.search(first):
        return None
    if re.match(r"\s*(python )?int(eger)?,? or\b", documentation, re.IGNORECASE):
        return None
    for name, pattern in (("int", _INT), ("float", _FLOAT), ("bool", _BOOL)):
        if pattern.match(first):
            return name  # type: ignore[return-value]
    return None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a number must lie; None is no bound.

    Args:
        low: the smallest value.
        above, below: values that it must not reach.
    """

    low: float | None = None
    above: float | None = None
    below: float | None = None


def bounds(name: str, documentation: str = "") -> Bounds:
    """Where a number given to the argument `name` must lie."""
    if name in ABOVE:
        return Bounds(above=ABOVE[name])
    if name == "rate" and _FRACTION.search(documentation):
        return Bounds(low=0, below=1)
    if name == "momentum" and _STATISTICS.search(documentation):
        return Bounds(low=0)
    return Bounds(low=LOW.get(name), below=BELOW.get(name))


def range_mistake(name: str, value: float, documentation: str = "") -> str | None:
    """What is wrong with a number given to the argument `name`; None if nothing is."""
    limits = bounds(name, documentation)
    if limits.above is not None and value <= limits.above:
        return f"must be above {limits.above:g}"
    if name == "rate" and limits.below is not None and not 0 <= value < limits.below:
        return "must be at least 0 and below 1"
    if limits.low is not None and value < limits.low:
        return f"must be at least {limits.low:g}"
    if limits.below is not None and value >= limits.below:
        return f"must be below {limits.below:g}"
    return None
