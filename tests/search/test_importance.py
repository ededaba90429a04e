"""What each hole matters: planted effects are found, noise is called noise."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from kbuild.search.axes import Axis
from kbuild.search.importance import importance
from kbuild.search.study import Trial

AXES = (
    Axis("rate", "rate", "log", 1e-4, 1e-1),
    Axis("kind", "kind", "category", labels=("flat", "conv", "none")),
    Axis("depth", "depth", "linear", 1, 8, conditional=True),
    Axis("width", "width", "linear", 1, 99),
)


def trials(count, score, seed=0):
    """Trials of random values; `depth` is there for `flat` alone."""
    rng = random.Random(seed)
    made = []
    for number in range(1, count + 1):
        values = {"rate": 10 ** rng.uniform(-4, -1), "kind": rng.choice(["flat", "conv", "none"])}
        values |= {"width": rng.randint(1, 99)}
        values |= {"depth": rng.randint(1, 8)} if values["kind"] == "flat" else {}
        made.append(Trial(number, "done", values, score(values, rng)))
    return made


def shares(found):
    return {weight.path: weight.share for weight in found.weights}


def test_what_decides_the_score_is_what_matters():
    found = importance(trials(80, lambda values, _: abs(math.log10(values["rate"]) + 2.5)), AXES)
    assert found.weights[0].path == "rate"
    assert found.r2 is not None and found.r2 > 0.8
    assert shares(found)["rate"] > 0.8
    assert all(abs(share) < 0.1 for path, share in shares(found).items() if path != "rate")


def test_one_trial_that_went_to_infinity_is_not_all_that_matters():
    plain = trials(80, lambda values, _: values["width"])
    wild = [*plain[:-1], Trial(80, "done", plain[-1].values, 1e30)]
    found = importance(wild, AXES)
    assert found.weights[0].path == "width"
    assert found.r2 == pytest.approx(importance(plain, AXES).r2, abs=0.1)


def test_a_hole_that_is_not_always_there_matters_where_it_is():
    def score(values, _):
        return values.get("depth", 4.5)

    found = importance(trials(120, score), AXES)
    assert found.weights[0].path == "depth"
    there = sum("depth" in trial.values for trial in trials(120, score))
    assert found.weights[0].trials == there < 60


def test_that_a_hole_is_there_belongs_to_the_hole_that_decides_it():
    found = importance(trials(120, lambda values, rng: 10.0 * ("depth" in values) + rng.random()), AXES)
    assert found.weights[0].path == "kind"
    assert shares(found)["kind"] > 5 * shares(found)["depth"]


def test_a_long_training_is_not_taken_for_good_values():
    rng = random.Random(1)
    made = trials(60, lambda values, _: values["width"])
    # as Hyperband does: some go on, ten times as long, and become far better; none of them is wide by design
    made = [replace(trial, epochs=2) for trial in made]
    chosen = rng.sample(made, 20)
    made += [
        replace(trial, number=100 + at, epochs=20, score=(trial.score or 0) - 1000, parent=trial.number)
        for at, trial in enumerate(chosen)
    ]
    found = importance(made, AXES)
    assert found.weights[0].path == "width" and found.weights[0].trials == 60
    assert found.r2 is not None and found.r2 > 0.9


def test_noise_is_no_importance():
    found = importance(trials(40, lambda _, rng: rng.random()), AXES)
    assert found.weights == ()
    assert found.r2 is not None and found.r2 <= 0
    assert found.why is not None and "learns nothing from 40 trials" in found.why


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (trials(9, lambda values, _: values["width"]), "9 trials are too few for 4 holes; 10 are needed"),
        (trials(20, lambda *_: 1.0), "all trials have the same score"),
        (
            [Trial(n, "done", {"rate": 0.1}, float(n)) for n in range(20)],
            "the trials that are done have the same values",
        ),
    ],
)
def test_where_nothing_can_be_said(made, why):
    found = importance(made, AXES)
    assert (found.weights, found.r2, found.why) == ((), None, why)


def test_the_same_trials_give_the_same_numbers():
    made = trials(30, lambda values, _: values["width"])
    found = importance(made, AXES)
    assert found == importance(made, AXES)
    assert not np.isclose(importance(made, AXES, seed=1).weights[0].share, found.weights[0].share)
