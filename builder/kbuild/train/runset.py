"""A directory of several runs → RunSet: its members, and the mean and standard deviation of what they reached."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from kbuild.text.problem import Problem, SpecError
from kbuild.train import atomic, rundir
from kbuild.train.run import Run, open_run

FOLDER = "members"
ENSEMBLE = "ensemble"
"""What `run.json` calls an ensemble."""


@dataclass(frozen=True)
class RunSet:
    """Several trainings of one spec that are over, with other seeds or on other folds of the data.

    Args:
        path: the directory of the set; `members/1`, `members/2`, … in it are run directories.
        kind: `repeats` or `folds`.
        status: `done`, `stopped` by a signal, `failed` if a member did, or `running` (or killed) when read from a
            directory.
        size: how many members it is to have.
        members: those that were begun, in their order.
        reasons: number of a member → why it failed.
        metrics, test: mean over the members that are done, by name: of the best epochs' rows of the histories, and of
            the evaluations of the saved models on the test part.
        sd, test_sd: sample standard deviation (n - 1) of the same; None where fewer than two are done.
        signal: number of the signal that stopped it.
    """

    path: Path
    kind: str
    status: str
    size: int = 0
    members: tuple[Run, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    sd: Mapping[str, float | None] = field(default_factory=dict)
    test: Mapping[str, float | None] = field(default_factory=dict)
    test_sd: Mapping[str, float | None] = field(default_factory=dict)
    signal: int | None = None

    @property
    def done(self) -> tuple[Run, ...]:
        """The members whose training came to its end; mean and deviation are over these."""
        return tuple(run for run in self.members if run.status == "done")

    @property
    def epochs(self) -> int:
        """Epochs that were finished, of all members together."""
        return sum(run.epochs for run in self.members)

    @property
    def seconds(self) -> float:
        """Wall time of the trainings, of all members together."""
        return sum(run.seconds for run in self.members)

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """Columns of the members' histories by name: the mean of each epoch that all of the done ones finished."""
        columns = [run.history for run in self.done]
        names = [name for name in (columns[0] if columns else ()) if all(name in one for one in columns)]
        shared = {name: zip(*(one[name] for one in columns), strict=False) for name in names}
        return {name: [statistics.fmean(row) for row in rows] for name, rows in shared.items()}

    @property
    def model(self) -> NoReturn:
        """A set has no model: its members have one each. Raises SpecError K625."""
        raise SpecError(several(self.path, rundir.info(self.path)))

    @property
    def exit_code(self) -> int:
        """What the command line returns for it: 0, 128 + the signal, or 4 if a member failed."""
        return 128 + self.signal if self.signal else 0 if self.status == "done" else 4

    def as_json(self) -> dict[str, object]:
        """The object that `fit --json` prints."""
        return {
            "run": str(self.path),
            "kind": self.kind,
            "status": self.status,
            "members": [self._member(run) for run in self.members],
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "metrics": dict(self.metrics),
            "sd": dict(self.sd),
            "test": dict(self.test),
            "test_sd": dict(self.test_sd),
        }

    def _member(self, run: Run) -> dict[str, object]:
        why = self.reasons.get(int(run.path.name))
        return {**run.as_json(), **({"error": why} if why else {})}


def is_set(info: Mapping[str, object]) -> bool:
    """Whether a `run.json` is that of a set."""
    return isinstance(info.get("members"), list)


def is_ensemble(info: Mapping[str, object]) -> bool:
    """Whether a `run.json` is that of an ensemble: a model that was made of several runs, and not trained."""
    return info.get("kind") == ENSEMBLE


def open_set(path: Path, info: Mapping[str, object]) -> RunSet:
    """The set in a directory whose `run.json` says `info`, its members as they are now."""
    told: list[Mapping[str, Any]] = list(info["members"])  # pyright: ignore
    here = [path / FOLDER / str(one["number"]) for one in told]
    runs = [open_run(member) for member in here if (member / "run.json").is_file()]
    done = [run for run in runs if run.status == "done"]
    metrics, test = spread(run.metrics for run in done), spread(run.test for run in done)
    return RunSet(
        path,
        str(info["kind"]),
        str(info.get("status", "running")),
        len(told),
        tuple(run for run in runs if isinstance(run, Run)),
        {int(one["number"]): str(one["error"]) for one in told if one.get("error")},
        _means(metrics),
        _deviations(metrics),
        _means(test),
        _deviations(test),
        info.get("signal"),  # pyright: ignore[reportArgumentType]
    )


def spread(rows: Iterable[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """What several runs reached, by name: `mean`, `sd` and the `values` themselves.

    Args:
        rows: of each run the numbers by name; None or NaN where one is none.

    Returns:
        `sd` is the sample standard deviation, the root of the sum of squared differences over n - 1; None for fewer
        than two numbers, as `mean` is where there is none.

    >>> spread([{"loss": 1.0}, {"loss": 3.0}])
    {'loss': {'mean': 2.0, 'sd': 1.4142135623730951, 'values': [1.0, 3.0]}}
    """
    columns: dict[str, list[float | None]] = {}
    listed = list(rows)
    for row in listed:
        columns |= {name: [one.get(name) for one in listed] for name in row if name not in columns}
    found: dict[str, dict[str, Any]] = {}
    for name, values in columns.items():
        known = [value for value in values if value is not None and math.isfinite(value)]
        mean = statistics.fmean(known) if known else None
        found[name] = {"mean": mean, "sd": statistics.stdev(known) if len(known) > 1 else None, "values": values}
    return found


def evaluated(path: Path) -> Mapping[str, Any] | None:
    """The evaluation that a run has in its report; None if it has none."""
    file = path / "report" / "evaluation.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def report(path: Path, found: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, object]:
    """Write `report/evaluation.json` of a set.

    Args:
        found: the directory and the evaluation of each member.

    Returns:
        `part`; `members` with `run`, `examples` and `metrics`; `metrics` by name, as `spread` has them.
    """
    result: dict[str, object] = {
        "run": str(path),
        "part": found[0][1]["part"],
        "members": [
            {"run": str(member), "examples": one["examples"], "metrics": one["metrics"]} for member, one in found
        ],
        "metrics": spread(one["metrics"] for _, one in found),
    }
    atomic.write_json(path / "report" / "evaluation.json", result)
    return result


def several(path: Path, info: Mapping[str, Any]) -> Problem:
    """What to tell of a set where one run is wanted: K625, with its members."""
    names = [f"`{path / FOLDER / str(one['number'])}`" for one in info["members"]]
    shown = names if len(names) < 4 else [names[0], "…", names[-1]]
    message = f"`{path}` is a set of {len(names)} runs, and one run is wanted"
    return Problem("K625", message, help=f"give one of its members: {', '.join(shown)}")


def _means(numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    return {name: one["mean"] for name, one in numbers.items()}


def _deviations(numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    return {name: one["sd"] for name, one in numbers.items()}
