"""Job → Run: the training itself, and what it leaves on the disk."""

import contextlib
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from kbuild.data.lazy import Array
from kbuild.model import backend
from kbuild.spec.data import Npz
from kbuild.spec.fill import filled, roots
from kbuild.text.problem import Problem, SpecError
from kbuild.text.write import write
from kbuild.train import atomic, checkpoint, diagnosis, events, execution, figures, history, lock, loop, rundir, score
from kbuild.train import shortage as memory
from kbuild.train.compile import base_rate
from kbuild.train.findings import Probe
from kbuild.train.health import Health
from kbuild.train.job import Job, broken
from kbuild.train.progress import Reporter
from kbuild.train.run import Run
from kbuild.train.saver import Position
from kbuild.train.signals import Signals
from kbuild.train.tensorboard import Board
from kbuild.train.witness import Witness


def train(
    job: Job,
    *,
    out: Path | None,
    command: Sequence[str],
    report: Reporter,
    start: Position | None = None,
    held: bool = False,
) -> Run:
    """Train until the end, early stopping or a signal; save, evaluate, and write the reports.

    Args:
        out: the run directory to make.
        start: where to go on; None begins.
        held: `out` is a run that is there, and the caller holds its lock.

    Raises:
        SpecError: K510 if the loss stops being a number, K511 if a step fails; the run then says `failed` and keeps
            the best model so far.
    """
    if job.spread is not None and not job.spread.writes:
        # process 0 leaves the run; what this one would leave is the same, and goes when it ends
        with tempfile.TemporaryDirectory(prefix="kbuild-") as place:
            return _guarded(job, rundir.create(job.spec.name, Path(place) / "run"), command, Reporter(), start)
    if held and out is not None:
        return _guarded(job, out, command, report, start)
    path = rundir.create(job.spec.name, out)
    with lock.held(path):
        return _guarded(job, path, command, report, None)


def _guarded(job: Job, path: Path, command: Sequence[str], report: Reporter, start: Position | None) -> Run:
    try:
        return _train(job, path, command, report, start)
    except OSError as error:
        # only the disk of the run can be at fault here: data that cannot be read are a SpecError
        begun = (path / "run.json").exists()
        with contextlib.suppress(OSError):
            if begun:
                rundir.describe(path, status="failed", error=str(error))
        then = f"then go on with `kbuild fit --resume {path}`; what was saved before is whole"
        then = then if begun else f"remove `{path}`, then train again"
        raise SpecError(
            Problem(
                "K608",
                f"cannot write the run `{path}`: {error.strerror or error}",
                help=f"make room, {then}",
            )
        ) from error
    finally:
        report.finish()


def _train(job: Job, path: Path, command: Sequence[str], report: Reporter, start: Position | None) -> Run:
    text = write(filled(job.spec))
    _begin(job, path, text, command, start)
    for note in (*job.notes, f"run {path}"):
        report.note(note)
    keeper = _Keeper(job, path, text, report, start)
    well = False
    try:
        with Signals() as signals:
            watch = () if start else (Witness(lambda found: rundir.describe(path, witness=found)),)
            made = loop.loop(job, path, text, keeper.rows, keeper.row, signals, report, *watch)
            made = replace(made, after=() if keeper.health is None else (keeper.health,))
            if start is not None:
                loop.recalled(made, start)
            report.start(job.spec.train.length, job.train.steps)
            cause = loop.run(made, start)
            well = cause is None and made.guard.failure is None
            scarce = memory.is_shortage(cause)
            if scarce:
                memory.release(cause)
            phase = (made.recorder.phase or 1) - 1
            run = _finish(job, path, keeper, made.guard, made.best, phase, cause)
    finally:
        keeper.close(well)
    if cause is not None:
        where = f"epoch {len(keeper.rows) + 1}" if keeper.rows else "the first epoch"
        if scarce:
            raise SpecError(memory.shortage(job.spec, where, run=path if keeper.rows else None)) from cause
        raise SpecError(broken(cause, where, job.dataset.train, job.model)) from cause
    if made.guard.failure is not None:
        probes = [] if keeper.health is None else keeper.health.probes
        raise SpecError(diagnosis.not_finite(job, made.guard.failure, path, run.best_epoch, probes[-1:], phase))
    return run


class _Keeper:
    """Takes the row of each epoch to the history, TensorBoard and the person."""

    def __init__(self, job: Job, path: Path, text: str, report: Reporter, start: Position | None):
        self.rows: list[Mapping[str, float]] = list(start.state["rows"]) if start else []  # pyright: ignore
        self._job, self._path, self._report = job, path, report
        file = path / "history.csv"
        self._history = history.Writer(file, self.rows if start is not None or file.exists() else None)
        section = job.spec.train.tensorboard
        self.board = None if section is None else Board(path / "tensorboard", section.histograms)
        if self.board is not None:
            events.cut(path / "tensorboard", len(self.rows) if start is not None else -1)
            if start is None:
                self.board.begin(text, job.model, _hyperparameters(job))
            else:
                self.board.session(_hyperparameters(job))
        done = 0 if start is None else start.epoch * job.train.steps + start.batch
        self.health = Health(job, path, self.probe, done) if job.spec.train.health else None

    def row(self, row: Mapping[str, float], improved: bool) -> None:
        self.rows.append(row)
        self._history.append(row)
        if self.board is not None:
            self.board.epoch(row, self._job.model)
            if self.health is not None and "val_loss" in row:
                self.board.health({"gap": row["val_loss"] - row["loss"]}, int(row["epoch"]))
        self._report.epoch(row, improved)

    def probe(self, probe: Probe) -> None:
        if self.board is not None:
            named = {"gradient_norm": probe.gradient_norm, "dead": probe.dead, "saturated": probe.saturated}
            values = {f"{kind}/{name}": value for kind, part in named.items() for name, value in part.items()}
            self.board.health(values, probe.epoch)

    def tell(self, sentences: Sequence[str]) -> None:
        """The likeliest cause; the others often follow from it, and stand in `run.json`."""
        more = f" ({len(sentences) - 1} more in `report/health.json`)" if len(sentences) > 1 else ""
        for sentence in sentences[:1]:
            self._report.note(f"warning: {sentence}{more}")

    def close(self, success: bool) -> None:
        if self.board is not None:
            self.board.end(success)
            self.board = None


def save(model: keras.Model, path: Path) -> None:
    """Save a model whole or not at all."""
    with atomic.writing(path) as temporary:
        model.save(temporary)


def bare(model: keras.Model) -> keras.Model:
    """The same layers and weights, without optimizer, loss and metrics: what others need to use the model."""
    return keras.Model(model.input, model.output, name=model.name)


def _finish(job: Job, path: Path, keeper: _Keeper, guard, best, phase: int, cause: Exception | None) -> Run:
    """Save what there is and describe it.

    Args:
        phase: the last that was begun, from 0.
    """
    whole = cause is None and guard.failure is None
    status = "failed" if not whole else "stopped" if guard.signals.received else "done"
    section = job.phases[phase].spec.train.early_stopping
    restore = section is None or section.restore_best_weights or not whole or status == "stopped"
    if best.weights is not None and restore:
        job.model.set_weights(best.weights)
    if best.weights is not None or (keeper.rows and whole):
        save(bare(job.model), path / "model.keras")
    epoch = None if best.epoch is None else best.epoch + 1
    row = next((row for row in keeper.rows if row["epoch"] == epoch), {})
    numbers = {name: value for name, value in row.items() if name not in history.FIRST}
    if keeper.rows:
        figures.curves(path / "report" / "curves.png", history.read(path / "history.csv"), epoch)
    test: Mapping[str, float] = {}
    if status == "done":
        try:
            with guard.signals.breaking():
                test = score.report(job.model, job.heads, job.dataset, job.features, job.spec, path, job.running)
        except KeyboardInterrupt:
            status = "stopped"
    seconds = sum(row["seconds"] for row in keeper.rows)
    weights: Any = [taken.as_json() for taken in job.started] or rundir.info(path).get("weights") or ()
    run = Run(path, status, len(keeper.rows), seconds, epoch, numbers, test, guard.signals.received, weights)
    if keeper.health is not None and status != "stopped":
        run = replace(run, health=[one.sentence for one in keeper.health.findings(keeper.rows, epoch, phase)])
        keeper.tell(run.health)
    _show(keeper.board, path, numbers, test)
    keeper.close(whole)  # what is done is there whole
    rundir.describe(
        path,
        monitor=best.monitor,
        signal=run.signal,
        finished=rundir.now(),
        error=str(cause) if cause else str(guard.failure) if guard.failure else None,
        **{k: v for k, v in run.as_json().items() if k != "run"},
    )
    return run


def _show(board: Board | None, path: Path, numbers: Mapping[str, float], test: Mapping[str, float]) -> None:
    if board is None:
        return
    for name in ("confusion", "curves", "worst"):
        if (path / "report" / f"{name}.png").exists():
            board.picture(name, path / "report" / f"{name}.png")
    board.best(numbers, test)


def _again(job: Job, path: Path, text: str, start: Position) -> None:
    """Write down that a run goes on."""
    spec, digest = job.spec, hashlib.sha256(text.encode()).hexdigest()
    again = {"resumed": rundir.now(), "planned_epochs": spec.train.length, "spec_digest": digest}
    rundir.describe(path, status="running", **rundir.process(), **again)
    atomic.write_text(path / "spec.yaml", text)
    if spec.train.checkpoint is not None:
        # those that were to go when it was killed, and there may be none to come that would have them go
        done = start.epoch * job.train.steps + start.batch
        checkpoint.retain(path / "checkpoints", done, spec.train.checkpoint.keep)


def _begin(job: Job, path: Path, text: str, command: Sequence[str], start: Position | None) -> None:
    """Write everything that is known before the first step."""
    spec, data = job.spec, job.dataset
    checkpoint.clean(path / "checkpoints")
    atomic.clean(path)
    if start is not None:
        _again(job, path, text, start)
        return
    atomic.write_text(path / "spec.yaml", text)
    atomic.write_json(path / "encoding.json", data.encoding)
    if not (path / "run.json").exists():
        rundir.keep_sources(path, spec.sources)
    # the last of them: what has it is a run, and can be begun again
    rundir.describe(
        path,
        name=spec.name,
        status="running",
        **rundir.process(),
        created=rundir.now(),
        command=list(command),
        versions=rundir.versions(),
        backend=keras.backend.backend(),
        device=execution.device(),
        threads=backend.threads(),
        **({} if job.spread is None else {"devices": job.spread.devices, "processes": job.spread.processes}),
        execution=job.running.choice.as_json(),
        seed=spec.train.seed,
        spec_digest=hashlib.sha256(text.encode()).hexdigest(),
        data={
            "digest": data.digest,
            "train": len(data.train),
            "validation": len(data.validation or ()),
            "test": len(data.test or ()),
        },
        data_roots=[str(root) for root in roots(spec)],
        trust=spec.trust,
        use=[str(file) for file in spec.use],
        parameters=job.model.count_params(),
        inputs={name: _described(name, array, job) for name, array in data.train.x.items()},
        outputs=[score.described(head) for head in job.heads],
        notes=[*job.notes, *backend.notes()],
        **({"weights": [taken.as_json() for taken in job.started]} if job.started else {}),
        planned_epochs=spec.train.length,
    )


def _described(name: str, array: Array, job: Job) -> dict[str, object]:
    """An input, so that new examples can be read without the data."""
    source = None if job.spec.data is None else job.spec.data.source
    keys = source.x if isinstance(source, Npz) else name
    key = keys if isinstance(keys, str) else keys.get(name, name)
    ranges = job.dataset.header.seen.inputs
    known = ranges.get(name) or next(iter(ranges.values()))
    number = float if array.dtype.kind == "f" else int
    return {
        "shape": array.shape[1:],
        "dtype": array.dtype.name,
        "range": [number(known.low), number(known.high)],
        "key": key,
    }


def _hyperparameters(job: Job) -> dict[str, object]:
    train, data = job.phases[0].spec.train, job.spec.data
    return {
        "optimizer": train.optimizer.name,
        "learning_rate": base_rate(job.model.optimizer),
        "batch_size": 0 if data is None else data.batch_size,
        "epochs": job.spec.train.length,
        **({"phases": len(job.phases)} if job.spec.train.phases else {}),
        "seed": train.seed,
        "precision": train.precision,
        "parameters": job.model.count_params(),
    }
