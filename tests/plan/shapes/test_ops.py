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


def test_operations_that_few_arguments_fit(compare):
    """What random calls would seldom hit."""
    start = {"start_indices": [0, 0]}
    compare("slice_update", start, [(4,)], {"updates": (4,)}, "ops")
    compare("batch_normalization", {"axis": -1}, [(4,), (4,), (4,)], {}, "ops")
    compare("batch_normalization", {"axis": -1, "mean": [0.0] * 4, "variance": [1.0] * 4}, [(4,)], {}, "ops")
    compare("kron", {}, [(3,), (4,)], {}, "ops")
    compare("vander", {"N": 3}, [()], {}, "ops")
    compare("vander", {"N": 3}, [(4,)], {}, "ops")
    compare("where", {}, [(3, 4), (1, 4), (3, 1)], {}, "ops")
    compare("view_as_complex", {}, [(4, 2)], {}, "ops")
    compare("view_as_complex", {}, [(4, 3)], {}, "ops", run=True)
    compare("ctc_loss", {}, [(5,), (9, 4), (), ()], {}, "ops")
    compare("ctc_decode", {}, [(9, 4), ()], {}, "ops")
    for name in ("argsort", "log_softmax", "rms_normalization", "sparsemax", "nanmax", "nanprod", "nanvar", "ptp"):
        compare(name, {"axis": -1}, [(3, 4)], {}, "ops")
        compare(name, {"axis": 3}, [(3, 4)], {}, "ops", run=True)
    compare("view", {}, [(4,)], {}, "ops")
    compare("view", {"dtype": "float16"}, [(4,)], {}, "ops")
    compare("scatter", {"indices": [[0]], "shape": [4]}, [], {"values": ()}, "ops")
    for name in ("segment_sum", "segment_max", "segment_min", "segment_prod"):
        compare(name, {"num_segments": 3}, [(4,), ()], {}, "ops")


@pytest.mark.parametrize(
    "name",
    [
        "conv",
        "depthwise_conv",
        "separable_conv",
        "conv_transpose",
        "rearrange",
        "adaptive_max_pool",
        "adaptive_average_pool",
    ],
)
def test_operations_that_no_spec_can_call(compare, name):
    """Keras wants of them what YAML has not; a layer does the same."""
    kernel = [[[[1.0]] * 3]]
    args: dict[str, Any] = {"kernel": kernel}
    if name == "separable_conv":
        args = {"depthwise_kernel": kernel, "pointwise_kernel": kernel}
    if name.startswith("adaptive"):
        args = {"output_size": [2, 2]}
    compare(name, {"pattern": "b h w c -> b w h c"} if name == "rearrange" else args, [(8, 8, 3)], {}, "ops")


@pytest.mark.parametrize(
    ("name", "args", "inputs"),
    [
        ("concatenate", {}, [[(3,), (3,)]]),
        ("stack", {}, [[(3,), (3,)]]),
        ("split", {"indices_or_sections": 2}, [(4,)]),
        ("array_split", {"indices_or_sections": 2}, [(4,)]),
        ("unstack", {}, [(4,)]),
        ("vstack", {}, [[(3,), (3,)]]),
        ("vsplit", {"indices_or_sections": 2}, [(4,)]),
        ("flip", {}, [(4,)]),
        ("roll", {"shift": 1}, [(4,)]),
        ("flipud", {}, [(4,)]),
        ("correlate", {}, [(4,), (4,)]),
    ],
)
def test_what_would_mix_the_examples_of_a_batch_is_refused(name, args, inputs):
    """Keras takes axis 0, or all, where none is written; it is told only when labels no longer fit, or never."""
    with pytest.raises(ShapeMistake, match="batch") as caught:
        shapes_of(name, args, inputs, {}, "ops")
    assert caught.value.help


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
    assert shapes_of("stack", {"axis": 0}, [[image, image]], {}, "ops") == (None,)
