"""KerasTuner's oracles over a space with nested choices, conditional levels and tied variables."""

from dataclasses import replace
from functools import cache

import pytest

from kbuild.plan.corners import FIRST, MOST
from kbuild.plan.expand import expand
from kbuild.plan.space import space
from kbuild.search.choices import filled
from kbuild.search.oracle import Oracle
from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.spec.tune import Objective, Tune
from kbuild.spec.values import values

SPEC = """
kbuild: 1
vars: {depth: {$int: [1, 3]}, most: {$int: [8, 16]}, some: {$int: [2, "${most}"]}, tied: {$choice: [4, 8]}}
model:
  inputs: {x: {shape: [8]}}
  layers:
    - chain:
        - $choice:
            plain: {Dense: {units: {$int: [4, 8]}}}
            deep:
              chain:
                - {Dense: $tied}
                - {$choice: {none: [], drop: {Dropout: {$float: [0.1, 0.9], step: 0.1}}}, name: after}
          name: body
      repeat: $depth
      name: stage
    - {Dense: $some}
    - {Dense: {$choice: [1, 3]}, when: "${depth > 2 and tied == 8}", name: last}
train:
  optimizer: {$choice: {adam: {Adam: {$float: [1e-4, 1e-1], sampling: log}}, sgd: {SGD: {momentum: {$float: [0, 0.9]}}}}}
"""
TIED = """
kbuild: 1
vars:
  stages: {$int: [1, 2]}
  base: {$choice: [2, 4]}
  units: {$choice: {own: {$int: [5, 6]}, tied: "${2 * base}"}}
model:
  inputs: {x: {shape: [8]}}
  layers:
    - {$choice: {none: [], dense: [{Dense: 4, repeat: $stages}]}, name: front}
    - {Dense: {$choice: {fixed: 3, free: $units}}, name: last}
train: {optimizer: {$choice: {adam: adam, sgd: {SGD: {momentum: "${base / 10}"}}}}}
"""
ORACLES = {
    "RandomSearch": {"max_trials": 30},
    "BayesianOptimization": {"max_trials": 9, "num_initial_points": 8},
    "GridSearch": {"max_trials": 30},
    "Hyperband": {"max_epochs": 8, "factor": 2},
}


@cache
def once(name, text):
    """The trials of an oracle."""
    return list(asked(name, text=text))


def asked(name, seed=0, own=None, text=SPEC):
    """All trials of an oracle that is told made-up scores: what it proposed, and what the network took."""
    spec = load(text)
    where = space(spec)
    made = Tune(oracle=Call("oracles", name, own or ORACLES[name]), objective=Objective(name="val_accuracy"))
    oracle = Oracle(made, where, "max", seed)
    for _ in range(120):
        trial = oracle.ask()
        if isinstance(trial, str):
            assert trial == "end"
            return
        found = filled(spec, where, trial.proposed, seed, trial.trial)
        expand(found.spec)
        yield trial, found
        oracle.tell(trial.trial, (trial.trial * 7919 % 100) / 100)


def marked(name):
    """The model of trials that a Bayesian search makes is fitted anew for each, over every hole: that takes its time."""
    return [pytest.mark.full] if name == "BayesianOptimization" else []


NESTED = [pytest.param(name, SPEC, marks=marked(name), id=f"{name}-nested") for name in ORACLES]


@pytest.mark.parametrize(
    ("name", "text"), [*NESTED, *(pytest.param(name, TIED, id=f"{name}-tied") for name in ORACLES)]
)
def test_nothing_is_proposed_that_is_not_there_and_nothing_is_missing(name, text):
    trials = once(name, text)
    assert len(trials) >= 9
    for trial, found in trials:
        assert set(trial.proposed) == set(found.values)
        assert found.drawn == {}


@pytest.mark.parametrize("text", [SPEC, TIED], ids=["nested", "tied"])
def test_every_hole_is_come_upon(text):
    seen = {path for _, found in once("RandomSearch", text) for path in found.values}
    assert seen == {dim.path for dim in space(load(text)).dims}


def test_a_grid_has_every_network_once():
    trials = [found.values for _, found in asked("GridSearch", own={"max_trials": 99}, text=TIED)]
    adam, sgd = 1 + 2 + 2, 2 + 4 + 2  # fixed, own 5 or 6, tied to 2 or 4; `base` is there with `sgd` anyway
    assert len(trials) == len({tuple(sorted(values.items())) for values in trials}) == 3 * (adam + sgd)


@pytest.mark.parametrize("name", [pytest.param(name, marks=marked(name)) for name in ORACLES])
def test_a_hole_that_was_not_foreseen_is_proposed_from_then_on(name):
    spec = load(TIED)
    where = space(spec)
    less = replace(where, dims=tuple(dim for dim in where.dims if dim.path not in ("vars.base", "vars.stages")))
    oracle = Oracle(Tune(oracle=Call("oracles", name, ORACLES[name]), objective=Objective(name="loss")), less, "min", 0)
    told = set()
    for _ in range(9):
        trial = oracle.ask()
        found = filled(spec, less, trial.proposed, 0, trial.trial)
        expand(found.spec)
        assert set(found.drawn) == set(found.values) & {"vars.base", "vars.stages"} - told
        assert all(found.values[path] in ("2", "4", 1, 2) for path in set(found.values) & {"vars.base", "vars.stages"})
        oracle.drew(trial.trial, found.drawn)
        told |= set(found.drawn)
        oracle.tell(trial.trial, trial.trial * 0.1)
    assert told == {"vars.base", "vars.stages"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=marked(name)) for name in ORACLES])
def test_values_are_those_of_the_holes(name):
    where = {dim.path: dim for dim in space(load(SPEC)).dims}
    for _, found in once(name, SPEC):
        for path, chosen in found.values.items():
            hole, options = where[path].hole, values(where[path].hole)
            if path == "vars.some":
                assert 2 <= chosen <= found.values["vars.most"]
            elif options is not None:
                assert any(
                    chosen == pytest.approx(option) if hole.kind == "float" else chosen == option for option in options
                )
            else:
                assert hole.low <= chosen <= hole.high


@pytest.mark.parametrize("name", ["RandomSearch", "GridSearch", "Hyperband"])
def test_a_seed_gives_the_same_trials_again(name):
    assert [t.proposed for t, _ in asked(name)] == [t.proposed for t, _ in once(name, SPEC)]


def test_zero_is_a_seed_like_any_other():
    runs = [[t.proposed for t, _ in asked("RandomSearch", seed, {"max_trials": 5})] for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_an_own_seed_of_the_oracle_counts():
    runs = [[t.proposed for t, _ in asked("RandomSearch", 0, {"max_trials": 5, "seed": seed})] for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


def test_hyperband_goes_on_with_the_better_half():
    trials = once("Hyperband", SPEC)
    for trial, found in trials:
        if trial.parent is not None:
            before, same = next((t, f) for t, f in trials if t.trial == trial.parent)
            assert same.values == found.values
            assert trial.epochs > before.epochs
    assert any(trial.parent for trial, _ in trials)
    assert max(trial.epochs for trial, _ in trials) == 8


def test_what_is_dropped_does_not_count():
    spec = load(SPEC)
    where = space(spec)
    made = Tune(oracle=Call("oracles", "RandomSearch", {"max_trials": 4}), objective=Objective(name="loss"))
    oracle = Oracle(made, where, "min", 0)
    counted = 0
    for number in range(1, 20):
        trial = oracle.ask()
        if trial == "end":
            break
        assert trial.trial == number
        if number % 2:
            oracle.drop(trial.trial)
        else:
            counted += 1
            oracle.tell(trial.trial, 0.5)
    assert counted == 4


def test_a_model_of_trials_is_made_when_check_says(monkeypatch):
    from sklearn.gaussian_process import GaussianProcessRegressor

    made, fit = [], GaussianProcessRegressor.fit
    monkeypatch.setattr(GaussianProcessRegressor, "fit", lambda self, x, y: made.append(len(x)) or fit(self, x, y))
    where = space(load("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Dense: {$int: [2, 800]}}]}"))
    tune = Tune(oracle=Call("oracles", "BayesianOptimization", {}), objective=Objective(name="val_accuracy"))
    oracle = Oracle(tune, where, "max", 0)
    for number in range(1, FIRST + 2):
        assert not made
        assert oracle.ask().trial == number
        oracle.tell(number, 0.1 * number)
    assert made == [FIRST]
    assert oracle.most == MOST
