"""Every rule of a layer against the layer itself: the same shapes, or both refuse."""

import pytest
from hypothesis import given
from strategies import LAYERS, Case, several

from kbuild.plan.shapes.table import RULES


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


def test_every_rule_names_a_layer_or_function_that_exists():
    """No misspelt name in the table, and Keras's other names for the same class are there."""
    import keras

    from kbuild.model import layers as own

    for name in RULES["layers"]:
        assert hasattr(keras.layers, name) or hasattr(own, name), name
    for name in RULES["ops"]:
        assert hasattr(keras.ops, name), name
