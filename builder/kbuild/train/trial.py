"""Which trial of a search is being trained, for those who write down what was chosen. Knows nothing of searches."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial.

    Args:
        name: the same for all trainings of it: `trial 7`.
        values: what was chosen, by path of hole.
    """

    name: str
    values: Mapping[str, object]


_now: ContextVar[Trial | None] = ContextVar("trial", default=None)


@contextmanager
def training(trial: Trial) -> Iterator[None]:
    """What is trained inside belongs to this trial."""
    before = _now.set(trial)
    try:
        yield
    finally:
        _now.reset(before)


def current() -> Trial | None:
    """The trial that is being trained; None where a run is no trial."""
    return _now.get()
