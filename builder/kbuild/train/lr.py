"""Spec → RangeTest: the loss while the learning rate grows step by step, and the rate that it suggests. Raises
SpecError.
"""

import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kbuild.spec.fill import filled
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.text.write import write
from kbuild.train import atomic, figures, rundir, steer
from kbuild.train.fit import needs_data, placed, prepared
from kbuild.train.progress import Reporter, reporter
from kbuild.train.rates import Suggestion, memory, noise, smoothed, suggest, sweep
from kbuild.train.signals import Signals

if TYPE_CHECKING:
    from kbuild.train.job import Job

STEPS = (200, 400)
"""An epoch, but so many steps at least and at most."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Args:
        path: its directory: `lr.csv`, `lr.png`, `lr.json` and `spec.yaml`.
        status: `done`, or `stopped` by a signal.
        rates, losses: (n,) the rate of each step, and the loss of its batch before the step.
        smoothed: (n,) the running average of the losses.
        suggestion: the rate to take; None if the curve does not tell.
        found: the same with the rates that it was made from, and why.
        set: for `--set`: the suggestion at its place in the spec; None without a suggestion, or where a schedule
            holds several rates.
        signal: number of the signal that stopped it.
    """

    path: Path
    status: str
    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    found: Suggestion
    set: str | None
    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """What the command line returns for it: 0, 128 + the signal, or 4 where nothing can be suggested."""
        return 128 + self.signal if self.signal else 0 if self.suggestion is not None else 4

    def as_json(self) -> dict[str, object]:
        """The object that `lr --json` prints."""
        return {
            "path": str(self.path),
            "status": self.status,
            "steps": len(self.rates),
            "suggestion": self.suggestion,
            "set": self.set,
            "lowest": self.found.lowest,
            "steepest": self.found.steepest,
            "why": self.found.why,
        }


def lr(
    spec: Spec,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int | None = None,
    out: Path | None = None,
    backend: str | None = None,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> RangeTest:
    """A learning-rate range test (Smith, arXiv:1506.01186, section 3.3): training, its rate growing exponentially.

    Optimizer, loss, data, augmentation, batch size and seed are those of the spec; a schedule is left out. It ends
    early when the smoothed loss is four times its minimum, or no number.

    Args:
        low, high: the first and the last rate; 0 < low < high.
        steps: >= 20; None takes an epoch, 200 at least and 400 at most.
        out: the directory to make; None makes `runs/NAME-lr-NNN`.
        backend, command, report: see `kbuild.fit`.

    Raises:
        SpecError: K105 for rates or steps that cannot be; else as `kbuild.fit`, but that a loss which becomes
            infinite is what is looked for.
    """
    needs_data(spec)
    _possible(low, high, steps)
    if out is not None:
        rundir.free(Path(out))
    report = report or reporter()
    flat = replace(spec, train=steer.constant(spec.train, low))
    try:
        with prepared(flat, backend) as job:
            return _lr(spec, job, (low, high, steps), out, command, report)
    except SpecError as error:
        raise SpecError(placed(problem, spec) for problem in error.problems) from error
    finally:
        report.finish()


def _lr(
    spec: Spec, job: "Job", asked: tuple[float, float, int | None], out: Path | None, command: Sequence[str],
    report: Reporter,
) -> RangeTest:  # fmt: skip
    from kbuild.train import sweep as training
    from kbuild.train.job import broken

    low, high, steps = asked
    rates = sweep(low, high, steps or min(max(job.train.steps, STEPS[0]), STEPS[1]))
    path = rundir.create(f"{spec.name}-lr", out, folders=())
    for note in (*job.notes, *_notes(spec), f"range test {path}"):
        report.note(note)
    report.start(1, len(rates), f"{len(rates)} steps, the rate from {low:g} to {high:g}")
    try:
        with Signals() as signals:
            losses = training.run(job, rates, signals, report.step)
    except Exception as error:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise SpecError(broken(error, "a step", job.dataset.train, job.model)) from error
    report.finish()
    found = _read(path, spec, rates, losses, signals.received)
    _keep(found, spec, job, rates, command)
    return found


def _read(path: Path, spec: Spec, rates: np.ndarray, losses: Sequence[float], signal: int | None) -> RangeTest:
    beta = memory(len(rates))
    curve = smoothed(losses, beta)
    rates = rates[: len(losses)]
    found = suggest(rates, curve, noise(losses, beta))
    where = None if found.rate is None else steer.path(spec.train)
    setting = None if where is None else f"{where}={found.rate:g}"
    status = "stopped" if signal else "done"
    return RangeTest(path, status, rates, np.asarray(losses), curve, found.rate, found, setting, signal)


def _keep(found: RangeTest, spec: Spec, job: "Job", rates: np.ndarray, command: Sequence[str]) -> None:
    """Write the directory: the numbers first, the picture last."""
    import keras

    told = {
        "name": spec.name,
        **found.as_json(),
        "from": float(rates[0]),
        "to": float(rates[-1]),
        "planned_steps": len(rates),
        "seed": spec.train.seed,
        "command": list(command),
        "versions": rundir.versions(),
        "backend": keras.backend.backend(),
        "data": {"digest": job.dataset.digest, "train": len(job.dataset.train)},
        "created": rundir.now(),
    }
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("step", "learning_rate", "loss", "smoothed"))
    for at, (rate, loss, average) in enumerate(zip(found.rates, found.losses, found.smoothed, strict=True)):
        table.writerow((at + 1, f"{rate:.9g}", f"{loss:.9g}", f"{average:.9g}"))
    try:
        atomic.write_text(found.path / "lr.csv", text.getvalue())
        atomic.write_json(found.path / "lr.json", told)
        atomic.write_text(found.path / "spec.yaml", write(filled(spec)))
        if len(found.rates) > 1:
            figures.rates(found.path / "lr.png", found.rates, found.losses, found.smoothed, found.found, spec.name)
    except OSError as error:
        message = f"cannot write the range test `{found.path}`: {error.strerror or error}"
        raise SpecError(Problem("K608", message, help="make room, or choose another place with `--out DIR`")) from error


def _possible(low: float, high: float, steps: int | None) -> None:
    problems = []
    if not 0 < low < high < float("inf"):
        message = f"the rates must grow from above 0, not from {low:g} to {high:g}"
        problems.append(Problem("K105", message, help="leave `--from` and `--to` out: 1e-7 to 10"))
    if steps is not None and steps < 20:
        message = f"a range test of {steps} steps shows no curve"
        problems.append(Problem("K105", message, help="give `--steps` 20 or more, or leave it out"))
    if problems:
        raise SpecError(problems)


def _notes(spec: Spec) -> list[str]:
    name = steer.scheduled(spec.train)
    notes = [f"`{name}` is left out of the test: its rate is what grows here"] if name else []
    return [*notes, *(["it is the first phase that is tested"] if spec.train.phases else [])]
