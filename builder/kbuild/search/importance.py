"""Trials → how much each hole matters: what a random forest loses when it is told wrong values of it.

A forest (Breiman, 2001, "Random Forests", Machine Learning 45) learns the score from the values. Each tree is asked
about the trials that it did not see, once as they are and once with the values of one hole exchanged between them
(section 10 there). What the forest then knows less of the score is the hole's importance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbuild.search.axes import Axis
from kbuild.search.study import Trial

FEWEST, EACH = 10, 2
"""Trials that are needed at least, and for each hole."""
TREES, REPEATS = 300, 20


@dataclass(frozen=True, slots=True)
class Weight:
    """What a hole matters.

    Args:
        path: the hole.
        share: by how much the squared error grows when its values are exchanged, over the variance of the rank: about
            0 matters nothing, up to 2 is possible. Shares of holes that work together do not add up.
        sd: sample standard deviation of the share over the exchanges.
        trials: in which it was there.
    """

    path: str
    share: float
    sd: float
    trials: int


@dataclass(frozen=True, slots=True)
class Importance:
    """What the holes of a study matter.

    Args:
        weights: the weightiest first; empty where nothing can be said.
        r2: of the forest, over trials that the trees which are asked did not see: 1 knows all, 0 knows no more than the
            mean. None where there is no forest.
        why: why nothing is said; None if something is.
    """

    weights: tuple[Weight, ...]
    r2: float | None
    why: str | None = None


def importance(trials: Sequence[Trial], axes: Sequence[Axis], seed: int = 0) -> Importance:
    """The importance of each hole for the rank of the score.

    The ranks are learned, not the scores: one trial that went to infinity would else be all that matters (Conover and
    Iman, 1981, "Rank Transformations as a Bridge"). A category has a column of its own for each of its values, all
    exchanged together. A hole that was not there has the median, or the commonest value, of those trials in which it
    was, and is exchanged among these only: that it is there or not is the importance of the hole that decides it.
    Where trials go on from others (Hyperband), only the last of each is looked at, and the forest knows how many epochs
    it had, so that a long training is not taken for good values.

    Args:
        trials: those that are done.
        axes: their holes; a hole that never varied is left out.
        seed: of the forest and the exchanges.
    """
    gone_on = {trial.parent for trial in trials}
    trials = [trial for trial in trials if trial.number not in gone_on]
    varied = [axis for axis in axes if len({t.values[axis.path] for t in trials if axis.path in t.values}) > 1]
    needed = max(FEWEST, EACH * len(varied))
    if not varied:
        return Importance((), None, "the trials that are done have the same values")
    if len(trials) < needed:
        said = f"{len(trials)} trials are too few for {len(varied)} holes; {needed} are needed"
        return Importance((), None, said)
    ranks = _ranks([trial.score or 0.0 for trial in trials])
    if ranks.std() == 0:
        return Importance((), None, "all trials have the same score")
    table, columns = _table(trials, varied)
    if gone_on != {None}:
        table = np.column_stack([table, [trial.epochs for trial in trials]]).astype("float32")
    forest, unseen = _forest(table, ranks, seed)
    asked = unseen.any(axis=0)
    count = np.maximum(unseen.sum(axis=0), 1)

    def r2(predicted: np.ndarray) -> np.ndarray:
        """(repeats, trials) predictions → (repeats,)."""
        error = ((predicted - ranks)[:, asked] ** 2).mean(axis=1)
        return 1 - error / ranks[asked].var()

    known = float(r2(_predicted(forest, unseen, table[None]) / count)[0])
    if known <= 0:
        said = f"a forest of {TREES} trees learns nothing from {len(trials)} trials (R² {known:.2f})"
        return Importance((), known, said)
    rng = np.random.default_rng(seed)
    weights = []
    for axis, own in zip(varied, columns, strict=True):
        there = np.array([axis.path in trial.values for trial in trials])
        less = known - r2(_predicted(forest, unseen, _exchanged(table, own, there, rng)) / count)
        weights.append(Weight(axis.path, float(less.mean()), float(less.std(ddof=1)), int(there.sum())))
    return Importance(tuple(sorted(weights, key=lambda weight: -weight.share)), known)


def _ranks(scores: Sequence[float]) -> np.ndarray:
    """(n,) float64 from 1; equal scores share the mean of theirs."""
    _, where, counts = np.unique(np.asarray(scores, "float64"), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where]


def _table(trials: Sequence[Trial], axes: Sequence[Axis]) -> tuple[np.ndarray, list[list[int]]]:
    """(n, columns) float32, and which columns belong to each hole."""
    made: list[np.ndarray] = []
    owned: list[list[int]] = []
    for axis in axes:
        places = np.array([axis.place(t.values[axis.path]) if axis.path in t.values else math.nan for t in trials])
        there = places[~np.isnan(places)]
        found, counts = np.unique(there, return_counts=True)
        category = axis.scale == "category"
        usual = found[counts.argmax()] if category else np.median(there)
        places = np.where(np.isnan(places), usual, places)
        own = [(places == one).astype("float32") for one in found] if category and len(found) > 2 else [places]
        owned.append(list(range(len(made), len(made) + len(own))))
        made += own
    return np.stack(made, axis=1).astype("float32"), owned


def _forest(table: np.ndarray, ranks: np.ndarray, seed: int) -> tuple[Any, np.ndarray]:
    """A forest, and for each of its trees which trials it did not see."""
    from sklearn.ensemble import RandomForestRegressor

    forest: Any = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=seed, n_jobs=1)
    forest.fit(table, ranks)
    unseen = np.ones((TREES, len(table)), bool)
    for at, seen in enumerate(forest.estimators_samples_):
        unseen[at, seen] = False
    return forest, unseen


def _exchanged(table: np.ndarray, columns: Sequence[int], there: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(repeats, n, columns): the table, the values of one hole exchanged between the trials that have it."""
    made = np.repeat(table[None], REPEATS, axis=0)
    rows = np.flatnonzero(there)
    for one in made:
        others = rng.permutation(rows)
        for column in columns:
            one[rows, column] = table[others, column]
    return made


def _predicted(forest: Any, unseen: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """(repeats, n) the sum of what the trees say of trials that they did not see."""
    total = np.zeros(tables.shape[:2])
    for tree, rows in zip(forest.estimators_, unseen, strict=True):
        if rows.any():
            asked = np.ascontiguousarray(tables[:, rows])
            total[:, rows] += tree.tree_.predict(asked.reshape(-1, asked.shape[-1])).reshape(len(tables), -1)
    return total
