"""Task → Outcome: one trial, trained in a process that may have trained others before."""

import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kbuild.model import backend as engine
from kbuild.spec.parse import parse
from kbuild.spec.spec import Spec
from kbuild.text.problem import SpecError
from kbuild.text.read import read
from kbuild.text.source import Source
from kbuild.train.trial import Trial, training

if TYPE_CHECKING:
    from kbuild.train.run import Run
    from kbuild.train.runset import RunSet

Status = Literal["done", "failed", "stopped"]
ORPHAN_SECONDS = 60.0
"""How long a process may hold a trial's run whose driver was killed."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know of a trial; it goes from one process to another.

    Args:
        text: the spec of the trial, nothing in it open.
        home, data_roots, trust: as of the study's spec.
        out: the run directory of the trial; one that is there is gone on with.
        parent: the run directory that it goes on from, None begins.
        objective: what the score is.
        values: what was chosen, by path of hole, for TensorBoard.
    """

    trial: int
    name: str
    text: str
    home: Path
    data_roots: tuple[Path, ...]
    trust: bool
    out: Path
    objective: str
    backend: str | None = None
    epochs: int | None = None
    parent: Path | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a trial.

    Args:
        score: the objective, of the epoch that the run keeps; the mean where a trial is trained several times.
        sd: its sample standard deviation over those trainings.
        reason: why it failed; of one that is stopped, what the disk refused.
        data: digest of the examples.
    """

    trial: int
    status: Status
    score: float | None = None
    sd: float | None = None
    reason: str | None = None
    epochs: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    test: Mapping[str, float | None] = field(default_factory=dict)
    data: str | None = None


def run(task: Task) -> Outcome:
    """Train a trial, from its beginning or from where it was stopped. Raises nothing: what fails is an outcome.

    Its reports hold numbers and no pictures, which `kbuild evaluate` draws of any run.
    """
    from kbuild.train import figures

    try:
        with training(Trial(f"trial {task.trial}", task.values)), figures.undrawn(), engine.forgetting():
            return outcome(task, _alone(task))
    except SpecError as error:
        if error.problems[0].code in ("K602", "K608"):  # the disk's fault: with room, the trial goes on
            return Outcome(task.trial, "stopped", reason=error.problems[0].message)
        return Outcome(task.trial, "failed", reason=error.problems[0].message)
    except MemoryError:
        return Outcome(task.trial, "failed", reason="there is no memory left")
    except Exception as error:  # a trial that breaks something of Keras's is a result, not the end of the search
        return Outcome(task.trial, "failed", reason=f"{type(error).__name__}: {error}".splitlines()[0])


def spec_of(task: Task) -> Spec:
    """The spec of a trial."""
    source = Source(f"{task.out.name}.yaml", task.text)
    return parse(read(source), task.name, task.home, (source,), task.data_roots, task.trust)


def outcome(task: Task, found: "Run | RunSet") -> Outcome:
    """What a run says of its trial."""
    score = found.metrics.get(task.objective)
    sd = getattr(found, "sd", {}).get(task.objective)
    numbers: dict[str, Any] = {
        "epochs": found.epochs, "seconds": round(found.seconds, 3), "metrics": dict(found.metrics),
        "test": dict(found.test), "data": _data(found.path),
    }  # fmt: skip
    if found.status == "stopped":
        return Outcome(task.trial, "stopped", **numbers)
    if found.status == "failed" or score is None or not math.isfinite(score):
        reasons = list(getattr(found, "reasons", {}).values())
        why = reasons[0] if reasons else f"`{task.objective}` is not a number"
        return Outcome(task.trial, "failed", reason=why, **numbers)
    return Outcome(task.trial, "done", float(score), sd, **numbers)


def _data(path: Path) -> str | None:
    """The digest of the data of a run; of a set, that of its first member."""
    from kbuild.train import rundir

    for place in (path, path / "members" / "1"):
        data = rundir.info(place).get("data") if (place / "run.json").is_file() else None
        if isinstance(data, dict):
            return data.get("digest")
    return None


def _alone(task: Task) -> "Run | RunSet":
    """Train where a worker of a driver that was killed may still be about to end."""
    until = time.monotonic() + ORPHAN_SECONDS
    while True:
        try:
            return _trained(task)
        except SpecError as error:
            if error.problems[0].code != "K620" or time.monotonic() > until:
                raise
            time.sleep(0.2)


def _trained(task: Task) -> "Run | RunSet":
    from kbuild.train.fit import fit
    from kbuild.train.progress import Reporter
    from kbuild.train.resume import resume
    from kbuild.train.run import open_run

    goes_on: dict[str, Any] = {
        "backend": task.backend, "data_roots": task.data_roots, "trust": task.trust, "report": Reporter(),
    }  # fmt: skip
    if task.parent is not None and not task.out.exists():
        staged = task.out.with_name(f".{task.out.name}")
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(task.parent, staged)
        staged.rename(task.out)
    if task.out.exists():
        try:
            return resume(task.out, epochs=task.epochs, **goes_on)
        except SpecError as error:
            if error.problems[0].code == "K621":
                return open_run(task.out)
            if error.problems[0].code not in ("K603", "K604", "K605", "K623"):
                raise
            # it was killed before there was anything to go on from
            shutil.rmtree(task.out)
    return fit(spec_of(task), out=task.out, backend=task.backend, command=(), report=Reporter())
