"""Every rule of a `keras.ops` function against the function itself: the same shapes, or both refuse."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.plan.shapes.elementwise import RULES as ELEMENTWISE
from kbuild.plan.shapes.elementwise import binary, unary

SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much)
few = settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)

sizes = st.sampled_from([1, 2, 3, 4])
shapes = st.lists(sizes, min_size=1, max_size=3).map(tuple)
axis = st.integers(-4, 4)
Case = tuple[str, dict[str, Any], list[Any]]

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


@st.composite
def broadcasts(draw: st.DrawFn) -> Case:
    base = draw(st.lists(sizes, min_size=1, max_size=3))
    other = [draw(st.sampled_from([size, size, 1, 2])) for size in base]
    if not draw(st.integers(0, 5)):
        other = other[1:]
    if draw(st.booleans()):
        return draw(st.sampled_from(["add", "maximum"])), {}, [tuple(base), tuple(other)]
    literal = draw(st.lists(st.just(1.0), min_size=1, max_size=4))
    return "multiply", {"x2": literal}, [tuple(base)]


@st.composite
def products(draw: st.DrawFn) -> Case:
    left = draw(st.lists(sizes, min_size=2, max_size=3))
    right = [*left[:-2], draw(st.sampled_from([left[-1], left[-1], left[-1], 2])), draw(sizes)]
    if not draw(st.integers(0, 4)):
        right = right[-2:]
    return "matmul", {}, [tuple(left), tuple(right)]


@st.composite
def reductions(draw: st.DrawFn) -> Case:
    names = ["sum", "mean", "max", "min", "var", "std", "prod", "any", "all", "logsumexp", "argmax", "argmin", "amax"]
    name = draw(st.sampled_from([*names, "median", "count_nonzero", "norm", "average"]))
    one = name in ("argmax", "argmin", "norm", "average", "count_nonzero")
    args: dict[str, Any] = {
        "axis": draw(
            axis if one else st.one_of(axis, st.lists(axis, min_size=1, max_size=2, unique_by=lambda a: a % 4))
        )
    }
    if name not in ("average", "count_nonzero") and draw(st.booleans()):
        args["keepdims"] = draw(st.booleans())
    shape = draw(shapes)
    axes = args["axis"] if isinstance(args["axis"], list) else [args["axis"]]
    if len({a % (len(shape) + 1) for a in axes}) < len(axes):
        args["axis"] = axes[0]
    return name, args, [shape]


@st.composite
def rearrangements(draw: st.DrawFn) -> Case:
    name = draw(
        st.sampled_from(
            [
                "expand_dims",
                "squeeze",
                "reshape",
                "transpose",
                "moveaxis",
                "swapaxes",
                "flip",
                "softmax",
                "sort",
                "normalize",
                "cumsum",
            ]
        )
    )
    shape = draw(shapes)
    if name == "reshape":
        target = (
            [-1, *draw(st.lists(sizes, max_size=2))] if draw(st.booleans()) else [-1, *draw(st.permutations(shape))]
        )
        return name, {"newshape": target}, [shape]
    if name == "transpose":
        order = [0, *draw(st.permutations(range(1, len(shape) + 1)))]
        return name, {"axes": order if draw(st.integers(0, 4)) else order[:-1]}, [shape]
    if name == "swapaxes":
        return name, {"axis1": draw(axis), "axis2": draw(axis)}, [shape]
    if name == "moveaxis":
        inside = st.integers(-len(shape), len(shape))
        return name, {"source": draw(inside), "destination": draw(inside)}, [shape]
    return name, {"axis": draw(axis)}, [shape]


@st.composite
def extensions(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["repeat", "tile", "pad", "one_hot", "take", "top_k"]))
    shape = draw(shapes)
    rank = len(shape) + 1
    if name == "repeat":
        place = draw(st.integers(1, rank - 1))
        each = st.lists(st.integers(1, 3), min_size=shape[place - 1], max_size=shape[place - 1])
        return name, {"repeats": draw(st.one_of(st.integers(1, 3), each)), "axis": place}, [shape]
    if name == "tile":
        return name, {"repeats": draw(st.lists(st.integers(1, 3), min_size=1, max_size=rank))}, [shape]
    if name == "pad":
        pairs = [[0, 0], *([draw(st.integers(0, 2)), draw(st.integers(0, 2))] for _ in shape)]
        return name, {"pad_width": pairs if draw(st.integers(0, 4)) else [*pairs, [1, 1]]}, [shape]
    if name == "one_hot":
        return name, {"num_classes": draw(st.integers(1, 4))}, [shape]
    if name == "take":
        return name, {"indices": draw(st.sampled_from([0, [0], [0, 0], [[0], [0]]])), "axis": draw(axis)}, [shape]
    return name, {"k": draw(st.integers(1, 3))}, [shape]


@st.composite
def joints(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["concatenate", "stack", "split", "unstack"]))
    shape = draw(shapes)
    inside = draw(st.integers(-len(shape), len(shape)))
    if name in ("split", "unstack"):
        cuts = {"indices_or_sections": draw(st.one_of(st.integers(1, 3), st.sampled_from([[1], [1, 2], [2, 3]])))}
        return name, {"axis": inside or 1} | (cuts if name == "split" else {}), [shape]
    other = tuple(draw(st.sampled_from([size, size, size, size, 2])) for size in shape)
    return name, {"axis": inside}, [[shape, other]]


FAMILIES = {
    "broadcast": (broadcasts, True),
    "product": (products, True),
    "reduction": (reductions, False),
    "axes": (rearrangements, True),
    "extension": (extensions, True),
    "joining": (joints, False),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rule_and_keras_agree(compare, family):
    """Over many arguments and input shapes; axis 0 is the batch."""
    cases, run = FAMILIES[family]

    @few
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
