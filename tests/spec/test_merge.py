"""Bases, settings and overrides: what stands above is laid over what stands below."""

import pytest

from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.node import plain
from kbuild.text.problem import SpecError

BASE = """
kbuild: 1
vars: {width: 8}
blocks:
  unit: {params: {units: 5, norm: null}, layers: [{Dense: $units}, $norm]}
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {Dense: $width, name: first}
    - chain:
        - {unit: 6, name: inner}
    - branches: [[{Dense: 3, name: left}], []]
    - {Dense: {units: 10, activation: softmax}, name: head}
train:
  optimizer: {Adam: {learning_rate: 1e-3}}
  epochs: 3
"""


def steps(spec):
    return {step.name: dict(step.call.args) for step in expand(spec).steps}


@pytest.mark.parametrize(
    ("setting", "step", "args"),
    [
        ("model.layers.head.units=20", "head", {"units": 20, "activation": "softmax"}),
        ("model.layers.head.activation=null", "head", {"units": 10, "activation": None}),
        ("model.layers.first.units=2", "first", {"units": 2}),
        ("model.layers.first.activation=relu", "first", {"units": 8, "activation": "relu"}),
        ("model.layers.left.units=7", "left", {"units": 7}),
        ("model.layers.inner.units=9", "inner-dense", {"units": 9}),
        ("model.layers.first={Dense: {use_bias: false}}", "first", {"units": 8, "use_bias": False}),
        ("model.layers.first={LayerNormalization: {axis: -1}}", "first", {"axis": -1}),
        ("model.layers.head={$choice: [ReLU, Softmax], default: Softmax}", "head", {}),
        ("vars.width=16", "first", {"units": 16}),
        ("blocks.unit.params.units=3", "inner-dense", {"units": 6}),
    ],
)
def test_a_setting_reaches_its_entry(setting, step, args):
    assert steps(load(BASE, sets=[setting]))[step] == args


def test_siblings_are_set_too():
    repeated = load(BASE, sets=["model.layers.first.repeat=2", "model.layers.first.trainable=false"])
    plan = expand(repeated)
    assert [(step.name, step.trainable) for step in plan.steps[:2]] == [("first-0", False), ("first-1", False)]


def test_a_block_keeps_the_lone_value_as_its_first_parameter():
    found = steps(load(BASE, sets=["model.layers.inner.norm=BatchNormalization"]))
    assert found["inner-dense"] == {"units": 6}
    assert "inner-batch_normalization" in found


@pytest.mark.parametrize(
    ("setting", "optimizer"),
    [
        ("train.optimizer={Adam: {clipnorm: 1}}", {"Adam": {"learning_rate": 1e-3, "clipnorm": 1}}),
        ("train.optimizer={SGD: {momentum: 0.9}}", {"SGD": {"momentum": 0.9}}),
        ("train.optimizer=rmsprop", "rmsprop"),
    ],
)
def test_a_call_merges_with_the_same_name_only(setting, optimizer):
    train = load(BASE, sets=[setting]).node.get("train")
    assert plain(train.get("optimizer")) == optimizer


def test_settings_go_in_order_and_overrides_last():
    spec = load(BASE, {"train.epochs": 9}, sets=["train.epochs=5", "train.epochs=7", "name=other"])
    assert (spec.train.epochs, spec.name) == (9, "other")


def test_of_several_bases_the_later_wins_and_a_section_is_switched_off(tmp_path):
    (tmp_path / "a.yaml").write_text(BASE)
    (tmp_path / "b.yaml").write_text("vars: {width: 12}\ntrain: {epochs: 4}\n")
    (tmp_path / "c.yaml").write_text(
        "kbuild: 1\nextends: [a.yaml, b.yaml]\nmodel: {layers: {head: {units: 2}}}\ntune: false\n"
    )
    spec = load(tmp_path / "c.yaml")
    found = steps(spec)
    assert (spec.name, found["first"], found["head"]["units"], spec.train.epochs) == ("c", {"units": 12}, 2, 4)
    assert [source.name.rsplit("/", 1)[-1] for source in spec.sources] == ["c.yaml", "a.yaml", "b.yaml"]


def test_a_list_of_layers_is_short_for_a_map_with_layers(tmp_path):
    (tmp_path / "a.yaml").write_text("kbuild: 1\nmodel: [{Dense: 4, name: only}]\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\nmodel: {inputs: {x: {shape: [3]}}}\n")
    assert steps(load(tmp_path / "b.yaml")) == {"only": {"units": 4}}


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("model.layers.haed.units=20", "K111", "there is no entry named `haed` in this chain"),
        ("train", "K111", "`train` is no setting"),
        ("=3", "K111", "`=3` is no setting"),
        ("model.layers.head.unit=20", "K103", "`Dense` has no argument `unit`"),
        ("train.epoch=3", "K101", "`train` has no key `epoch`"),
        ("vars.width=wide", "K105", "`units` of `Dense` takes an integer, not `wide`"),
    ],
)
def test_a_setting_that_reaches_nothing_says_so(setting, code, message):
    with pytest.raises(SpecError) as caught:
        expand(load(BASE, sets=[setting]))
    assert [(p.code, p.message) for p in caught.value.problems] == [(code, message)]


def test_specs_that_extend_each_other_are_shown_as_a_circle(tmp_path):
    (tmp_path / "a.yaml").write_text("kbuild: 1\nextends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("kbuild: 1\nextends: a.yaml\n")
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "a.yaml")
    assert caught.value.problems[0].message == "specs extend each other: a.yaml → b.yaml → a.yaml"
