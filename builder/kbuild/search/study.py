"""A study's directory → Study: its trials, and the best of them, read from the ledger."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kbuild.search import ledger
from kbuild.search.ledger import Event
from kbuild.spec.values import Choices
from kbuild.text.problem import Problem, SpecError
from kbuild.train import rundir

KIND = "study"
FOLDER = "trials"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a study.

    Args:
        number: from 1.
        status: `dropped` was never trained and does not count: outside the budget, or the same as another.
        values: what was chosen, by path of hole.
        score: of the objective; the mean where a trial is trained several times, and `sd` its standard deviation.
        reason: why it failed or was dropped.
        parent: the trial that it went on from.
        params, flops: of the network; None where they are not known.
    """

    number: int
    status: Literal["running", "done", "failed", "dropped"]
    values: Choices
    score: float | None = None
    sd: float | None = None
    reason: str | None = None
    epochs: int = 0
    seconds: float = 0.0
    params: int | None = None
    flops: int | None = None
    parent: int | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    test: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """A search that is over, or that was stopped.

    Args:
        path: its directory; `trials/0001`, … in it are run directories, `best.yaml` the best spec.
        status: `done`, `stopped` by a signal, `failed`, or `running` (or killed) when read from a directory.
        objective, direction: what was to be best, and whether less or more of it is.
        trials: all, dropped ones too, in the order in which they were asked for.
        signal: number of the signal that stopped it.
    """

    path: Path
    status: str
    objective: str
    direction: Literal["min", "max"]
    trials: tuple[Trial, ...] = ()
    signal: int | None = None

    @property
    def counted(self) -> tuple[Trial, ...]:
        """The trials that count: all but those that were dropped."""
        return tuple(trial for trial in self.trials if trial.status != "dropped")

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """The trials that are done, the best first; of equal ones the earlier."""
        return order(self.trials, self.direction)

    @property
    def best(self) -> Trial | None:
        """The best trial; None as long as none is done."""
        return next(iter(self.ranked), None)

    def run(self, trial: Trial) -> Path:
        """The run directory of a trial."""
        return place(self.path, trial.number)

    @property
    def exit_code(self) -> int:
        """What the command line returns for it: 0, 128 + the signal, or 4 if no trial is worth anything."""
        return 128 + self.signal if self.signal else 0 if self.status == "done" and self.best else 4

    def as_json(self) -> dict[str, object]:
        """The object that `tune --json` prints."""
        best = self.best
        told = None if best is None else {
            "trial": best.number, "score": best.score, "sd": best.sd, "values": dict(best.values),
        }  # fmt: skip
        return {
            "study": str(self.path),
            "status": self.status,
            "objective": self.objective,
            "direction": self.direction,
            "trials": len(self.counted),
            "failed": sum(trial.status == "failed" for trial in self.trials),
            "best": told,
            "spec": None if best is None else str(self.path / "best.yaml"),
        }


def place(path: Path, trial: int) -> Path:
    """The run directory of a trial of the study at `path`."""
    return path / FOLDER / f"{trial:04d}"


def is_study(info: Mapping[str, object]) -> bool:
    """Whether a `run.json` is that of a study."""
    return info.get("kind") == KIND


def open_study(path: Path | str) -> Study:
    """The study in a directory.

    Raises:
        SpecError: K603–K605 if there is none, K642 if it is a run, K640 if its ledger is damaged.
    """
    path = Path(path)
    info: dict[str, Any] = rundir.info(path)
    if not is_study(info):
        said = f"`{path}` is a run, and no study"
        raise SpecError(Problem("K642", said, help="give the directory that `kbuild tune` made"))
    trials = of_events(ledger.read(path / ledger.NAME))
    return Study(path, str(info["status"]), info["objective"], info["direction"], trials, info.get("signal"))


def of_events(events: Sequence[Event]) -> tuple[Trial, ...]:
    """The trials that a ledger tells of."""
    ended = {event["trial"]: event for event in events if event["event"] == "end"}
    return tuple(_trial(event, ended.get(event["trial"])) for event in events if event["event"] == "trial")


def _trial(asked: Event, end: Event | None) -> Trial:
    known = {"values": asked["values"], "params": asked.get("params"), "flops": asked.get("flops")}
    known["parent"] = asked.get("parent")
    if end is None:
        return Trial(asked["trial"], "running", **known)
    score = end.get("score")
    return Trial(
        asked["trial"], end["status"], **known, score=score if score is None else float(score), sd=end.get("sd"),
        reason=end.get("reason"), epochs=end.get("epochs", 0), seconds=end.get("seconds", 0.0),
        metrics=end.get("metrics", {}), test=end.get("test", {}),
    )  # fmt: skip


def order(trials: Sequence[Trial], direction: str) -> tuple[Trial, ...]:
    """The trials that are done, the best first; of equal ones the earlier."""
    sign = 1 if direction == "min" else -1
    done = [trial for trial in trials if trial.status == "done" and trial.score is not None]
    return tuple(sorted(done, key=lambda trial: (sign * (trial.score or 0.0), trial.number)))


def better(score: float, than: float | None, direction: str) -> bool:
    """Whether a score is better than the best so far; one that is no number never is."""
    if not math.isfinite(score):
        return False
    return than is None or (score < than if direction == "min" else score > than)
