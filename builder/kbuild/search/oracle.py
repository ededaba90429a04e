"""KerasTuner's oracles, asked and told: they decide what is tried next, and nothing else.

Kept out of them: files (the ledger is the only truth), output, retries and the count of failures.
"""

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kbuild.model import objects
from kbuild.plan.space import Space
from kbuild.search.choices import SHARE, SHARES
from kbuild.spec.call import Call
from kbuild.spec.hole import Hole
from kbuild.spec.tune import Tune
from kbuild.spec.values import Choices, value, values

if TYPE_CHECKING:
    from kbuild.search.condition import Term

MOST_LISTED = 1000
"""A hole with steps is given as a list of its values: KerasTuner counts them off in floats and may lose the last."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an oracle wants to be tried.

    Args:
        trial: its number, from 1.
        proposed: by path of hole; of an open one the share of its range.
        epochs: train until this epoch; None as the spec says.
        parent: the trial that this one goes on from, None begins.
    """

    trial: int
    proposed: Choices
    epochs: int | None = None
    parent: int | None = None


class Oracle:
    """One of KerasTuner's oracles over a space.

    Args:
        direction: of the objective.
        seed: of what it draws, 0 ≤ seed < 2**32; 0 is a seed like any other.
    """

    def __init__(self, tune: Tune, space: Space, direction: Literal["min", "max"], seed: int):
        import keras_tuner

        call = tune.oracle
        own = int(np.random.SeedSequence([5, seed]).generate_state(1)[0] % (2**31 - 2)) + 1
        args = {"seed": own, **call.args, "objective": keras_tuner.Objective(tune.objective.name, direction)}
        args["hyperparameters"] = hyperparameters(space)
        self.failures = int(args.pop("max_consecutive_failed_trials", 3) or 3)  # pyright: ignore
        made: Any = objects.make(Call(call.namespace, call.name, {k: v for k, v in args.items() if k in call.args}))
        # objects are no values of a call
        self._oracle: Any = type(made)(**{**args, "max_consecutive_failed_trials": 10**9})
        self._oracle._display.verbose = 0
        self._oracle.save = lambda: None
        self._oracle._save_trial = lambda trial: None
        self._oracle._set_project_dir(tempfile.gettempdir(), "unused")
        self._name = tune.objective.name

    @property
    def free(self) -> bool:
        """Whether what it asks does not depend on what it was told."""
        return type(self._oracle).__name__.startswith("RandomSearch")

    @property
    def most(self) -> int | None:
        """How many trials it asks for at most; None where it does not know."""
        return self._oracle.max_trials

    def ask(self) -> Asked | Literal["wait", "end"]:
        """The next trial; `wait` until more was told; `end` when there is nothing left to try."""
        with _quiet():
            trial = self._oracle.create_trial(f"worker-{len(self._oracle.trials)}")
        if trial.status != "RUNNING":
            return "wait" if trial.status == "IDLE" else "end"
        found = dict(trial.hyperparameters.values)
        epochs, parent = found.get("tuner/epochs"), found.get("tuner/trial_id")
        proposed = {path: chosen for path, chosen in found.items() if not path.startswith("tuner/")}
        return Asked(_number(trial.trial_id), proposed, epochs, None if parent is None else _number(parent))

    def drew(self, trial: int, holes: Mapping[str, float]) -> None:
        """Tell of holes that it did not know to be there; from now on it proposes a share of their range."""
        for path, share in holes.items():
            for known in (self._oracle.hyperparameters, self._trial(trial).hyperparameters):
                known.Choice(path + SHARE, list(SHARES), ordered=True)
            self._trial(trial).hyperparameters.values[path + SHARE] = share

    def tell(self, trial: int, score: float | None) -> None:
        """The result of a trial; None for one that failed."""
        told = self._trial(trial)
        with _quiet():
            if score is not None:
                self._oracle.update_trial(told.trial_id, {self._name: score})
            told.status = "FAILED" if score is None else "COMPLETED"
            self._oracle.end_trial(told)

    def drop(self, trial: int) -> None:
        """Take a trial back that is not to count: it is not trained, and another may be asked for in its place."""
        told = self._trial(trial)
        if self._oracle.max_trials is not None:
            self._oracle.max_trials += 1
        for bracket in getattr(self._oracle, "_brackets", ()):
            for infos in bracket["rounds"]:
                infos[:] = [info for info in infos if info["id"] != told.trial_id]
        self.tell(trial, None)

    def _trial(self, number: int) -> Any:
        return next(trial for name, trial in self._oracle.trials.items() if _number(name) == number)


@contextmanager
def _quiet() -> Iterator[None]:
    """KerasTuner calls what Python has given up, and its Gaussian process warns where nothing is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def hyperparameters(space: Space) -> Any:
    """A space as KerasTuner has it: each hole under the conditions under which it is there."""
    import keras_tuner

    opened = {dim.path for dim in space.dims if dim.open}
    listed: list[dict[str, Any]] = []
    for dim in space.dims:
        plain = _plain(dim.path, dim.hole, dim.open)
        # KerasTuner's scopes nest, and what a hole depends on need not: written out, it may be anything
        terms = [
            [(path, sorted(chosen, key=str)) for path, chosen in condition.items() if path not in opened]
            for condition in dim.when
        ]
        listed.append({**plain, "config": {**plain["config"], "conditions": _conditions(terms)}})
    found: Any = keras_tuner.HyperParameters.from_config({"space": listed, "values": {}})
    for one in found.space:
        if found.is_active(one):
            found.values.setdefault(one.name, one.default)
    return found


def _conditions(terms: "Sequence[Term]") -> list[dict[str, Any]]:
    """As KerasTuner writes them down; none where a term asks for nothing."""
    if not all(terms):
        return []
    if len(terms) == 1:
        return [{"class_name": "Parent", "config": {"name": name, "values": values}} for name, values in terms[0]]
    import keras

    from kbuild.search.condition import Either

    return [{"class_name": keras.saving.get_registered_name(Either), "config": Either(terms).get_config()}]


def _plain(path: str, hole: Hole, open: bool) -> dict[str, Any]:
    """One hole without conditions, as KerasTuner writes it down."""
    import keras_tuner

    made: Any = keras_tuner.HyperParameters()
    default, options = value(hole), values(hole)
    ends: dict[str, Any] = {"min_value": hole.low, "max_value": hole.high, "sampling": hole.sampling}
    if open:
        made.Float(path, 0.0, 1.0, default=0.5)
    elif hole.kind == "bool":
        made.Boolean(path, default=default)
    elif options is not None and len(options) == 1:
        made.Fixed(path, options[0])
    elif options is not None and default in options and len(options) <= MOST_LISTED and (hole.options or hole.step):
        made.Choice(path, list(options), default=default)
    elif hole.kind == "int":
        made.Int(path, step=hole.step, default=default, **ends)
    else:
        made.Float(path, step=hole.step, default=default, **ends)
    return made.get_config()["space"][0]


def _number(name: str) -> int:
    return int(name) + 1
