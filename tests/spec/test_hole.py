"""Holes: what stands for them, what may be chosen, and what is wrong with one."""

import pytest

from kbuild.plan.expand import expand
from kbuild.spec.hole import hole
from kbuild.spec.load import load
from kbuild.text.node import node, plain
from kbuild.text.problem import SpecError


@pytest.mark.parametrize(
    ("written", "kind", "default"),
    [
        ({"$choice": ["relu", "elu"]}, "choice", "relu"),
        ({"$choice": ["relu", None], "default": None}, "choice", None),
        ({"$choice": [1, True], "default": True}, "choice", True),
        ({"$choice": {"small": [1], "big": [2]}, "default": "big"}, "choice", [2]),
        ({"$int": [2, 8]}, "int", 2),
        ({"$int": [2, 8], "default": 8, "step": 2, "sampling": "log"}, "int", 8),
        ({"$float": [1e-4, 1], "sampling": "log"}, "float", 1e-4),
        ({"$float": [0, 1]}, "float", 0),
        ({"$bool": False}, "bool", False),
    ],
)
def test_a_hole_stands_for_its_default(written, kind, default):
    found = hole(node(written))
    assert (found.kind, plain(found.default)) == (kind, default)
    assert type(plain(found.default)) is type(default)


def test_options_are_labelled_by_themselves_or_by_number():
    assert list(hole(node({"$choice": ["relu", None, 3, True]})).options) == ["relu", "null", "3", "true"]
    assert list(hole(node({"$choice": [["a"], {"Dense": 3}]})).options) == ["0", "1"]
    assert list(hole(node({"$choice": ["1", 1]})).options) == ["0", "1"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"$int": [8, 2]}, "the lower end 8 lies above the upper end 2"),
        ({"$int": [1, 2, 3]}, "`$int` takes its two ends"),
        ({"$int": [True, 2]}, "`true` is not an integer"),
        ({"$int": [1, 2], "default": 2.0}, "`2.0` is not an integer"),
        ({"$int": [1, 2], "default": 3}, "the default 3 lies outside 1 … 2"),
        ({"$int": [1, 8], "step": 1, "sampling": "log"}, "`step` must be above 1, not 1"),
        ({"$float": ["a", 2]}, "`a` is not a number"),
        ({"$choice": []}, "`$choice` takes a list of options or a map of labels to options, not an empty one"),
        ({"$choice": {"a": 1}, "default": "b"}, "`b` is none of the labels"),
        ({"$choice": [1], "default": True}, "the default `true` is none of the options"),
        ({"$choice": [1], "sampling": "log"}, "`$choice` has no option `sampling`"),
        ({"$bool": 1}, "`$bool` takes its default, `true` or `false`"),
        ({"$int": [1, 2], "$bool": True}, "a hole is one of `$choice`, `$int`, `$float`, `$bool`"),
    ],
)
def test_what_is_wrong_is_said(written, message):
    with pytest.raises(SpecError) as caught:
        hole(node(written))
    assert [(p.code, p.message) for p in caught.value.problems] == [("K131", message)]


def test_each_copy_and_each_use_of_a_block_asks_by_its_own_name():
    asked = []

    def choose(path, found):
        asked.append(path)
        return found.default

    text = """
    kbuild: 1
    vars: {width: {$int: [3, 9]}}
    blocks:
      unit: {params: {units: {$int: [2, 4]}}, layers: [{Dense: $units, name: d}, {$choice: [ReLU, []], name: act}]}
    model:
      inputs: {x: {shape: [4]}}
      layers:
        - {Dense: {units: {$int: [1, 8]}}, repeat: 2, name: stage}
        - {Dense: $width, when: {$bool: true}, name: last}
        - {Dense: $width}
        - {unit: null, name: a}
        - {$choice: [ReLU, {Dropout: {$float: [0.1, 0.5]}}], name: top}
    """
    expand(load(text, choose=choose))
    assert asked == [
        "vars.width",
        "model.layers.stage-0.units",
        "model.layers.stage-1.units",
        "model.layers.last.when",
        "model.layers.a.units",
        "model.layers.a.act",
        "model.layers.top",
    ]
