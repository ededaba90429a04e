"""Holes as lines: where values lie, and what `run.json` is to hold for that."""

import json

import pytest

from kbuild.plan.space import space
from kbuild.search.axes import Axis, axes, described
from kbuild.search.study import Study, Trial
from kbuild.spec.load import load

SPEC = """
kbuild: 1
vars: {most: {$choice: [8, 64]}}
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {Dense: {units: {$int: [2, $most]}, use_bias: {$bool: true}}, name: a}
    - {Dropout: {$float: [0.0, 0.8]}, name: drop}
    - {Dense: 3}
train: {optimizer: {Adam: {learning_rate: {$float: [1e-4, 1e-1], sampling: log}}}}
"""


def study(path, holes, *trials):
    (path / "run.json").write_text(json.dumps({"kind": "study", "holes": holes}))
    done = (Trial(n, "done", values, float(n)) for n, values in enumerate(trials, 1))
    return Study(path, "done", "val_loss", "min", tuple(done))


def test_holes_are_as_the_spec_has_them(tmp_path):
    holes = json.loads(json.dumps(described(space(load(SPEC)))))
    values = {"vars.most": "8", "model.layers.a.units": 5, "model.layers.drop.rate": 0.4}
    values |= {"model.layers.a.use_bias": True, "train.optimizer.Adam.learning_rate": 0.01}
    found = {one.label: one for one in axes(study(tmp_path, holes, values, {**values, "model.layers.a.units": 60}))}
    assert found["most"].labels == ("8", "64")
    assert (found["units"].low, found["units"].high) == (5, 60)  # its ends depend on another hole: those that were seen
    assert (found["rate"].low, found["rate"].high, found["rate"].scale) == (0.0, 0.8, "linear")
    assert (found["learning_rate"].low, found["learning_rate"].scale) == (1e-4, "log")
    assert set(found["use_bias"].labels) == {"true"}
    assert not any(one.conditional for one in found.values())


def test_what_is_not_known_is_guessed(tmp_path):
    trials = [
        {"rate": 1e-4, "n": 1, "b": True, "k": "10"},
        {"rate": 1e-1, "n": 3, "b": False, "k": "9"},
        {"rate": 1e-3},
    ]
    found = {one.path: one for one in axes(study(tmp_path, [], *trials))}
    assert (found["rate"].scale, found["n"].scale, found["b"].labels) == ("log", "linear", ("false", "true"))
    assert found["k"].labels == ("9", "10")
    assert [found[path].conditional for path in ("rate", "n", "b", "k")] == [False, True, True, True]


@pytest.mark.parametrize(
    ("axis", "places"),
    [
        (Axis("x", "x", "linear", 2, 6), {2: 0, 3: 0.25, 6: 1}),
        (Axis("x", "x", "log", 0.001, 10), {0.001: 0, 0.1: 0.5, 10: 1}),
        (Axis("x", "x", "reverse_log", 1, 100), {1: 0, 91: 0.5, 100: 1}),
        (Axis("x", "x", "category", labels=("a", "b", "c")), {"a": 0, "b": 0.5, "c": 1}),
        (Axis("x", "x", "linear", 3, 3), {3: 0.5}),
        (Axis("x", "x", "category", labels=("true",)), {True: 0.5}),
    ],
)
def test_places_run_from_0_to_1(axis, places):
    assert {value: axis.place(value) for value in places} == pytest.approx(places)
