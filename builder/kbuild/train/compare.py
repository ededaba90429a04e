"""Run directories → Compared: runs side by side, and what differs in their specs. Keras is not loaded."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError
from kbuild.train import monitors, rundir
from kbuild.train.run import Run, open_run
from kbuild.train.runset import RunSet, is_ensemble

if TYPE_CHECKING:
    from kbuild.plan.check import Checked


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or a set of runs as one.

    Args:
        label: the shortest end of its path that no other has.
        status: of the run: `done`, `stopped`, `failed`, `running` (or killed).
        kind: `run`, `repeats` or `folds`.
        size: how many runs it stands for; numbers are then means over those that are done.
        params, flops: of the network, for one example; None where they are not known.
        epochs, seconds: of a run; of a set the mean of its members.
        metrics, test: of the best epoch, and of the saved model on the test part; `sd` and `test_sd` their sample
            standard deviations.
        why: why it is not known what differs.
    """

    path: Path
    label: str
    status: str
    kind: str
    size: int
    params: int | None
    flops: int | None
    epochs: float
    seconds: float
    best_epoch: int | None
    metrics: Mapping[str, float | None]
    test: Mapping[str, float | None]
    sd: Mapping[str, float | None] = field(default_factory=dict)
    test_sd: Mapping[str, float | None] = field(default_factory=dict)
    why: str | None = None

    def as_json(self) -> dict[str, object]:
        """The run as `compare --json` has it."""
        told = {name: getattr(self, name) for name in ("label", "status", "kind", "size", "params", "flops", "epochs")}
        return {
            "run": str(self.path), **told, "seconds": round(self.seconds, 3), "best_epoch": self.best_epoch,
            "metrics": dict(self.metrics), "sd": dict(self.sd), "test": dict(self.test), "test_sd": dict(self.test_sd),
            **({"error": self.why} if self.why else {}),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that is not the same in all specs.

    Args:
        path: dotted, as `kbuild diff` has it; of a layer its name, a colon and the argument.
        values: for each run, in their order; None where its spec cannot be read.
    """

    path: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Runs side by side.

    Args:
        rows: in the order in which they were given.
        settings: what differs in their specs.
        best: column → the rows (from 0) that are best there; columns are those of `numbers`.
    """

    rows: tuple[Row, ...]
    settings: tuple[Setting, ...]
    best: Mapping[str, frozenset[int]]

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics of the best epoch, then `test_…`, in the order in which runs have them."""
        metrics = dict.fromkeys(name for row in self.rows for name in row.metrics)
        tests = dict.fromkeys(f"test_{name}" for row in self.rows for name in row.test)
        return (*metrics, *(name for name in tests if name not in metrics))

    def as_json(self) -> dict[str, object]:
        """The object that `compare RUN… --json` prints, but for the picture."""
        return {
            "runs": [row.as_json() for row in self.rows],
            "differences": [{"path": one.path, "values": list(one.values)} for one in self.settings],
            "best": {name: [str(self.rows[at].path) for at in sorted(found)] for name, found in self.best.items()},
        }


def number(row: Row, name: str) -> tuple[float | None, float | None]:
    """A metric of a run by its name in `Compared.names`, and its deviation."""
    if name in row.metrics or not name.startswith("test_"):
        return row.metrics.get(name), row.sd.get(name)
    bare = name.removeprefix("test_")
    return row.test.get(bare), row.test_sd.get(bare)


def compare(paths: Sequence[Path], *, data_roots: Sequence[Path] = (), trust: bool = False) -> Compared:
    """Look at runs.

    Args:
        paths: run directories, two or more; a set of repeats or folds counts as one.
        data_roots, trust: for reading their specs, see `kbuild.load`.

    Raises:
        SpecError: K650 for fewer than two runs, the same one twice, or a study; K603–K605 if one is none.
    """
    _several(paths)
    found = [_opened(Path(path)) for path in paths]
    specs = [_checked(path, data_roots, trust) for path in paths]
    names = _labels(paths)
    rows = tuple(_row(run, name, spec) for run, name, spec in zip(found, names, specs, strict=True))
    settings = _settings([spec for spec in specs if not isinstance(spec, str)])
    where = [at for at, spec in enumerate(specs) if not isinstance(spec, str)]
    wide = tuple(
        Setting(one.path, tuple(one.values[where.index(at)] if at in where else None for at in range(len(rows))))
        for one in settings
    )
    made = Compared(rows, wide, {})
    return Compared(rows, wide, {name: _best(rows, name) for name in made.names})


def curves(found: Compared) -> list[tuple[str, dict[str, list[float]]]]:
    """The label and the history of each run; of a set the mean of those that are done."""
    made = []
    for row in found.rows:
        run = open_run(row.path)
        columns = run.history if isinstance(run, RunSet) and run.done else _first(run)
        made.append((row.label, columns))
    return made


def _first(run: "Run | RunSet") -> dict[str, list[float]]:
    if isinstance(run, Run):
        return run.history
    return run.members[0].history if run.members else {}


def _several(paths: Sequence[Path]) -> None:
    resolved = [Path(path).resolve() for path in paths]
    twice = [path for path, one in zip(paths, resolved, strict=True) if resolved.count(one) > 1]
    if twice:
        raise SpecError(Problem("K650", f"`{twice[0]}` is given twice", help="give each run once"))
    if len(paths) < 2:
        help = "give two or more runs, or one study"
        raise SpecError(Problem("K650", f"`{paths[0]}` is one run, and there is nothing to compare it with", help=help))


def _opened(path: Path) -> "Run | RunSet":
    if rundir.info(path).get("kind") == "study":
        help = f"give it alone, or one of its runs: `{path / 'trials' / '0001'}`"
        raise SpecError(Problem("K650", f"`{path}` is a study, and is not compared with runs", help=help))
    return open_run(path)


def _checked(path: Path, roots: Sequence[Path], trust: bool) -> "Checked | str":
    """What a run's spec says; or why it cannot be read, which is no reason not to compare its numbers."""
    from kbuild.plan.check import check

    info: dict[str, Any] = rundir.info(Path(path))
    if is_ensemble(info):
        return f"it is made of {len(info['of'])} runs, and its spec is that of the first"
    try:
        return check(load(Path(path) / "spec.yaml", data_roots=roots, trust=trust))
    except SpecError as error:
        said = next((p.message for p in error.problems if p.severity == "error"), str(error))
        return f"its spec cannot be read: {said}"


def _row(run: "Run | RunSet", label: str, spec: "Checked | str") -> Row:
    total = None if isinstance(spec, str) else spec.costs.total
    why = spec if isinstance(spec, str) else None
    first = run if isinstance(run, Run) else next(iter(run.members), None)
    told: Any = None if first is None else rundir.info(first.path).get("parameters")
    params = int(told) if told is not None else None if total is None else total.params
    flops = None if total is None else total.flops
    if isinstance(run, RunSet):
        done = run.done or run.members
        count = max(len(done), 1)
        epochs, seconds = sum(map(_epochs, done)) / count, sum(map(_seconds, done)) / count
        return Row(
            run.path, label, run.status, run.kind, run.size, params, flops, epochs, seconds, None, run.metrics,
            run.test, run.sd, run.test_sd, why,
        )  # fmt: skip
    return Row(
        run.path, label, run.status, "run", 1, params, flops, _epochs(run), _seconds(run), run.best_epoch,
        dict(run.metrics), dict(run.test), why=why,
    )  # fmt: skip


def _epochs(run: Run) -> int:
    """Of a run that has not ended, those that its history holds."""
    return run.epochs or len(run.history.get("epoch", ()))


def _seconds(run: Run) -> float:
    return run.seconds or sum(run.history.get("seconds", ()))


def _labels(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of paths that tell them apart."""
    parts = [Path(path).resolve().parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(one[-count:]) for one in parts]
        if len(set(ends)) == len(ends):
            return ends
    return [str(path) for path in paths]


def _settings(specs: Sequence["Checked"]) -> list[Setting]:
    """What each differs in from the first, put together."""
    from kbuild.plan.diff import diff

    if len(specs) < 2:
        return []
    values: dict[str, list[str | None]] = {}
    for at, other in enumerate(specs[1:], 1):
        for path, before, after in _told(diff(specs[0], other)):
            row = values.setdefault(path, [before] * len(specs))
            row[at] = after
    return [Setting(path, tuple(row)) for path, row in values.items()]


def _told(found: Any) -> list[tuple[str, str, str]]:
    """Path, before and after of all that is in a `Diff`, as text."""
    from kbuild.plan.diff.page import value

    told: list[tuple[str, str, str]] = []
    for row in found.layers:
        if row.kind in ("added", "removed"):
            calls = ", ".join(value(call) for call in row.calls[:4]) + (", …" if len(row.calls) > 4 else "")
            told.append((row.name, "-", calls) if row.kind == "added" else (row.name, calls, "-"))
        for change in row.changes if row.kind in ("changed", "copies") else ():
            if change.path != "name":
                told.append((f"{row.name}: {change.path}", value(change.before), value(change.after)))
    rest = itertools.chain(found.inputs, found.outputs, found.data, found.train, found.tune)
    return [*told, *((change.path, value(change.before), value(change.after)) for change in rest)]


def _best(rows: Sequence[Row], name: str) -> frozenset[int]:
    """The rows whose number is the best of a metric; none where there are fewer than two to choose from."""
    known = {at: value for at, row in enumerate(rows) if (value := number(row, name)[0]) is not None and value == value}
    if len(known) < 2:
        return frozenset()
    pick = min if monitors.direction(name.removeprefix("test_")) == "min" else max
    best = pick(known.values())
    return frozenset(at for at, value in known.items() if value == best)
