"""The `tune` section: who chooses, what is wanted, and how much may be spent."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from kbuild.spec.call import Call
from kbuild.spec.section import Section
from kbuild.spec.train import Memory, Positive

_UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}


def _seconds(value: int | float | str) -> float:
    """`90 seconds`, `10 minutes`, `1 hour` → seconds; a number alone is minutes."""
    number, _, unit = str(value).strip().partition(" ")
    unit = unit.strip().removesuffix("s") + "s" if unit.strip() else "minutes"
    try:
        amount = float(number)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf") or unit not in _UNITS:
        raise ValueError(f"`{value}` is no length of time; write `90 seconds`, `10 minutes` or `1 hour`")
    return amount * _UNITS[unit]


_TIME = {"type": ["number", "string"], "exclusiveMinimum": 0}
Seconds = Annotated[int | float | str, AfterValidator(_seconds), WithJsonSchema(_TIME)]
"""A length of time by the clock. After validation always seconds."""


class Objective(Section):
    """The number of an epoch that is to be as good as can be."""

    name: str = "val_loss"
    direction: Literal["auto", "min", "max"] = "auto"


class SearchBudget(Section):
    """What a trial's network may cost, and how long the whole search may take."""

    params: Positive | None = None
    flops: Positive | None = None
    memory: Memory | None = None
    hours: Positive | None = None


class Tune(Section):
    """The `tune` section, checked. `oracle` is a Call with KerasTuner's own arguments."""

    oracle: Call = Call("oracles", "RandomSearch")
    objective: Objective = Objective()
    executions_per_trial: Annotated[int, Field(ge=1, le=100)] = 1
    parallel: Annotated[int, Field(ge=1, le=1024)] | None = None
    budget: SearchBudget = SearchBudget()
    timeout: Seconds | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
