"""Job → a trained model: Keras's `fit`, from the beginning or from a checkpoint, with all that watches it."""

import signal
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from kbuild.spec.train import Plateau
from kbuild.train import callbacks, checkpoint, monitors, rundir, state
from kbuild.train.job import Job
from kbuild.train.progress import Reporter
from kbuild.train.saver import Position, Saver, Stopped
from kbuild.train.signals import Signals
from kbuild.train.witness import Witness

Row = Callable[[Mapping[str, float], bool], None]


@dataclass(frozen=True, slots=True)
class Loop:
    """A training under way: the callbacks that know how it stands.

    Args:
        kept: those whose counts a checkpoint keeps.
        all: every one, in the order in which Keras calls them.
    """

    job: Job
    guard: callbacks.Guard
    best: callbacks.Best
    recorder: callbacks.Recorder
    saver: Saver
    kept: tuple[keras.callbacks.Callback, ...]
    all: tuple[keras.callbacks.Callback, ...]


class _Recall(keras.callbacks.Callback):
    """Gives the callbacks their counts back, after Keras has told them that training begins."""

    async_safe = True

    def __init__(self, kept: tuple[keras.callbacks.Callback, ...]):
        super().__init__()
        self._kept = kept
        self.start: Position | None = None

    def on_train_begin(self, logs: object = None) -> None:
        """The counts of the callbacks."""
        if self.start is not None:
            state.recall(self._kept, self.start.state["callbacks"])  # pyright: ignore[reportArgumentType]

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """The metrics of an epoch that was left in the middle: Keras has just begun them anew."""
        if self.start is not None and self.start.batch and epoch == self.start.epoch:
            state.metrics(self._model, self.start.arrays)


def loop(
    job: Job, path: Path, text: str, rows: list, row: Row, signals: Signals, report: Reporter, *watch: Witness
) -> Loop:
    """All that watches a training.

    Args:
        text: the spec as resolved, which a checkpoint keeps.
        path: the run directory, for callbacks that write and for checkpoints.
        rows: of the epochs that were finished; whoever takes `row` adds to it.
        row: called with the row of each epoch that counts, and whether it is the best.
    """
    spec, steps = job.spec.train, job.train.steps
    guard = callbacks.Guard(signals)
    monitor, first, mode = _monitor(job)
    best = callbacks.Best(monitor, monitors.direction(monitor, mode, job.metrics), first, guard)
    recorder = callbacks.Recorder(job.train.start, report.step, row, steps, best, guard)
    swap, rest = callbacks.own(spec, path, job.model, job.metrics)
    if isinstance(spec.schedule, Plateau):
        rest = [*callbacks.plateau(spec.schedule, job.metrics, steps, spec.epochs), *rest]
    if spec.early_stopping is not None:
        rest.append(callbacks.early_stopping(spec.early_stopping, job.metrics))
    kept = (*swap, *rest)

    def take(epoch: int, batch: int) -> Position:
        return _position(job, guard, best, kept, {"spec": text, "rows": [dict(row) for row in rows]}, epoch, batch)

    def save(position: Position) -> None:
        folder, done = path / "checkpoints", position.epoch * steps + position.batch
        keep = spec.checkpoint.keep if spec.checkpoint else 2
        checkpoint.save(folder, done, position.arrays, position.state, keep)
        if "saved" not in rundir.info(path):
            # from now on a run without checkpoints has lost them
            rundir.describe(path, saved=done)

    saver = Saver(spec.checkpoint, steps, spec.epochs, guard, take, save)
    return Loop(
        job, guard, best, recorder, saver, kept, (*watch, saver.before, *swap, guard, best, recorder, *rest, saver)
    )


def run(made: Loop, start: Position | None) -> Exception | None:
    """Train until the end, early stopping, a signal or a mistake; the exception that ended it, if one did.

    Args:
        start: where to go on; None begins.
    """
    job = made.job
    epochs = job.spec.train.epochs
    # an output without a loss was asked for; Keras takes it for an oversight
    warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
    again = _Recall(made.kept)
    if start is not None and (start.state["stopped"] or start.epoch >= epochs):
        # it was killed after its last epoch
        state.restore(job.model, start.arrays)
        return None
    try:
        if start is not None and start.batch:
            _segment(made, again, start, job.train.rest(start.batch))
            start = made.saver.last
            if start is None or start.state["stopped"] or start.epoch >= epochs:
                return None
        _segment(made, again, start, job.train.data)
    except Stopped:
        pass
    except KeyboardInterrupt:
        if made.guard.signals.received is not None:
            raise  # it came twice
        made.guard.signals.received = signal.SIGINT
    except OSError:
        raise
    except Exception as error:
        return error
    return None


def first_steps(made: Loop, watch: Witness) -> Loop:
    """The same with a witness that ends it, and without checkpoints."""
    savers = (made.saver, made.saver.before)
    return replace(made, all=(watch, *(one for one in made.all if one not in savers)))


def recalled(made: Loop, start: Position) -> None:
    """Give the best epoch so far back."""
    found = start.state["best"]
    assert isinstance(found, Mapping)
    made.best.epoch, made.best.value = found["epoch"], float(found["value"])
    count = sum(name.startswith("best/") for name in start.arrays)
    made.best.weights = [start.arrays[f"best/{at}"] for at in range(count)] if count else None


def _segment(made: Loop, again: _Recall, start: Position | None, data: object) -> None:
    """One call of Keras's `fit`: the rest of an epoch that was left in the middle, or all epochs to come."""
    again.start = start
    first = 0 if start is None else start.batch
    made.guard.first = made.recorder.first = made.saver.first = first
    made.saver.only, made.saver.last = first > 0, None
    if start is not None:
        state.restore(made.job.model, start.arrays)
    validation = made.job.validation
    made.job.model.fit(
        data,
        initial_epoch=0 if start is None else start.epoch,
        epochs=made.job.spec.train.epochs,
        validation_data=None if validation is None else validation.data,
        callbacks=[*made.all, again],
        verbose=0,  # pyright: ignore[reportArgumentType]
        shuffle=False,
    )
    if made.saver.last is not None:
        # Keras ends by giving the model the averages of its weights, which are in it already
        state.restore(made.job.model, made.saver.last.arrays)


def _position(
    job: Job, guard: callbacks.Guard, best: callbacks.Best, kept: Any, known: dict, epoch: int, batch: int
) -> Position:
    arrays = state.arrays(job.model)
    arrays |= {f"best/{at}": array for at, array in enumerate(best.weights or ())}
    values = {
        **known,
        "epoch": epoch,
        "batch": batch,
        "best": {"epoch": best.epoch, "value": best.value},
        "callbacks": state.callbacks(kept),
        "stopped": bool(getattr(job.model, "stop_training", False)) and not guard.ended,
    }
    return Position(epoch, batch, arrays, values)


def _monitor(job: Job) -> tuple[str, int, str]:
    """What makes an epoch the best, from which epoch on, and its direction if the spec says one."""
    section = job.spec.train.early_stopping
    if section is not None:
        return section.monitor, section.start_from_epoch, section.mode
    return ("val_loss" if "val_loss" in job.names else "loss"), 0, "auto"
