"""Every rule of a layer against the layer itself: the same shapes, or both refuse."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from strategies import CHANGES, LAYERS, Case, several
from strategies_ops import OPS

from kbuild.plan.shapes.elementwise import binary, unary
from kbuild.plan.shapes.table import RULES
from kbuild.spec.allow import INSTEAD, reason
from kbuild.spec.signature import names, signature


@pytest.mark.parametrize("family", LAYERS)
def test_a_rule_and_keras_agree(compare, family):
    """Over many arguments and input shapes."""
    cases, run = LAYERS[family]

    @several
    @given(cases())
    def agree(case: Case) -> None:
        name, args, inputs, kwinputs = case
        compare(name, args, inputs, kwinputs, run=run)

    agree()


NO_ENTRY = {"Input": "declared under `model.inputs`", "InputLayer": "what Keras makes of an input"}
"""Layers without a rule, and why."""

NO_TENSOR = (
    "arange array bartlett blackman empty eye full geomspace hamming hanning identity kaiser linspace logspace ones"
)
NO_TENSOR += " tri zeros"
"""Operations that take no tensor: nothing of the model would reach them, and `apply` refuses them."""

NO_RESULT = "convert_to_numpy dtype is_tensor ndim shape size"
"""Operations that tell of a tensor and give none to go on with; `apply` refuses them too."""

BY_VALUE = "bincount nonzero unique"
"""Operations whose shapes depend on the values: unknown."""


def callable_names(namespace: str) -> set[str]:
    """What a spec may call, abstract classes and refused calls left out."""
    read = {name: signature(namespace, name) for name in names(namespace)}
    return {
        name for name, found in read.items() if not (found.abstract or reason(found) or (namespace, name) in INSTEAD)
    }


def test_every_layer_has_a_rule():
    assert callable_names("layers") - set(RULES["layers"]) == set(NO_ENTRY)


def test_every_operation_has_a_rule_or_a_reason():
    assert callable_names("ops") - set(RULES["ops"]) == set(f"{NO_TENSOR} {NO_RESULT} {BY_VALUE}".split())


@pytest.mark.full
@pytest.mark.parametrize("namespace", ["layers", "ops"])
def test_every_rule_is_compared_with_keras(namespace):
    """By the random calls, or by name in one of the tests beside this one."""
    drawn: set[str] = set()
    for cases, _ in (LAYERS if namespace == "layers" else OPS).values():

        @several
        @given(cases())
        def collect(case: Any) -> None:
            drawn.add(case[0])

        collect()
    beside = Path(__file__).with_name("test_ops.py").read_text("utf-8")
    assert {
        name
        for name in set(RULES[namespace]) - drawn - set(CHANGES)
        if f'"{name}"' not in beside and not alike(namespace, name)
    } <= {"ApplicationPreprocessing"}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_images_at_random_keeps_their_shape(compare, name):
    compare(name, CHANGES[name], [(8, 8, 3)])


def alike(namespace: str, name: str) -> bool:
    """Whether all operations with this rule are tried one by one, or the name is another one for a class."""
    if namespace == "ops":
        return RULES["ops"][name] in (unary, binary)
    return name.startswith(
        ("Convolution", "SeparableConvolution", "MaxPool", "AvgPool", "GlobalMaxPool", "GlobalAvgPool")
    )


def test_every_rule_names_a_layer_or_function_that_exists():
    """No misspelt name in the table, and Keras's other names for the same class are there."""
    import keras

    from kbuild.model import layers as own

    for name in RULES["layers"]:
        assert hasattr(keras.layers, name) or hasattr(own, name), name
    for name in RULES["ops"]:
        assert hasattr(keras.ops, name), name
