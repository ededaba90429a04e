"""Spec → RunSet: the runs of a set, one after another in one process, and a directory that holds them all.

The set's own `run.json` says which members it has and what was asked of each; how far a member is, its own directory
says. So a set that was killed anywhere goes on as its members do.
"""

import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbuild.data.load import load as load_data
from kbuild.model import backend as engine
from kbuild.spec.fill import filled, roots
from kbuild.spec.load import load
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Source
from kbuild.text.write import write
from kbuild.train import atomic, checkpoint, lock, longer, resume, rundir, runset
from kbuild.train.fit import features, prepared
from kbuild.train.members import Member, kind, members, spec_of
from kbuild.train.progress import Once, Reporter, number
from kbuild.train.run import Run
from kbuild.train.runset import FOLDER, RunSet, open_set, spread
from kbuild.train.signals import Signals

if TYPE_CHECKING:
    from kbuild.train.job import Job

OWN = frozenset({"K510"})
"""What fails one member and need not fail the next: its numbers. All else ends the set."""


@dataclass(frozen=True, slots=True)
class _Set:
    """A set under way.

    Args:
        spec: of the set, from which each member's is made.
        options: what `resume` takes beside the directory: `data_roots`, `trust`, `command`.
    """

    path: Path
    spec: Spec
    members: tuple[Member, ...]
    backend: str | None
    options: Mapping[str, Any]
    report: Reporter
    signals: Signals

    def home(self, member: Member) -> Path:
        return self.path / FOLDER / str(member.number)


def fit(
    spec: Spec, found: tuple[Member, ...], *, out: Path | None, backend: str | None, command: Sequence[str],
    report: Reporter,
) -> RunSet:  # fmt: skip
    """Train all members of a spec.

    Args:
        found: the members, two or more.
        out, backend, command, report: as of `kbuild.fit`.

    Returns:
        The set, `done`, `stopped` by a signal, or `failed`: then the loss of a member stopped being a number
        (K510), and the others were trained all the same.

    Raises:
        SpecError: whatever else `kbuild.fit` raises; if members were begun, the set can go on.
    """
    with ExitStack() as stack:
        made = _first(spec, found, out, backend, {"command": tuple(command)}, Once(report), stack)
        return _rest(made)


def go_on(
    path: Path, info: Mapping[str, Any], *, epochs: int | str | None, backend: str | None,
    data_roots: Sequence[str | Path], trust: bool, command: Sequence[str], report: Reporter,
) -> RunSet:  # fmt: skip
    """Go on with a set: the member that was stopped, then those that are missing.

    Args:
        info: its `run.json`.
        epochs: every member is first finished, then trained until this epoch, or for `"+10"` ten more.

    Raises:
        SpecError: K621 if nothing is left to do; K622 if the spec, the data, the backend or Keras is another; and what
            `kbuild.resume` raises of a member.
    """
    with lock.held(path), Signals() as signals:
        atomic.clean(path)
        resume.same(path, info, None, backend)
        if epochs is not None:
            text = str(epochs).strip()
            longer.amount(text)
            info = _described(path, extend=[*info.get("extend", ()), text])
        spec = load(path / "spec.yaml", data_roots=data_roots, trust=trust)
        files = sorted((path / "source").iterdir()) if (path / "source").is_dir() else ()
        spec = replace(spec, sources=tuple(Source(file.name, file.read_text("utf-8"), file) for file in files))
        options = {"data_roots": tuple(data_roots), "trust": trust, "command": tuple(command)}
        made = _Set(path, spec, members(spec), str(info["backend"]), options, Once(report), signals)
        if info.get("status") in ("done", "failed") and all(_next(made, member) is None for member in made.members):
            raise SpecError(_nothing_left(made))
        _same_data(made)
        _described(path, status="running", resumed=rundir.now(), error=None, **rundir.process())
        return _rest(made)


def _first(
    spec: Spec, found: tuple[Member, ...], out: Path | None, backend: str | None, options: Mapping[str, Any],
    report: Reporter, stack: ExitStack,
) -> _Set:  # fmt: skip
    """Train the first member. Until it is ready to train there is no directory: what is wrong leaves none behind."""
    with prepared(spec_of(spec, found[0]), backend) as job:
        path = rundir.create(spec.name, out, folders=("source", "report", FOLDER))
        stack.enter_context(lock.held(path))
        made = _Set(path, spec, found, backend, options, report, stack.enter_context(Signals()))
        with _writing(path):
            _begin(made)
        report.note(f"set {path}: {len(found)} members")
        _trained(made, found[0], lambda: _train(made, job, found[0]))
    return made


def _begin(made: _Set) -> None:
    import keras

    spec, path = made.spec, made.path
    text = write(filled(spec))
    atomic.write_text(path / "spec.yaml", text)
    rundir.keep_sources(path, spec.sources)
    # the last of them, as of a run: what has it is a set, and can go on
    rundir.describe(
        path,
        name=spec.name,
        kind=kind(spec),
        status="running",
        **rundir.process(),
        created=rundir.now(),
        command=list(made.options["command"]),
        versions=rundir.versions(),
        backend=keras.backend.backend(),
        seed=spec.train.seed,
        spec_digest=hashlib.sha256(text.encode()).hexdigest(),
        data_roots=[str(root) for root in roots(spec)],
        trust=spec.trust,
        use=[str(file) for file in spec.use],
        members=[
            {"number": one.number, "run": f"{FOLDER}/{one.number}", "seed": one.seed, "fold": one.fold}
            for one in made.members
        ],
    )


def _rest(made: _Set) -> RunSet:
    """Bring every member to its end, unless a signal comes."""
    for member in made.members:
        step = _next(made, member)
        while step is not None and made.signals.received is None:
            _release()
            _trained(made, member, step)
            step = _next(made, member)
    _release()
    with _writing(made.path):
        return _finish(made)


def _next(made: _Set, member: Member) -> Callable[[], Run] | None:
    """What is to be done next for a member: begin it, go on with it, or train it on for as long as was asked since."""
    here, record = made.home(member), _record(made, member)
    if record.get("code") in OWN:
        return None
    if not (here / "run.json").is_file():
        return lambda: _begun(made, member)
    info, since = rundir.info(here), record.get("from")
    if since is None and info.get("status") != "done":
        return lambda: _resumed(made, here, None)
    asked: list[str] = list(rundir.info(made.path).get("extend", ()))  # pyright: ignore
    extended = int(record.get("extended", 0))
    if extended == len(asked):
        return None
    epochs = int(info.get("epochs") or 0)  # pyright: ignore[reportArgumentType]
    if since is None:
        since = epochs
        _mark(made, member, **{"from": since})
    until = longer.amount(asked[extended]) + (since if asked[extended].startswith("+") else 0)
    if until <= since or (info.get("status") == "done" and epochs > since):
        _mark(made, member, **{"from": None, "extended": extended + 1})
        return _next(made, member)
    found = checkpoint.newest(here / "checkpoints")
    begun = found is not None and int(found.state["epoch"]) > since  # pyright: ignore[reportArgumentType]
    return lambda: _resumed(made, here, None if begun else until)


def _trained(made: _Set, member: Member, train: Callable[[], Run]) -> None:
    """Train a member and note how it went. Raises SpecError for what ends the set."""
    whose = f"{member} of {len(made.members)}"
    made.report.note(whose)
    _mark(made, member, status="running")
    try:
        with engine.forgetting():
            run = train()
    except SpecError as error:
        wrong = next(problem for problem in error.problems if problem.severity == "error")
        _mark(made, member, status="failed", error=wrong.message, code=wrong.code)
        if wrong.code not in OWN:
            _described(made.path, status="failed", error=wrong.message)
            raise
        made.report.note(f"{whose} failed: {wrong.message}")
        return
    _mark(made, member, status=run.status, error=None, code=None)
    made.report.note(f"{whose} is {run.status}: {_reached(run)}")


def _begun(made: _Set, member: Member) -> Run:
    with prepared(spec_of(made.spec, member), made.backend) as job:
        return _train(made, job, member)


def _train(made: _Set, job: "Job", member: Member) -> Run:
    from kbuild.train import session

    here = made.home(member)
    for folder in rundir.FOLDERS:
        # a process that was killed may have left some of it
        (here / folder).mkdir(parents=True, exist_ok=True)
    with lock.held(here):
        return session.train(job, out=here, command=made.options["command"], report=made.report, held=True)


def _resumed(made: _Set, here: Path, epochs: int | None) -> Run:
    run = resume.resume(here, epochs=epochs, report=made.report, **made.options)
    assert isinstance(run, Run)
    return run


def _finish(made: _Set) -> RunSet:
    """Describe the set and write its report."""
    found = open_set(made.path, rundir.info(made.path))
    status = "stopped" if made.signals.received else "failed" if found.reasons else "done"
    if status != "stopped" and found.done:
        from kbuild.train import figures

        figures.bands(made.path / "report" / "curves.png", [run.history for run in found.done])
        parts = [(run.path, runset.evaluated(run.path)) for run in found.done]
        if all(report is not None for _, report in parts):
            runset.report(made.path, [(path, report) for path, report in parts if report is not None])
    rundir.describe(
        made.path,
        status=status,
        signal=made.signals.received,
        finished=rundir.now(),
        epochs=found.epochs,
        seconds=round(found.seconds, 3),
        metrics=spread(run.metrics for run in found.done),
        test=spread(run.test for run in found.done),
    )
    return replace(found, status=status, signal=made.signals.received)


def _reached(run: Run) -> str:
    numbers = [f"{name} {number(value)}" for name, value in run.metrics.items() if name.startswith("val_")]
    numbers += [f"test {name} {number(value)}" for name, value in run.test.items()]
    return ", ".join([f"best epoch {run.best_epoch} of {run.epochs}", *numbers])


def _release() -> None:
    """Give back what a member held, so that the next begins as in a process of its own."""
    import keras

    keras.utils.clear_session()
    gc.collect()


def _record(made: _Set, member: Member) -> Mapping[str, Any]:
    listed: Any = rundir.info(made.path)["members"]
    return next(one for one in listed if one["number"] == member.number)


def _mark(made: _Set, member: Member, **fields: object) -> None:
    listed: Any = rundir.info(made.path)["members"]
    changed = [{**one, **fields} if one["number"] == member.number else one for one in listed]
    _described(made.path, members=changed)


def _described(path: Path, **fields: object) -> Mapping[str, Any]:
    with _writing(path):
        rundir.describe(path, **fields)
    return rundir.info(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        help = f"make room, then go on with `kbuild fit --resume {path}`; what was saved before is whole"
        message = f"cannot write the run `{path}`: {error.strerror or error}"
        raise SpecError(Problem("K608", message, help=help)) from error


def _same_data(made: _Set) -> None:
    """Whether the members to come will see the data that the others saw. Raises SpecError K622."""
    begun = [member for member in made.members if (made.home(member) / "run.json").is_file()]
    if not begun or len(begun) == len(made.members):
        return
    engine.start(made.backend)
    spec = spec_of(made.spec, begun[0])
    assert spec.data is not None
    found = load_data(spec.data, spec.train.seed, features=features(spec), trust=spec.trust)
    known: Any = rundir.info(made.home(begun[0]))["data"]
    if found.digest != known["digest"]:
        raise SpecError(resume.changed(made.path, ["the data hold other examples than before"]))


def _nothing_left(made: _Set) -> Problem:
    failed = [str(member) for member in made.members if _record(made, member).get("code")]
    why = f"; {', '.join(failed)} failed, and would again" if failed else ""
    help = f"`kbuild fit --resume {made.path} --epochs +10` trains ten more for each"
    return Problem("K621", f"all {len(made.members)} members of `{made.path}` are done{why}", help=help)
