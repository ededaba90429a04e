"""What the fixed sections of a spec have in common: frozen, and an unknown key is an error."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema


class Section(BaseModel):
    """A fixed section of a spec. Numbers are finite; a bool is never a number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


def _duration(value: int | float | str) -> str:
    """`3`, `3 epochs`, `1 epoch`, `10%`, `10 percent`, `500 steps` → `3 epochs`, `10 percent`, `500 steps`."""
    text = str(value).strip().replace("%", " percent")
    number, _, unit = text.partition(" ")
    unit = unit.strip() or "epochs"
    if not unit.endswith("s") and unit != "percent":
        unit += "s"
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if amount < 0 or amount != amount or amount == float("inf") or unit not in {"epochs", "percent", "steps"}:
        raise ValueError(f"`{value}` is no length of time; write `3 epochs`, `10 percent` or `500 steps`")
    if unit == "percent" and amount > 100:
        raise ValueError(f"`{value}` is more than the whole run")
    return f"{amount:g} {unit}"


_NUMBER = r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?"


def _interval(value: int | float | str) -> str:
    """`1 epoch`, `500 steps`, `10 minutes` → `1 epochs`, `500 steps`, `10 minutes`; a number alone is epochs."""
    number, _, unit = str(value).strip().partition(" ")
    unit = unit.strip().removesuffix("s") + "s" if unit.strip() else "epochs"
    try:
        amount = float(number)
    except ValueError:
        amount = 0.0
    whole = unit == "minutes" or amount.is_integer()
    if not 0 < amount < float("inf") or unit not in {"epochs", "steps", "minutes"} or not whole:
        raise ValueError(f"`{value}` is no interval; write `1 epoch`, `500 steps` or `10 minutes`")
    return f"{amount:g} {unit}"


_EVERY = {
    "type": ["number", "string"],
    "exclusiveMinimum": 0,
    "pattern": rf"^\s*{_NUMBER}(\s+(epochs?|steps?|minutes?))?\s*$",
}
Interval = Annotated[int | float | str, AfterValidator(_interval), WithJsonSchema(_EVERY)]
"""How often. After validation always `<number> epochs|steps|minutes`."""

_WRITTEN = {
    "type": ["number", "string"],
    "minimum": 0,
    "pattern": rf"^\s*{_NUMBER}\s*(%|\s(epochs?|percent|steps?))?\s*$",
}
Duration = Annotated[int | float | str, AfterValidator(_duration), WithJsonSchema(_WRITTEN)]
"""A length of training: a number of epochs, or text with its unit.

After validation always `<number> epochs|percent|steps`.
"""
