"""Every rule of a `keras.ops` function against the function itself: the same shapes, or both refuse."""

from typing import Any

import pytest
from hypothesis import given
from strategies import several
from strategies_ops import OPS, Case

from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.plan.shapes.elementwise import RULES as ELEMENTWISE
from kbuild.plan.shapes.elementwise import binary, unary

MORE: dict[str, dict[str, Any]] = {
    "cast": {"dtype": "float32"},
    "clip": {"x_min": 0, "x_max": 1},
    "full_like": {"fill_value": 1},
}
MORE |= {"saturate_cast": {"dtype": "float32"}, "threshold": {"threshold": 0.1, "default_value": 0.0}}
NO_NUMBERS = ("heaviside", "hypot")
"""Keras 3.15.1 asks a plain number for its dtype."""

BITS = ("bitwise_", "left_shift", "right_shift", "logical_", "layer_normalization")


@pytest.mark.parametrize(
    "name", [name for name, rule in ELEMENTWISE.items() if rule is unary and not name.startswith(BITS)]
)
def test_one_operand_keeps_its_shape(compare, name):
    """With the batch axis in front."""
    args = MORE.get(name, {})
    compare(name, args, [(3, 4)], namespace="ops")


@pytest.mark.parametrize(
    "name", [name for name, rule in ELEMENTWISE.items() if rule is binary and not name.startswith(BITS)]
)
def test_two_operands_broadcast(compare, name):
    """Two tensors, and a tensor and a number."""
    compare(name, {}, [(3, 4), (1, 4)], namespace="ops")
    compare(name, {}, [(3, 4), (2, 4)], namespace="ops")
    if name not in NO_NUMBERS:
        compare(name, {"x2": 2}, [(3, 4)], namespace="ops")


@pytest.mark.parametrize("family", OPS)
def test_a_rule_and_keras_agree(compare, family):
    """Over many arguments and input shapes; axis 0 is the batch."""
    cases, run = OPS[family]

    @several
    @given(cases())
    def agree(case: Case) -> None:
        name, args, inputs = case
        compare(name, args, inputs, namespace="ops", run=run)

    agree()


@pytest.mark.parametrize(
    ("equation", "inputs"),
    [
        ("bth,bsh->bts", [(3, 4), (2, 4)]),
        ("bth,bsh->bts", [(3, 4), (2, 5)]),
        ("bij,bjk->bik", [(2, 3), (3, 4)]),
        ("bi,bj->bij", [(2,), (3,)]),
        ("bi,bj->bij", [(2, 2), (3,)]),
        ("bi->bij", [(2,)]),
    ],
)
def test_einsum_and_keras_agree(compare, equation, inputs):
    """Keras takes the equation as its first argument, kbuild as the one after the operands."""
    import keras

    try:
        out: Any = keras.ops.einsum(equation, *(keras.ops.zeros((7, *shape)) for shape in inputs))
        theirs = tuple(out.shape[1:])
    except Exception:
        theirs = None
    if theirs is None:
        with pytest.raises(ShapeMistake):
            shapes_of("einsum", {"subscripts": equation}, inputs, {}, "ops")
    else:
        assert shapes_of("einsum", {"subscripts": equation}, inputs, {}, "ops") == (theirs,)


def test_what_leaves_no_example_is_unknown():
    """A result without the batch in front has no shape of one example."""
    image = (8, 8, 3)
    assert shapes_of("mean", {}, [image], {}, "ops") == (None,)
    assert shapes_of("sum", {"axis": 0}, [image], {}, "ops") == (None,)
    assert shapes_of("transpose", {}, [image], {}, "ops") == (None,)
    assert shapes_of("expand_dims", {"axis": 0}, [image], {}, "ops") == (None,)
    assert shapes_of("stack", {}, [[image, image]], {}, "ops") == (None,)
