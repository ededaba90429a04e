"""Study → Axes: each hole as a line with places from 0 to 1, on which what the trials chose is found."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kbuild.plan.space import Space
from kbuild.search.study import Study, Trial
from kbuild.spec.values import Value
from kbuild.text.snippet import harmless
from kbuild.train import rundir

WIDE = 50
"""Numbers that differ by more than this factor are guessed to be on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One hole.

    Args:
        path: its name.
        label: the shortest end of its path that no other has.
        scale: how its values lie; on `category` they are `labels`, one as far from the next as any other.
        low, high: the ends of its range, and of what was chosen where that goes beyond.
        labels: the values of a `category`, in the order of the spec.
        conditional: whether there are trials in which it was not there.
    """

    path: str
    label: str
    scale: Literal["linear", "log", "reverse_log", "category"]
    low: float = 0.0
    high: float = 1.0
    labels: tuple[str, ...] = ()
    conditional: bool = False

    def place(self, value: Value) -> float:
        """Where a value lies, from 0 to 1; in the middle if there is only one.

        >>> Axis("lr", "lr", "log", 0.001, 0.1).place(0.01)
        0.5
        """
        if self.scale == "category":
            low, high, at = 0.0, len(self.labels) - 1.0, float(self.labels.index(text(value)))
        elif self.scale == "log":
            low, high, at = math.log(self.low), math.log(self.high), math.log(float(value))
        elif self.scale == "reverse_log":
            low, high, at = -math.log(self.high), -math.log(self.low), -math.log(self.high + self.low - float(value))
        else:
            low, high, at = self.low, self.high, float(value)
        return (at - low) / (high - low) if high > low else 0.5


def described(space: Space) -> list[dict[str, object]]:
    """The holes of a space, for `run.json`, so that a study can be read without its data and its code."""
    return [
        {
            "path": dim.path, "kind": dim.hole.kind, "low": dim.hole.low, "high": dim.hole.high,
            "sampling": dim.hole.sampling, "options": list(dim.hole.options), "open": dim.open,
        }
        for dim in space.dims
    ]  # fmt: skip


def axes(study: Study) -> tuple[Axis, ...]:
    """The holes that the trials which are done came upon, those that decide over others first.

    What `run.json` does not know of a hole is guessed from the values that were chosen.
    """
    info: dict[str, Any] = rundir.info(study.path)
    told = {str(one["path"]): one for one in info.get("holes") or ()}
    trials = study.ranked
    chosen = {path for trial in trials for path in trial.values}
    paths = [*(path for path in told if path in chosen), *sorted(chosen - told.keys())]
    names = labels(paths)
    return tuple(_axis(path, names[path], told.get(path, {}), trials) for path in paths)


def labels(paths: Sequence[str]) -> dict[str, str]:
    """The shortest end of each path that tells it from the others.

    >>> labels(["model.a.units", "model.b.units", "train.rate"])
    {'model.a.units': 'a.units', 'model.b.units': 'b.units', 'train.rate': 'rate'}
    """
    return {path: harmless(_end(path, paths)) for path in paths}


def text(value: Value) -> str:
    """A value as a person reads it.

    >>> [text(value) for value in (True, 64, 0.000123456, "relu")]
    ['true', '64', '0.000123', 'relu']
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else harmless(str(value))


def brief(values: Mapping[str, Value], most: int = 6) -> str:
    """What was chosen, by the shortest ends of the paths that tell the holes apart: `units=64 rate=0.2`."""
    names = labels(list(values))
    shown = [f"{names[path]}={text(value)}" for path, value in list(values.items())[:most]]
    return " ".join([*shown, "…"] if len(values) > most else shown)


def _end(path: str, others: Sequence[str]) -> str:
    parts = path.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if sum(other == end or other.endswith("." + end) for other in others) == 1:
            return end
    return path


def _axis(path: str, label: str, told: Mapping[str, Any], trials: Sequence[Trial]) -> Axis:
    values = [trial.values[path] for trial in trials if path in trial.values]
    conditional = len(values) < len(trials)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if not numbers or told.get("kind") in ("choice", "bool"):
        first = [text(option) for option in told.get("options") or ()]
        found = sorted({text(value) for value in values}, key=_natural)
        named = tuple(dict.fromkeys([*first, *found]))
        return Axis(path, label, "category", labels=named, conditional=conditional)
    fixed = told and not told.get("open")
    ends = [float(told["low"]), float(told["high"])] if fixed else []
    seen = [float(value) for value in values]
    low, high = min([*ends, *seen]), max([*ends, *seen])
    guessed = "log" if low > 0 and high / low > WIDE else "linear"
    scale = str(told.get("sampling") or guessed)
    if low <= 0 or scale not in ("log", "reverse_log"):
        scale = "linear"
    return Axis(path, label, scale, low, high, (), conditional)  # pyright: ignore[reportArgumentType]


def _natural(label: str) -> tuple[int, float, str]:
    """Numbers by their size, then words."""
    try:
        number = json.loads(label)
        return (0, float(number), "") if not isinstance(number, bool) else (1, 0.0, label)
    except (ValueError, TypeError):
        return (1, 0.0, label)
