"""Spec → Study: a driver asks the oracle, workers train, the ledger is told, and the answer is written.

The order in which the oracle is asked and told is a function of results alone, never of when they come: with `n` trials
at a time it is asked for the first n, and for one more each time that the next in order is told. So a study that was
killed is the same study when it goes on: the same code runs, and what the ledger holds is not trained again.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kbuild.data.header import Header
from kbuild.plan.space import Space
from kbuild.search import ledger
from kbuild.search.executor import Executor
from kbuild.search.oracle import Asked, Oracle
from kbuild.search.seeing import Reporter
from kbuild.search.study import Trial, of_events, place
from kbuild.search.task import Outcome, Task
from kbuild.search.trials import Prepared, prepared
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train.signals import Signals

MOST_DROPPED = 200
"""Proposals in a row that do not count; then the space has nothing left that does."""
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study is to do.

    Args:
        seed: of the search.
        parallel: how many trials at a time the oracle is asked for; never changed in a study.
        hours: how long it may take, all its parts together; None is as long as it likes.
        threads: of each trial, where bits depend on them.
    """

    spec: Spec
    space: Space
    header: Header | None
    path: Path
    objective: str
    direction: str
    seed: int
    parallel: int
    backend: str | None
    hours: float | None = None
    threads: int | None = None


@dataclass(slots=True)
class Driver:
    """A study under way."""

    plan: Plan
    oracle: Oracle
    book: ledger.Ledger
    report: Reporter
    signals: Signals
    events: list[ledger.Event]
    tasks: dict[int, Task] = field(default_factory=dict)
    ends: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    counted: list[int] = field(default_factory=list)
    told: int = 0
    over: bool = False
    failures: int = 0
    why: str | None = None
    before: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All that was asked for."""
        return of_events(self.events)

    @property
    def owed(self) -> int:
        """How many more trials the oracle is to be asked for now."""
        over = self.ends.__contains__ if self.oracle.free else self.told.__ge__
        return self.plan.parallel - sum(not over(trial) for trial in self.counted)

    @property
    def elapsed(self) -> float:
        """Seconds that the study has taken, its earlier parts too."""
        return self.before + time.monotonic() - self.began


def drive(
    plan: Plan, events: list[ledger.Event], oracle: Oracle, workers: Executor, signals: Signals, report: Reporter
) -> Driver:
    """Search until the oracle, the budget or a signal ends it.

    Args:
        events: what the ledger holds.
        workers: which train.

    Raises:
        SpecError: K641 if the oracle does not ask again for what the ledger holds.
        OSError: the ledger cannot be written.
    """
    book = ledger.Ledger(plan.path / ledger.NAME)
    made = Driver(plan, oracle, book, report, signals, list(events))
    made.ends = {event["trial"]: event for event in events if event["event"] == "end"}
    made.before = max((float(event.get("elapsed", 0.0)) for event in events), default=0.0)
    try:
        while not _stopped(made, workers):
            _advance(made)
            _start(made, workers)
            if not made.tasks:
                break
            for found in workers.wait(0.5):
                _take(made, found)
            report.tick(made.trials, made.elapsed)
    finally:
        book.close()
    return made


def _advance(made: Driver) -> None:
    """Tell the oracle what is next in order, and ask it for one more each time; or for as many as it likes."""
    _ask(made)
    while (made.told + 1) in made.ends:
        made.told += 1
        end = made.ends[made.told]
        if end["status"] != "dropped":
            made.oracle.tell(made.told, end.get("score") if end["status"] == "done" else None)
            made.failures = 0 if end["status"] == "done" else made.failures + 1
            if made.failures >= made.oracle.failures:
                made.over = True
                made.why = f"{made.failures} trials in a row failed, the last: {end.get('reason')}"
        _ask(made)


def _ask(made: Driver) -> None:
    """Ask for what is owed."""
    dropped = 0
    hours = made.plan.hours
    while made.owed > 0 and not made.over:
        if hours is not None and made.elapsed > 3600 * hours:
            made.over, made.why = True, f"the {hours:g} hours of `tune.budget` are over"
            return
        asked = made.oracle.ask()
        if isinstance(asked, str):
            made.over = asked == "end"
            return
        if _asked(made, asked):
            made.counted.append(asked.trial)
            dropped = 0
        else:
            dropped += 1
            if dropped >= MOST_DROPPED:
                made.over, made.why = True, f"{MOST_DROPPED} proposals in a row were outside the budget or the same"


def _asked(made: Driver, asked: Asked) -> bool:
    """Write down what was asked for, and make it a task unless it is over already; whether it counts."""
    plan = made.plan
    known = next((e for e in made.events if e["event"] == "trial" and e["trial"] == asked.trial), None)
    if known is not None and (known["proposed"] != _plain(asked.proposed) or known.get("parent") != asked.parent):
        raise SpecError(_otherwise(plan.path, asked, known))
    ready = prepared(plan.spec, plan.space, asked, plan.header, plan.seed, plan.threads)
    if known is None:
        same = _same(made, asked, ready)
        if same is not None:
            ready = Prepared(ready.text, ready.values, ready.drawn, ready.params, ready.flops, same)
        _add(made, _event(asked, ready))
    if ready.drawn:
        made.oracle.drew(asked.trial, ready.drawn)
    end = made.ends.get(asked.trial)
    if end is None and (ready.dropped or ready.failed):
        why, status = ready.dropped or ready.failed, "dropped" if ready.dropped else "failed"
        end = _end(made, Outcome(asked.trial, "failed", reason=why), status)
    if end is None:
        made.tasks[asked.trial] = _task(plan, asked, ready)
    elif end["status"] == "dropped":
        made.oracle.drop(asked.trial)
        return False
    return True


def _same(made: Driver, asked: Asked, ready: Prepared) -> str | None:
    """Why a trial needs no training: another had the same values and was not longer."""
    if asked.parent is not None:
        return None
    for event in made.events:
        if event["event"] == "trial" and event["values"] == _plain(ready.values) and event["trial"] in made.ends:
            same = made.ends[event["trial"]]["status"] != "dropped" and event.get("epochs") == asked.epochs
            if same:
                return f"the same as trial {event['trial']}"
    return None


def _start(made: Driver, workers: Executor) -> None:
    """Give free workers what waits, in the order in which it was asked for."""
    waiting = [trial for trial in sorted(made.tasks) if not workers.has(trial)]
    for trial in waiting[: workers.free]:
        workers.start(made.tasks[trial])
        made.report.begun(trial)


def _take(made: Driver, found: Outcome) -> None:
    """A worker is done with a trial. One that somebody else stopped is a task still."""
    if found.status == "stopped":
        if found.reason is not None:
            help = f"make room, then go on with `kbuild tune --resume {made.plan.path}`; what was told before is whole"
            raise SpecError(Problem("K608", found.reason, help=help))
        return
    made.tasks.pop(found.trial, None)
    _same_data(made, found)
    _end(made, found, found.status)
    made.report.ended(made.trials, found.trial, made.elapsed)


def _same_data(made: Driver, found: Outcome) -> None:
    others = (end["data"] for end in made.ends.values() if end.get("data"))
    if found.data is not None and next(others, found.data) != found.data:
        said = f"`{made.plan.path}` cannot go on as the same study: the data hold other examples than before"
        help = "put them back, or begin a new study with `kbuild tune`"
        raise SpecError(Problem("K641", said, help=help))


def _end(made: Driver, found: Outcome, status: str) -> ledger.Event:
    numbers = {key: value for key, value in asdict(found).items() if key not in ("trial", "status")}
    event = {"event": "end", "trial": found.trial, "status": status, **numbers, "elapsed": round(made.elapsed, 3)}
    _add(made, event)
    made.ends[found.trial] = event
    return event


def _add(made: Driver, event: ledger.Event) -> None:
    made.book.add(event)
    made.events.append(event)


def _event(asked: Asked, ready: Prepared) -> ledger.Event:
    return {
        "event": "trial", "trial": asked.trial, "proposed": _plain(asked.proposed), "values": _plain(ready.values),
        "epochs": asked.epochs, "parent": asked.parent, "params": ready.params, "flops": ready.flops,
    }  # fmt: skip


def _task(plan: Plan, asked: Asked, ready: Prepared) -> Task:
    spec = plan.spec
    parent = None if asked.parent is None or not ready.goes_on else place(plan.path, asked.parent)
    return Task(
        asked.trial, spec.name, ready.text, spec.home, tuple(spec.data_roots), spec.trust,
        place(plan.path, asked.trial), plan.objective, plan.backend, asked.epochs, parent, _plain(ready.values),
    )  # fmt: skip


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives them back."""
    return {path: value.item() if hasattr(value, "item") else value for path, value in values.items()}


def _stopped(made: Driver, workers: Executor) -> bool:
    """Whether a signal ended the study; those that train have then saved."""
    if made.signals.received is None:
        return False
    workers.stop()
    until = time.monotonic() + STOP_SECONDS
    while workers.busy and time.monotonic() < until:
        for found in workers.wait(0.2):
            _take(made, found)
    return True


def _otherwise(path: Path, asked: Asked, known: ledger.Event) -> Problem:
    differ = [name for name, value in _plain(asked.proposed).items() if known["proposed"].get(name) != value]
    said = f"for trial {asked.trial} the oracle now asks for other values of {', '.join(f'`{n}`' for n in differ[:3])}"
    help = "keras-tuner or the spec is another than before; begin a new study with `kbuild tune`"
    return Problem("K641", f"`{path}` cannot go on as the same study: {said}", help=help)
