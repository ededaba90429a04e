"""Kinds by the words of Keras's documentation, ranges by the names of arguments: what an optimizer may be told."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.kinds import Bounds, bounds, kind, range_mistake
from kbuild.spec.load import load
from kbuild.spec.signature import signature
from kbuild.text.problem import SpecError


def messages(optimizer, layer="{Dense: 3}"):
    text = f"kbuild: 1\nmodel: {{inputs: {{x: {{shape: [4]}}}}, layers: [{layer}]}}\ntrain: {{loss: mse, optimizer: {optimizer}}}\n"
    try:
        check(load(text))
    except SpecError as error:
        return [problem.message for problem in error.problems if problem.code == "K105"]
    return []


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("{Adam: {beta_1: 2}}", "`beta_1` of `Adam` must be below 1, not 2"),
        ("{AdamW: {beta_2: 1.0}}", "`beta_2` of `AdamW` must be below 1, not 1"),
        ("{Lion: {beta_1: -0.1}}", "`beta_1` of `Lion` must be at least 0, not -0.1"),
        ("{SGD: {momentum: 1}}", "`momentum` of `SGD` must be below 1, not 1"),
        ("{RMSprop: {rho: 1.5}}", "`rho` of `RMSprop` must be below 1, not 1.5"),
        ("{Muon: {adam_beta_2: 3}}", "`adam_beta_2` of `Muon` must be below 1, not 3"),
        ("{AdamW: {weight_decay: -1.0}}", "`weight_decay` of `AdamW` must be at least 0, not -1"),
    ],
)
def test_an_optimizer_forgets(optimizer, message):
    assert messages(optimizer) == [message]


@pytest.mark.parametrize(
    "optimizer",
    [
        "{Adam: {beta_1: 0.0, beta_2: 0.9999}}",
        "{SGD: {momentum: 0.99}}",
        "{RMSprop: {rho: 0}}",
        "{Adafactor: {beta_2_decay: -0.8}}",
    ],
)
def test_what_is_published_passes(optimizer):
    assert messages(optimizer) == []


def test_the_statistics_of_a_normalization_may_stay():
    assert messages("Adam", "{BatchNormalization: {momentum: 1.0}}, {Dense: 3}") == []
    assert messages("Adam", "{BatchNormalization: {momentum: -1.0}}, {Dense: 3}") != []


@pytest.mark.parametrize(
    ("documentation", "wanted"),
    [
        ("int, the dimension of the output space.", "int"),
        ("Positive integer, dimensionality of the output space.", "int"),
        ("Number of attention heads.", "int"),
        ("Boolean, whether the layer uses a bias vector.", "bool"),
        ("Whether to reset.", "bool"),
        ("Float between 0 and 1. Fraction of the input units to drop.", "float"),
        ("A small number.", "float"),
        ("int or tuple/list of 2 integer, the size of the window.", None),
        ("Initializer for the kernel.", None),
        ("", None),
    ],
)
def test_one_kind_or_none(documentation, wanted):
    assert kind(documentation) == wanted


def test_bounds_go_by_name_and_by_the_words():
    assert bounds("units") == Bounds(low=1)
    assert bounds("learning_rate") == Bounds(above=0)
    assert bounds("dropout") == Bounds(low=0, below=1)
    assert bounds("rate", "Float between 0 and 1.") == Bounds(low=0, below=1)
    assert bounds("rate", "List of floats.") == Bounds(low=0)
    assert bounds("axis") == Bounds()


def test_a_number_out_of_its_range():
    assert range_mistake("units", 0) == "must be at least 1"
    assert range_mistake("learning_rate", 0) == "must be above 0"
    assert range_mistake("dropout", 1) == "must be below 1"
    assert range_mistake("rate", 1.5, "Float between 0 and 1.") == "must be at least 0 and below 1"
    assert range_mistake("rate", 1.5) is None


@pytest.mark.parametrize(
    ("layer", "argument"), [("RandomFlip", "mode"), ("RandomRotation", "factor"), ("MaxPooling2D", "pool_size")]
)
def test_a_template_in_a_docstring_hides_no_argument(layer, argument):
    known = signature("layers", layer)
    assert known is not None
    assert known.documented[argument]
