"""Study → what it found, as files: `best.yaml`, `top/1.yaml` … `5.yaml`, `trials.csv`, and columns for TensorBoard."""

import csv
import io
from pathlib import Path

from kbuild.search.board import board
from kbuild.search.study import Study, Trial
from kbuild.train import atomic, rundir

TOP = 5
FIRST = ("trial", "status", "score", "sd", "epochs", "seconds", "params", "flops", "reason")


def answer(study: Study) -> None:
    """Write what is known until now. A file that was there is replaced whole.

    Raises:
        OSError: the disk refuses.
    """
    atomic.write_text(study.path / "trials.csv", table(study))
    best = study.best
    if best is None:
        return
    top = study.path / "top"
    top.mkdir(exist_ok=True)
    for rank, trial in enumerate(study.ranked[:TOP], 1):
        atomic.write_text(top / f"{rank}.yaml", spec(study, trial))
    atomic.write_text(study.path / "best.yaml", spec(study, best))
    board(study)


def spec(study: Study, trial: Trial) -> str:
    """The spec of a trial, which fits again to the same score, under what it reached."""
    path = study.run(trial)
    sd = "" if trial.sd is None else f" ± {trial.sd:.6g}"
    rank = _ordinal(study.ranked.index(trial) + 1)
    lines = [
        f"# {study.objective} {trial.score:.6g}{sd}, {rank} of {len(study.ranked)} trials in {study.path.name}",
        f"# trial {trial.number}, {trial.epochs} epochs; its run is {path.relative_to(study.path)}",
        *(f"# {name} = {value}" for name, value in trial.values.items()),
        *_threads(path),
    ]
    return "\n".join(lines) + "\n" + _text(path)


def table(study: Study) -> str:
    """All trials as csv, a column for each hole."""
    paths = list(dict.fromkeys(path for trial in study.trials for path in trial.values))
    tests = list(dict.fromkeys(name for trial in study.trials for name in trial.test))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*FIRST, *(f"test_{name}" for name in tests), *paths])
    for trial in study.trials:
        known = {**{name: getattr(trial, name) for name in FIRST[1:]}, "trial": trial.number}
        row = [*(known[name] for name in FIRST), *(trial.test.get(name) for name in tests)]
        writer.writerow([*row, *(trial.values.get(path) for path in paths)])
    return out.getvalue()


def _threads(run: Path) -> list[str]:
    """How many threads trained it; nothing for a run that did not write it down."""
    first = run / "members" / "1"
    known = rundir.info(first if first.is_dir() else run)
    count = known.get("threads")
    if not isinstance(count, int):
        return []
    return [f"# trained with {count} thread{'s' if count > 1 else ''}"]


def _text(run: Path) -> str:
    return (run / "spec.yaml").read_text("utf-8")


def _ordinal(rank: int) -> str:
    return {1: "the best", 2: "second", 3: "third"}.get(rank, f"{rank}th")
