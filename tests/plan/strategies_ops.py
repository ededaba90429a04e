"""Random calls of `keras.ops`, family by family, the batch being axis 0 of every tensor."""

from typing import Any

from hypothesis import strategies as st

sizes = st.sampled_from([1, 2, 3, 4])
shapes = st.lists(sizes, min_size=1, max_size=3).map(tuple)
axis = st.integers(-4, 4)
Case = tuple[str, dict[str, Any], list[Any]]


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


OPS = {
    "broadcast": (broadcasts, True),
    "product": (products, True),
    "reduction": (reductions, False),
    "axes": (rearrangements, True),
    "extension": (extensions, True),
    "joining": (joints, False),
}
"""By family: its calls, each (name, arguments, inputs); and whether Keras must compute to tell."""
