"""(Loop, number of a phase) → Stage: the model and the callbacks that train one phase, and its checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras

from kbuild.plan.phases import Phase
from kbuild.spec.train import Plateau
from kbuild.train import callbacks, checkpoint, monitors, rundir, state
from kbuild.train.checkpoint import Position
from kbuild.train.feed import Feed
from kbuild.train.job import Job, feed_of, first_batch
from kbuild.train.phase import ready, told
from kbuild.train.progress import Reporter
from kbuild.train.saver import Saver


@dataclass(frozen=True, slots=True)
class Loop:
    """A training under way, and who looks on.

    Args:
        path: the run directory, for callbacks that write and for checkpoints.
        text: the spec as resolved, which a checkpoint keeps.
        rows: of the epochs that were finished; whoever takes them adds to it.
        guard, best, recorder: of the whole run; `best` is over all of its phases.
        watch, after: other callbacks, called before and after these.
        saves: whether there are checkpoints.
    """

    job: Job
    path: Path
    text: str
    rows: list[Mapping[str, float]]
    guard: callbacks.Guard
    best: callbacks.Best
    recorder: callbacks.Recorder
    report: Reporter
    watch: tuple[keras.callbacks.Callback, ...] = ()
    after: tuple[keras.callbacks.Callback, ...] = ()
    saves: bool = True


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase under way; a training without phases is one.

    Args:
        began: its first epoch, from 0.
        best: its own best epoch, where the next phase starts from that.
        kept: callbacks whose counts a checkpoint keeps.
        all: every one, in the order in which Keras calls them.
    """

    made: Loop
    phase: Phase
    began: int
    feed: Feed
    best: callbacks.Best | None
    saver: Saver
    kept: tuple[keras.callbacks.Callback, ...]
    all: tuple[keras.callbacks.Callback, ...]

    @property
    def end(self) -> int:
        """The epoch after its last one, if it is not stopped early."""
        return self.began + self.phase.spec.train.epochs

    @property
    def is_last(self) -> bool:
        """Whether no phase follows."""
        return self.phase.number + 1 == len(self.made.job.phases)


def enter(made: Loop, number: int, began: int, start: Position | None) -> Stage:
    """The model made ready for a phase, and the callbacks that belong to it alone.

    Args:
        number: of the phase, from 0.
        began: its first epoch, from 0.
        start: where it goes on; None begins it.
    """
    job, steps = made.job, made.job.train.steps
    # the model was compiled for the first phase to see that it can be
    phase, feed = job.phases[number], feed_of(job, number)
    if number:
        ready(job.model, job.plan, job.built, phase, job.heads, steps)
    if number and start is not None:
        # metrics have no variables that could be restored before they have seen a batch
        first_batch(job.model, job.spec, job.heads, job.dataset.train, job.features, job.running)
    spec = phase.spec.train
    swap, rest = callbacks.own(spec, made.path, job.model, job.metrics, began)
    if isinstance(spec.schedule, Plateau):
        rest = [*callbacks.plateau(spec.schedule, job.metrics, steps, spec.epochs), *rest]
    stopping, best = spec.early_stopping, None
    made.best.start = began + (stopping.start_from_epoch if stopping else 0)
    if stopping is not None:
        rest.append(callbacks.early_stopping(stopping, job.metrics, began))
        if stopping.restore_best_weights and number + 1 < len(job.phases):
            way = monitors.direction(stopping.monitor, stopping.mode, job.metrics)
            best = callbacks.Best(stopping.monitor, way, made.best.start, made.guard)
    kept = (*swap, *rest)

    def take(epoch: int, batch: int) -> Position:
        return _position(stage, epoch, batch)

    saver = Saver(spec.checkpoint, steps, began + spec.epochs, made.guard, take, partial(_save, made))
    own = (*swap, made.guard, made.best, *([best] if best else []), made.recorder, *rest)
    # what looks at an epoch does so before it is saved: what a checkpoint leaves behind is not done again
    all = (*made.watch, saver.before, *own, *made.after, saver) if made.saves else (*made.watch, *own)
    stage = Stage(made, phase, began, feed, best, saver, kept, all)
    if job.spec.train.phases:
        made.recorder.phase, made.recorder.begin = number + 1, feed.start
    if start is not None and best is not None:
        recall_best(best, start.state["phase"]["best"], "phase", start)  # pyright: ignore
        if best.epoch is not None and best.epoch == made.best.epoch:
            best.weights = made.best.weights
    return stage


def announce(stage: Stage) -> None:
    """Say what a phase trains."""
    job = stage.made.job
    if job.spec.train.phases:
        left = sum(part.spec.train.epochs for part in job.phases[stage.phase.number :])
        text = told(job.model, stage.phase, len(job.phases), stage.began)
        stage.made.report.phase(text, stage.began + left)


def recall_best(best: callbacks.Best, found: Mapping[str, Any], kind: str, start: Position) -> None:
    """Give what a checkpoint keeps of a best epoch back, its weights under `kind`."""
    best.epoch, best.value = found["epoch"], float(found["value"])
    count = sum(name.startswith(f"{kind}/") for name in start.arrays)
    best.weights = [start.arrays[f"{kind}/{at}"] for at in range(count)] if count else None


def _position(stage: Stage, epoch: int, batch: int) -> Position:
    made, own = stage.made, stage.best
    arrays = state.arrays(made.job.model)
    arrays |= {f"best/{at}": array for at, array in enumerate(made.best.weights or ())}
    values: dict[str, object] = {
        "spec": made.text,
        "rows": [dict(row) for row in made.rows],
        "epoch": epoch,
        "batch": batch,
        "best": {"epoch": made.best.epoch, "value": made.best.value},
        "callbacks": state.callbacks(stage.kept),
        "stopped": bool(getattr(made.job.model, "stop_training", False)) and not made.guard.ended,
    }
    if made.job.spec.train.phases:
        best = None if own is None else {"epoch": own.epoch, "value": own.value}
        values["phase"] = {"number": stage.phase.number, "began": stage.began, "best": best}
    if own is not None and own.epoch != made.best.epoch:
        arrays |= {f"phase/{at}": array for at, array in enumerate(own.weights or ())}
    return Position(epoch, batch, arrays, values)


def _save(made: Loop, position: Position) -> None:
    section, done = made.job.spec.train.checkpoint, position.epoch * made.job.train.steps + position.batch
    keep = section.keep if section else 2
    checkpoint.save(made.path / "checkpoints", done, position.arrays, position.state, keep)
    if "saved" not in rundir.info(made.path):
        # from now on a run without checkpoints has lost them
        rundir.describe(made.path, saved=done)
