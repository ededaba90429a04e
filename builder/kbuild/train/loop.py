"""Job → a trained model: Keras's `fit`, phase by phase, from the beginning or from a checkpoint."""

import signal
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import keras

from kbuild.text.problem import SpecError
from kbuild.train import callbacks, monitors, state
from kbuild.train.checkpoint import Position
from kbuild.train.job import Job
from kbuild.train.progress import Reporter
from kbuild.train.saver import Stopped
from kbuild.train.signals import Signals
from kbuild.train.stage import Loop, Stage, announce, enter, recall_best
from kbuild.train.witness import Witness

Row = Callable[[Mapping[str, float], bool], None]


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
    job: Job,
    path: Path,
    text: str,
    rows: list,
    row: Row,
    signals: Signals,
    report: Reporter,
    *watch: keras.callbacks.Callback,
) -> Loop:
    """All that watches a training, from its first epoch to its last. For the arguments see `Loop`.

    Args:
        row: called with the row of each epoch that counts, and whether it is the best.
    """
    guard = callbacks.Guard(signals)
    monitor, mode = _monitor(job)
    best = callbacks.Best(monitor, monitors.direction(monitor, mode, job.metrics), 0, guard)
    recorder = callbacks.Recorder(job.train.start, report.step, row, job.train.steps, best, guard)
    return Loop(job, path, text, rows, guard, best, recorder, report, watch)


def run(made: Loop, start: Position | None) -> Exception | None:
    """Train until the end, early stopping, a signal or a mistake; the exception that ended it, if one did.

    Args:
        start: where to go on; None begins.
    """
    # an output without a loss was asked for; Keras takes it for an oversight
    warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
    number, began = (0, 0) if start is None else (start.phase, start.began)
    try:
        while True:
            stage = enter(made, number, began, start)
            end = _trained(stage, start)
            if end is None or stage.is_last:
                return None
            if stage.best is not None and stage.best.weights is not None:
                made.job.model.set_weights(stage.best.weights)
            number, began, start = number + 1, end.epoch, None
    except Stopped:
        pass
    except KeyboardInterrupt:
        if made.guard.signals.received is not None:
            raise  # it came twice
        made.guard.signals.received = signal.SIGINT
    except (OSError, SpecError):
        raise
    except Exception as error:
        return error
    return None


def first_steps(made: Loop, watch: Witness) -> Loop:
    """The same with a witness that ends it, and without checkpoints."""
    return replace(made, watch=(watch,), saves=False)


def recalled(made: Loop, start: Position) -> None:
    """Give the best epoch so far back."""
    found = start.state["best"]
    assert isinstance(found, Mapping)
    recall_best(made.best, found, "best", start)


def _trained(stage: Stage, start: Position | None) -> Position | None:
    """Train one phase, or the rest of it; where it ended, None if that was not its end."""

    def over(at: Position) -> bool:
        return bool(at.state["stopped"]) or at.epoch >= stage.end

    if start is not None and over(start):
        # it was killed after its last epoch
        state.restore(stage.made.job.model, start.arrays)
        return start
    announce(stage)
    again = _Recall(stage.kept)
    if start is not None and start.batch:
        _segment(stage, again, start)
        start = stage.saver.last
        if start is None or over(start):
            return start
    _segment(stage, again, start)
    return stage.saver.last


def _segment(stage: Stage, again: _Recall, start: Position | None) -> None:
    """One call of Keras's `fit`: the rest of an epoch that was left in the middle, or all epochs to come."""
    made, saver = stage.made, stage.saver
    again.start = start
    first = 0 if start is None else start.batch
    made.guard.first = made.recorder.first = saver.first = first
    saver.only, saver.last = first > 0, None
    if start is not None:
        state.restore(made.job.model, start.arrays)
    validation = made.job.validation
    made.job.model.fit(
        made.job.running.data(stage.feed, first),
        initial_epoch=stage.began if start is None else start.epoch,
        epochs=stage.end,
        validation_data=None if validation is None else made.job.running.measured(validation),
        callbacks=[*stage.all, again],
        verbose=0,  # pyright: ignore[reportArgumentType]
        shuffle=False,
    )
    if saver.last is not None:
        # Keras ends by giving the model the averages of its weights, which are in it already
        state.restore(made.job.model, saver.last.arrays)


def _monitor(job: Job) -> tuple[str, str]:
    """What makes an epoch the best of the run, and its direction if the spec says one: the last phase has the word."""
    sections = [phase.spec.train.early_stopping for phase in reversed(job.phases)]
    section = next((one for one in sections if one is not None), None)
    if section is not None:
        return section.monitor, section.mode
    return ("val_loss" if "val_loss" in job.names else "loss"), "auto"
