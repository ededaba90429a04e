"""Spec → Study, and a study that was stopped → the same study, gone on with. Raises SpecError."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kbuild.data.load import load as read
from kbuild.model import backend as engine
from kbuild.plan.check import Checked, check
from kbuild.plan.corners import corners, problems
from kbuild.plan.space import Space, space
from kbuild.search import ledger
from kbuild.search.answer import answer
from kbuild.search.axes import described
from kbuild.search.connect import connected
from kbuild.search.drive import Driver, Plan, drive
from kbuild.search.executor import Site
from kbuild.search.oracle import Oracle
from kbuild.search.seeing import Reporter, reporter
from kbuild.search.study import FOLDER, KIND, Study, is_study, open_study
from kbuild.search.workers import Machine
from kbuild.spec.fill import open_tree, roots
from kbuild.spec.load import load
from kbuild.spec.spec import Spec
from kbuild.spec.tune import Tune
from kbuild.text.problem import Problem, SpecError
from kbuild.text.write import write
from kbuild.train import atomic, lock, monitors, rundir
from kbuild.train.fit import features, needs_data, placed
from kbuild.train.signals import Signals


def tune(
    spec: Spec,
    *,
    out: Path | None = None,
    backend: str | None = None,
    parallel: int | None = None,
    ray: str | None = None,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> Study:
    """Search the holes of a spec for the best network, and leave a study: its trials, and `best.yaml`.

    Args:
        out: the study's directory, absent or empty; None makes `runs/NAME-NNN`.
        backend: `tensorflow`, `jax` or `torch`; None is the one that is configured or installed.
        parallel: trials at the same time; None as the spec says, else as many as the cores, GPUs and memory can use.
        ray: address of a Ray cluster that trains: `local`, `auto`, `HOST:PORT` or `ray://HOST:PORT`; None is this
            machine without Ray.

    Returns:
        The study, `done`, or `stopped` by SIGINT or SIGTERM; `failed` if too many trials in a row failed.

    Raises:
        SpecError: K170 if there is nothing to search, K166 without data; what `check` finds; K516, K517 if
            there is no Ray or no cluster; K601, K602; problems of the data (K4xx).
    """
    needs_data(spec)
    found = _seen(spec, backend) if ray is None else check(spec)
    where = searchable(spec, found)
    if out is not None:
        rundir.free(Path(out))
    spec_tune = spec.tune or Tune()
    spec = replace(spec, tune=spec_tune)
    running = engine.choose(backend)
    with _site(ray) as site:
        count = parallel or spec_tune.parallel or _most_workers(spec_tune, site.parallel())
        path = rundir.create(spec.name, out, folders=("source", FOLDER))
        with lock.held(path), _room(path):
            text = write(open_tree(spec))
            _begin(path, spec, text, running, (count, spec.train.threads or site.threads(count)), command)
            return _search(path, spec, where, found, site, report or reporter())


def resume(
    path: Path | str,
    *,
    data_roots: Sequence[str | Path] = (),
    trust: bool = False,
    ray: str | None = None,
    report: Reporter | None = None,
) -> Study:
    """Go on with a study that was stopped or killed, here or on a Ray cluster: it becomes what it would have been.

    Raises:
        SpecError: K603–K605, K642 if it is no study; K620 if another process runs it; K640 if its ledger is damaged;
            K641 if its spec, its data or KerasTuner is another than before; K516, K517 without Ray or a cluster.
    """
    path = Path(path)
    info: dict[str, Any] = rundir.info(path)
    if not is_study(info):
        open_study(path)
    with lock.held(path), _room(path):
        for folder in (path, path / "top"):
            atomic.clean(folder, below=False)
        events = ledger.read(path / ledger.NAME)
        text = (path / "spec.yaml").read_text("utf-8")
        _same_spec(path, events, text)
        spec = load(path / "spec.yaml", data_roots=data_roots, trust=trust)
        found = check(spec)
        engine.choose(str(info["backend"]))
        spec = replace(spec, tune=spec.tune or Tune())
        where = searchable(spec, found)
        with _site(ray) as site:
            rundir.describe(path, status="running", resumed=rundir.now(), **rundir.process())
            return _search(path, spec, where, found, site, report or reporter())


def _seen(spec: Spec, backend: str | None) -> Checked:
    """The spec, checked. Data that tell nothing without being read are read: what is wrong with them is not to be found
    by each trial, and what has to be fetched not to be fetched by several at the same time."""
    found = check(spec)
    if found.header is not None:
        return found
    engine.start(backend)
    assert spec.data is not None
    try:
        dataset = read(spec.data, spec.train.seed, features=features(spec), trust=spec.trust)
    except SpecError as error:
        raise SpecError(placed(problem, spec) for problem in error.problems) from error
    return check(spec, dataset.header)


def searchable(spec: Spec, found: Checked) -> Space:
    """The space of a spec. Raises SpecError K170 if it has no holes, K172 if no network fits its budget,
    K173 for Hyperband over phases."""
    where = space(spec, found.header)
    if not where.dims:
        help = "write a choice where a value stands: `units: {$int: [32, 256]}`"
        raise SpecError(
            Problem("K170", "the spec has no holes, so there is nothing to search", spec.span(""), help=help)
        )
    if spec.train.phases and spec.tune is not None and spec.tune.oracle.name == "Hyperband":
        said = "`Hyperband` says how long a trial is trained, and so do `train.phases`"
        raise SpecError(Problem("K173", said, spec.span("tune.oracle"), help="take another oracle", path="tune.oracle"))
    wrong = [problem for problem in problems(spec, where, corners(spec, found.header)) if problem.severity == "error"]
    if wrong:
        raise SpecError(wrong)
    return where


def objective(spec: Spec, found: Checked) -> tuple[str, str]:
    """What is to be best, and whether less (`min`) or more (`max`) of it is."""
    wanted = (spec.tune or Tune()).objective
    metrics = tuple(call for head in found.heads for call in head.metrics)
    return wanted.name, monitors.direction(wanted.name, wanted.direction, metrics)


@contextlib.contextmanager
def _room(path: Path) -> Iterator[None]:
    """Say of a disk that refuses how the study goes on. Raises SpecError K608."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            if (path / "run.json").exists():
                rundir.describe(path, status="failed", error=str(error))
        told = f"go on with `kbuild tune --resume {path}`; what was told before is whole"
        help = told if (path / "run.json").exists() else f"remove `{path}` and begin again"
        said = f"cannot write the study `{path}`: {error.strerror or error}"
        raise SpecError(Problem("K608", said, help=f"make room, then {help}")) from error


def _site(ray: str | None) -> contextlib.AbstractContextManager[Site]:
    return contextlib.nullcontext(Machine()) if ray is None else connected(ray)


def _search(path: Path, spec: Spec, where: Space, found: Checked, site: Site, report: Reporter) -> Study:
    assert spec.tune is not None
    info: dict[str, Any] = rundir.info(path)
    name, direction = objective(spec, found)
    seed = spec.train.seed if spec.tune.seed is None else spec.tune.seed
    count, threads, backend = int(info["parallel"]), int(info["threads"]), str(info["backend"])
    plan = Plan(
        spec, where, found.header, path, name, direction, seed, count, backend, spec.tune.budget.hours,
        threads if backend == "tensorflow" else None,
    )  # fmt: skip
    workers = _most_workers(spec.tune, count)
    timeout: float | None = spec.tune.timeout  # pyright: ignore[reportAssignmentType]
    try:
        rundir.describe(path, objective=name, direction=direction, holes=described(where))
        with Signals() as signals, contextlib.closing(site.executor(path, workers, threads, timeout, backend)) as held:
            engine.start(backend)
            oracle = Oracle(spec.tune, where, direction, seed)  # pyright: ignore[reportArgumentType]
            report.start(name, direction, oracle.most, len(where.dims), path)
            report.note(f"study {path}: {workers} at a time, {threads} thread{'s' if threads > 1 else ''} each")
            made = drive(plan, list(ledger.read(path / ledger.NAME)), oracle, held, signals, report)
            return _finish(made)
    finally:
        report.finish()


def _finish(made: Driver) -> Study:
    plan, received = made.plan, made.signals.received
    study = Study(plan.path, "done", plan.objective, plan.direction, made.trials, received)  # pyright: ignore
    bad = made.failures >= made.oracle.failures or study.best is None
    status = "stopped" if received else "failed" if bad else "done"
    study = replace(study, status=status)
    if made.why:
        made.report.note(made.why)
    answer(study)
    best = None if study.best is None else {"trial": study.best.number, "score": study.best.score}
    rundir.describe(plan.path, status=status, signal=received, finished=rundir.now(), why=made.why, best=best)
    return study


def _begin(path: Path, spec: Spec, text: str, backend: str, share: tuple[int, int], command: Sequence[str]) -> None:
    """Write the study down. `share`: trials at a time, threads of each."""
    atomic.write_text(path / "spec.yaml", text)
    rundir.keep_sources(path, spec.sources)
    book = ledger.Ledger(path / ledger.NAME)
    book.add({"event": "study", "spec": text})
    book.close()
    # the last of them: what has it is a study, and can be gone on with
    rundir.describe(
        path,
        kind=KIND,
        name=spec.name,
        status="running",
        **rundir.process(),
        created=rundir.now(),
        command=list(command),
        versions=rundir.versions(),
        backend=backend,
        parallel=share[0],
        threads=share[1],
        spec_digest=hashlib.sha256(text.encode()).hexdigest(),
        data_roots=[str(root) for root in roots(spec)],
        trust=spec.trust,
        use=[str(file) for file in spec.use],
    )


def _most_workers(section: Tune, count: int) -> int:
    most = section.oracle.args.get("max_trials")
    return min(count, most) if isinstance(most, int) else count


def _same_spec(path: Path, events: Sequence[ledger.Event], text: str) -> None:
    from kbuild.train.resume import differences

    before = next((event["spec"] for event in events if event["event"] == "study"), None)
    if before is None or before == text:
        return
    said = "; ".join(differences(before, text))
    help = f"put it back as it was, or begin a new study with `kbuild tune {path / 'spec.yaml'}`"
    raise SpecError(Problem("K641", f"`{path}` cannot go on as the same study: {said}", help=help))
