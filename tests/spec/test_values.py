"""Values of holes, and `choices`, which fills them by path."""

import pytest

import kbuild
from kbuild.plan.check import check
from kbuild.spec.fill import filled
from kbuild.spec.hole import hole
from kbuild.spec.load import load
from kbuild.spec.values import values
from kbuild.text.node import node
from kbuild.text.problem import SpecError
from kbuild.text.write import write

SPEC = """
kbuild: 1
name: chosen
vars: {depth: {$int: [1, 3]}, width: {$int: [8, 16]}}
blocks: {unit: {params: {n: 4}, layers: [{Dense: $n}, {Dropout: {$float: [0, 0.9]}}]}}
model:
  inputs: {x: {shape: [8]}}
  layers:
    - chain:
        - Dense: {$int: [8, 64]}
        - {$choice: {plain: [], leaky: {LeakyReLU: {$float: [0.01, 0.3]}}}, name: act}
      repeat: $depth
      name: stage
    - {unit: 4}
    - {unit: $width}
choices:
  vars.depth: 2
  vars.width: 9
  model.layers.stage-0.dense.units: 16
  model.layers.stage-1.dense.units: 32
  model.layers.stage-1.act: leaky
  model.layers.stage-1.act.negative_slope: 0.2
  model.layers.unit_1.dropout.rate: 0.4
"""


def layers(spec):
    """Name, call and arguments of every layer."""
    return [(step.name, step.call.name, dict(step.call.args)) for step in check(spec).plan.steps]


def test_choices_fill_holes_each_on_its_own_path():
    assert layers(load(SPEC)) == [
        ("stage-0-dense", "Dense", {"units": 16}),
        ("stage-1-dense", "Dense", {"units": 32}),
        ("stage-1-act", "LeakyReLU", {"negative_slope": 0.2}),
        ("unit-dense", "Dense", {"units": 4}),
        ("unit-dropout", "Dropout", {"rate": 0}),
        ("unit_1-dense", "Dense", {"units": 9}),
        ("unit_1-dropout", "Dropout", {"rate": 0.4}),
    ]


def test_the_resolved_spec_is_the_same_network():
    spec = load(SPEC)
    before = layers(spec)
    text = write(filled(spec))
    again = load(text)
    assert layers(again) == before
    assert write(filled(again)) == text


def test_only_holes_that_stand_for_several_values_stay():
    spec = load(SPEC)
    check(spec)
    text = write(filled(spec))
    assert "vars" not in text.split("model:")[0]
    assert "repeat: 2" in text
    assert "vars.depth" not in text
    assert "{LeakyReLU: 0.2}" in text
    assert "model.layers.stage-0.dense.units: 16" in text


def test_without_choices_nothing_changes():
    spec = load(SPEC.split("choices:")[0])
    assert layers(spec)[0] == ("stage-dense", "Dense", {"units": 8}) or layers(spec)[0][2] == {"units": 8}


@pytest.mark.parametrize("text", ["3", "[a]", "{a: [1]}", "{a: {b: 1}}"])
def test_choices_is_a_map_of_plain_values(text):
    with pytest.raises(SpecError) as caught:
        load(SPEC.split("choices:")[0] + f"choices: {text}\n")
    assert caught.value.problems[0].code == "K101"


def test_python_lays_them_over_a_spec():
    assert kbuild.check(load(SPEC)) == [p for p in kbuild.check(load(SPEC)) if p.severity != "error"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ({"$float": [0.0, 0.6], "step": 0.1}, (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        ({"$float": [0.1, 0.75], "step": 0.2}, (0.1, 0.3, 0.5, 0.7)),
        ({"$float": [1e-4, 0.1], "step": 10, "sampling": "log"}, (0.0001, 0.001, 0.01, 0.1)),
        ({"$int": [32, 256], "step": 2, "sampling": "log"}, (32, 64, 128, 256)),
    ],
)
def test_steps_are_counted_as_they_are_written(written, wanted):
    # 0.1 six times in floats is 0.6000000000000001, which lies above the upper end
    assert values(hole(node(written))) == wanted
