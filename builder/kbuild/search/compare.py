"""Study → Compared: its trials side by side, what each hole matters, and which trials are worth their size."""

from dataclasses import dataclass
from pathlib import Path

from kbuild.search.axes import Axis, axes
from kbuild.search.front import front
from kbuild.search.importance import Importance, importance
from kbuild.search.study import Study, Trial
from kbuild.text.problem import Problem, SpecError

PICTURES = ("parallel.png", "importance.png", "front.png")


@dataclass(frozen=True, slots=True)
class Compared:
    """A study, looked at.

    Args:
        axes: its holes.
        importance: of each hole.
        front: the trials that no other dominates in parameters and score, the smallest first.
    """

    study: Study
    axes: tuple[Axis, ...]
    importance: Importance
    front: tuple[Trial, ...]

    def as_json(self) -> dict[str, object]:
        """The object that `compare STUDY --json` prints, but for the pictures."""
        numbers = {trial.number for trial in self.front}
        told = self.importance
        return {
            **{key: value for key, value in self.study.as_json().items() if key != "trials"},
            "importance": {
                "r2": told.r2,
                "why": told.why,
                "holes": [{"path": w.path, "share": w.share, "sd": w.sd, "trials": w.trials} for w in told.weights],
            },
            "front": [trial.number for trial in self.front],
            "trials": [
                {**_row(trial), "front": trial.number in numbers} for trial in (*self.study.ranked, *self.others)
            ],
        }

    @property
    def others(self) -> tuple[Trial, ...]:
        """The trials without a score."""
        done = {trial.number for trial in self.study.ranked}
        return tuple(trial for trial in self.study.trials if trial.number not in done)


def compare(study: Study) -> Compared:
    """Look at a study.

    Raises:
        SpecError: K651 if none of its trials is done.
    """
    ranked = study.ranked
    if not ranked:
        said = f"`{study.path}` has no trial that is done ({_why(study)})"
        help = f"go on with it: `kbuild tune --resume {study.path}`"
        raise SpecError(Problem("K651", said, help=help))
    found = axes(study)
    return Compared(study, found, importance(ranked, found), front(ranked, study.direction))


def draw(found: Compared, folder: Path) -> tuple[Path, ...]:
    """Write the pictures of a study that there is something to see in; their paths. Raises OSError."""
    from kbuild.search import pictures

    name, ranked, study = found.study.path.resolve().name, found.study.ranked, found.study
    parallel, bars, points = (folder / picture for picture in PICTURES)
    made: list[Path] = []
    if found.axes:
        pictures.parallel(parallel, found.axes, ranked, study.objective, study.direction, name)
        made.append(parallel)
    if found.importance.weights:
        pictures.importance(bars, found.importance, found.axes, len(ranked), study.objective, name)
        made.append(bars)
    if found.front:
        pictures.front(points, ranked, found.front, study.objective, name)
        made.append(points)
    for stale in {parallel, bars, points} - set(made):
        stale.unlink(missing_ok=True)
    return tuple(made)


def _row(trial: Trial) -> dict[str, object]:
    return {
        "trial": trial.number, "status": trial.status, "score": trial.score, "sd": trial.sd, "reason": trial.reason,
        "epochs": trial.epochs, "seconds": trial.seconds, "params": trial.params, "flops": trial.flops,
        "metrics": dict(trial.metrics), "test": dict(trial.test), "values": dict(trial.values),
    }  # fmt: skip


def _why(study: Study) -> str:
    counts: dict[str, int] = {}
    for trial in study.trials:
        counts[trial.status] = counts.get(trial.status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "it has none at all"
