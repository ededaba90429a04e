"""What an argument takes, read from the words with which Keras documents it: so that `units: yes` is found before
Keras loads.
"""

import re
from typing import Literal

Kind = Literal["int", "float", "bool"]

_INT = re.compile(r"\s*(an? )?(strictly )?(positive |non-negative |python )*(int|integer)\b", re.IGNORECASE)
_FLOAT = re.compile(r"\s*(an? )?(python |scalar |small |non-negative |positive )*(float|number)\b", re.IGNORECASE)
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
}
"""Smallest value, by argument name: these names mean the same wherever Keras uses them."""
BELOW: dict[str, float] = {"dropout": 1, "recurrent_dropout": 1}
ABOVE: dict[str, float] = {"learning_rate": 0, "clipnorm": 0, "clipvalue": 0, "global_clipnorm": 0}
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


def range_mistake(name: str, value: float, documentation: str = "") -> str | None:
    """What is wrong with a number given to the argument `name`; None if nothing is."""
    if name in ABOVE and value <= ABOVE[name]:
        return f"must be above {ABOVE[name]:g}"
    if name == "rate" and _FRACTION.search(documentation) and not 0 <= value < 1:
        return "must be at least 0 and below 1"
    if name in LOW and value < LOW[name]:
        return f"must be at least {LOW[name]:g}"
    if name in BELOW and value >= BELOW[name]:
        return f"must be below {BELOW[name]:g}"
    return None
