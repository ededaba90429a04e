"""A run directory → Run: what a training left, its model and history read when they are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kbuild.text.problem import Problem, SpecError
from kbuild.train import history, rundir

if TYPE_CHECKING:
    from kbuild.train.runset import RunSet


@dataclass(frozen=True)
class Run:
    """A training that is over.

    Args:
        path: the run directory.
        status: `done`, `stopped` by a signal, `failed`, or `running` (or killed) when read from a directory.
        epochs: epochs that were finished.
        seconds: wall time of the training.
        best_epoch: from 1; None if no epoch was finished.
        metrics: the best epoch's row of the history, without epoch, seconds and learning rate.
        test: the evaluation of the saved model on the test part; empty if there is none.
        signal: number of the signal that stopped it.
        weights: what it took of each file that it started from.
        health: what is wrong with the training, a sentence each.
    """

    path: Path
    status: str
    epochs: int = 0
    seconds: float = 0.0
    best_epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    test: Mapping[str, float] = field(default_factory=dict)
    signal: int | None = None
    weights: Sequence[Mapping[str, object]] = ()
    health: Sequence[str] = ()

    @cached_property
    def model(self):
        """The best model, as saved; a `keras.Model` that is not compiled."""
        return load_model(self.path)

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """Columns of `history.csv` by name."""
        return history.read(self.path / "history.csv")

    @property
    def exit_code(self) -> int:
        """What the command line returns for it: 0, or 128 + the signal."""
        return 128 + self.signal if self.signal else 0 if self.status == "done" else 4

    def as_json(self) -> dict[str, object]:
        """The object that `fit --json` prints."""
        return {
            "run": str(self.path),
            "status": self.status,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "best_epoch": self.best_epoch,
            "metrics": dict(self.metrics),
            "test": dict(self.test),
            "health": list(self.health),
            **({"weights": [dict(taken) for taken in self.weights]} if self.weights else {}),
        }


def open_run(path: Path | str) -> "Run | RunSet":
    """The run in a directory, or the set of runs.

    Raises:
        SpecError: K603–K605 if it is none.
    """
    path = Path(path)
    info = rundir.info(path)
    from kbuild.train.runset import is_set, open_set

    if is_set(info):
        return open_set(path, info)
    return Run(
        path,
        str(info.get("status", "running")),
        int(info.get("epochs") or 0),  # pyright: ignore[reportArgumentType]
        float(info.get("seconds") or 0.0),  # pyright: ignore[reportArgumentType]
        info.get("best_epoch"),  # pyright: ignore[reportArgumentType]
        info.get("metrics") or {},  # pyright: ignore[reportArgumentType]
        info.get("test") or {},  # pyright: ignore[reportArgumentType]
        info.get("signal"),  # pyright: ignore[reportArgumentType]
        info.get("weights") or (),  # pyright: ignore[reportArgumentType]
        info.get("health") or (),  # pyright: ignore[reportArgumentType]
    )


def load_model(path: Path):
    """`model.keras` of a run, never running code that is in it.

    Raises:
        SpecError: K606 if the run has no model, K607 if it cannot be loaded, K625 if there are several.
    """
    file = path / "model.keras"
    if not file.is_file():
        from kbuild.train.runset import is_set, several

        info = rundir.info(path)
        if is_set(info):
            raise SpecError(several(path, info))
        if info.get("kind") == "study":
            said = f"`{path}` is a search, which has no model of its own"
            best = info.get("best")
            run = path / "trials" / f"{best['trial']:04d}" if isinstance(best, dict) else None
            help = f"its best run is `{run}`" if run else "none of its trials is done"
            raise SpecError(Problem("K625", said, help=help))
        status = info.get("status")
        raise SpecError(
            Problem(
                "K606",
                f"the run `{path}` has no model: its status is `{status}`",
                help="a run has one once an epoch was finished and the training has ended; train again",
            )
        )
    import keras

    import kbuild.model.layers  # registers kbuild's own layers  # noqa: F401

    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        raise SpecError(
            Problem(
                "K607",
                f"`{file}` cannot be loaded: {text}",
                help="it is torn or was made with other versions; `run.json` says with which",
            )
        ) from error
