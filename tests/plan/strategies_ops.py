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


@st.composite
def more_reductions(draw: st.DrawFn) -> Case:
    """Over an axis or two, quantiles, running sums."""
    kind = draw(st.sampled_from(["reduce", "quantile", "running", "moments", "trapezoid", "whole"]))
    shape = draw(shapes)
    if kind == "whole":
        return draw(st.sampled_from(["sum", "mean", "histogram", "corrcoef", "ravel"])), {}, [shape]
    args: dict[str, Any] = {"axis": draw(axis)}
    if kind == "moments":
        return "moments", {"axes": [args["axis"]], "keepdims": draw(st.booleans())}, [shape]
    if kind == "trapezoid":
        return "trapezoid", {"axis": draw(st.integers(1, 3))}, [shape]
    if kind == "running":
        return draw(st.sampled_from(["cumsum", "cumprod", "nancumsum", "nancumprod"])), args, [shape]
    if kind == "quantile":
        name = draw(st.sampled_from(["quantile", "percentile", "nanquantile", "nanpercentile"]))
        args |= {"q": draw(st.sampled_from([0.5, [0.5], [0.1, 0.5]])), "keepdims": draw(st.booleans())}
        return name, args, [shape]
    names = ["nanmedian", "nanargmax", "nanargmin", "amin", "ptp", "nansum", "nanmean", "nanmax", "nanmin", "nanvar"]
    return draw(st.sampled_from([*names, "nanstd", "nanprod"])), args, [shape]


@st.composite
def more_axes(draw: st.DrawFn) -> Case:
    """Turned, mirrored, halved, viewed."""
    shape = draw(shapes)
    name = draw(st.sampled_from(["rot90", "flip", "roll", "fliplr", "glu", "diff", "argpartition", "view_as_real"]))
    if name == "rot90":
        return name, {"k": draw(st.integers(-1, 3)), "axes": draw(st.lists(axis, min_size=2, max_size=2))}, [shape]
    if name in ("fliplr", "view_as_real"):
        return name, {}, [shape]
    args: dict[str, Any] = {"axis": draw(st.integers(-len(shape), len(shape)))}
    if name == "glu":
        args = {"axis": args["axis"] or -1}
        shape = tuple(draw(st.sampled_from([2, 4, 3])) for _ in shape)
    if name == "diff":
        args |= {"n": draw(st.integers(1, 3))}
    if name == "argpartition":
        args = {"axis": -1, "kth": 0}
    if name == "roll":
        args |= {"shift": 1}
    return name, args, [shape]


@st.composite
def picks(draw: st.DrawFn) -> Case:
    """Values picked and put."""
    shape = draw(shapes)
    rank = len(shape) + 1
    name = draw(
        st.sampled_from(
            [
                "take_along_axis",
                "slice",
                "multi_hot",
                "get_item",
                "unravel_index",
                "isin",
                "in_top_k",
                "select",
                "digitize",
                "searchsorted",
                "broadcast_to",
                "scatter_update",
                "take",
            ]
        )
    )
    if name == "take_along_axis":
        other = tuple(draw(st.sampled_from([size, size, size, 1])) for size in shape)
        other = other if draw(st.integers(0, 4)) else other[1:]
        return name, {"axis": draw(st.integers(1, rank))}, [shape, other]
    if name == "slice":
        sizes = [-1, *(draw(st.sampled_from([-1, 1, size])) for size in shape)]
        if not draw(st.integers(0, 5)):
            sizes = sizes[:-1] if draw(st.booleans()) else [2, *sizes[1:]]
        return name, {"start_indices": [0] * rank, "shape": sizes}, [shape]
    if name == "multi_hot":
        return name, {"num_classes": 4} | ({"axis": draw(st.integers(-1, 3))} if draw(st.booleans()) else {}), [shape]
    if name == "get_item":
        return name, {"key": draw(st.integers(-1, 0))}, [shape]
    if name == "unravel_index":
        return name, {"shape": draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))}, [shape]
    if name == "in_top_k":
        return name, {"k": 1}, [(), shape]
    if name == "isin":
        return name, {}, [shape, shape]
    if name == "select":
        return name, {}, [[shape], [shape]]
    if name == "digitize":
        return draw(st.sampled_from([(name, {}, [shape, ()]), (name, {"bins": [0.0, 1.0]}, [shape])]))
    if name == "searchsorted":
        return name, {}, [(), shape]
    if name == "broadcast_to":
        return name, {"shape": [144, *shape]}, [shape]
    if name == "scatter_update":
        return name, {"indices": [[0] * rank], "updates": [1.0]}, [shape]
    return name, {"indices": draw(st.sampled_from([0, [0]])), "axis": draw(st.integers(1, rank))}, [shape]


@st.composite
def matrices(draw: st.DrawFn) -> Case:
    """One matrix for each example, or several; mostly square."""
    square = draw(sizes)
    lead = draw(st.lists(sizes, max_size=1))
    shape = (*lead, square, draw(st.sampled_from([square, square, square, 2])))
    if not draw(st.integers(0, 7)):
        shape = shape[-1:]
    name = draw(
        st.sampled_from(
            [
                "inv",
                "cholesky",
                "cholesky_inverse",
                "eig",
                "eigh",
                "svd",
                "qr",
                "lu_factor",
                "solve",
                "det",
                "lstsq",
                "solve_triangular",
                "diagonal",
                "trace",
                "diag",
                "diagflat",
                "pinv",
            ]
        )
    )
    if name in ("solve", "solve_triangular"):
        other = draw(st.sampled_from([shape, (*shape[:-1], 2), shape[:-1], (*shape[:-2], 2, 3)]))
        return name, {}, [shape, other]
    if name == "lstsq":
        return name, {}, [shape, shape]
    args: dict[str, Any] = {}
    if name == "svd":
        args = {"full_matrices": draw(st.booleans())} | ({"compute_uv": False} if draw(st.booleans()) else {})
    if name == "qr":
        args = {"mode": draw(st.sampled_from(["reduced", "complete"]))}
    if name in ("diagonal", "trace"):
        args = {"offset": draw(st.integers(-3, 3)), "axis1": draw(st.sampled_from([1, -2])), "axis2": -1}
        shape = shape if len(shape) > 1 else (*shape, 3)
        args = args if draw(st.integers(0, 5)) else {}
    return name, args, [shape]


@st.composite
def determinants(draw: st.DrawFn) -> Case:
    """Numbers of matrices, which Keras looks at only when it computes."""
    side = draw(sizes)
    shape = (*draw(st.lists(sizes, max_size=1)), side, draw(st.sampled_from([side, side, 2])))
    return draw(st.sampled_from(["logdet", "slogdet", "matrix_rank"])), {}, [shape]


@st.composite
def tensor_products(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["dot", "inner", "outer", "vdot", "tensordot", "cross", "cdist", "attention"]))
    left = tuple(draw(st.lists(st.sampled_from([2, 3]), min_size=1, max_size=3)))
    right = tuple(draw(st.sampled_from([size, size, size, 2])) for size in left)
    if name == "attention":
        query, steps, heads = draw(sizes), draw(sizes), draw(sizes)
        key = (steps, heads, 4)
        return "dot_product_attention", {}, [(query, heads, 4), key, key]
    if name == "dot" and draw(st.booleans()):
        return name, {"x2": 2.0}, [left]
    if name == "tensordot":
        places = st.integers(1, min(len(left), len(right)))
        axes = draw(st.sampled_from([0, [[draw(places)], [draw(places)]], [[0], [0]]]))
        return name, {"axes": axes}, [left, right]
    if name == "cross":
        args = {"axis": draw(st.integers(1, len(left)))} if draw(st.booleans()) else {}
        return name, args, [left, right]
    return name, {}, [left, left if name == "inner" or name == "vdot" else right]


@st.composite
def signals(draw: st.DrawFn) -> Case:
    lead = tuple(draw(st.lists(sizes, max_size=1)))
    samples = draw(st.integers(4, 40))
    name = draw(
        st.sampled_from(["fft", "fft2", "ifft2", "rfft", "irfft", "stft", "istft", "extract_sequences", "fft", "rfft"])
    )
    shape = (*lead, samples)
    both: list[Any] = [[shape, shape if draw(st.integers(0, 4)) else (*lead, samples + 1)]]
    length = {"fft_length": draw(st.integers(2, 9))} if draw(st.booleans()) else {}
    if name in ("fft", "fft2", "ifft2"):
        return name, {}, both
    if name == "rfft":
        return name, length, [shape]
    if name == "irfft":
        return name, length, both
    window = draw(st.sampled_from([2, 4, 8]))
    args: dict[str, Any] = {"sequence_length": window, "sequence_stride": draw(st.integers(1, 4))}
    if name == "extract_sequences":
        return name, args, [shape]
    args |= {"fft_length": window, "center": draw(st.booleans())}
    if name == "stft":
        return name, args, [(*lead, samples + 8)]
    part = (*lead, draw(st.integers(2, 5)), window // 2 + 1)
    return name, args | ({"length": 10} if draw(st.booleans()) else {}), [[part, part]]


@st.composite
def windows(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["max_pool", "average_pool", "unfold", "fold", "depth_to_space", "space_to_depth"]))
    if name.endswith("pool"):
        rank = draw(st.integers(1, 3))
        one = st.integers(1, 3)
        args: dict[str, Any] = {"pool_size": draw(st.one_of(one, st.lists(one, min_size=rank, max_size=rank)))}
        args |= {"padding": draw(st.sampled_from(["valid", "same"]))}
        args |= {"strides": draw(one)} if draw(st.booleans()) else {}
        args |= {"data_format": "channels_first"} if draw(st.booleans()) else {}
        return name, args, [tuple(draw(st.integers(3, 7)) for _ in range(rank + 1))]
    if name in ("unfold", "fold"):
        kernel = draw(st.one_of(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=2, max_size=2)))
        args = {"kernel_size": kernel}
        if name == "fold":
            args |= {"output_size": [4, 5]}
            return name, args, [(draw(st.sampled_from([4, 12, 6, 36])), draw(st.integers(4, 20)))]
        args |= {
            "dilation": draw(st.integers(1, 2)),
            "padding": draw(st.integers(0, 1)),
            "stride": draw(st.integers(1, 2)),
        }
        return name, args, [(draw(sizes), draw(st.integers(6, 9)), draw(st.integers(6, 9)))]
    block = draw(st.sampled_from([2, 2, 3]))
    shape = tuple(draw(st.sampled_from([4, 6, 8, 12, 9])) for _ in range(3))
    first = {"data_format": "channels_first"} if draw(st.booleans()) else {}
    return name, {"block_size": block} | first, [shape]


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    shape = draw(shapes)
    name = draw(st.sampled_from(["binary", "categorical", "sparse_categorical", "psnr", "allclose", "polar"]))
    if name == "psnr":
        return name, {"max_val": 1.0}, [shape, shape]
    if name in ("allclose", "polar"):
        return name, {}, [shape, shape]
    other = shape if draw(st.integers(0, 3)) else (*shape[:-1], shape[-1] + 1)
    if name == "sparse_categorical":
        other = draw(st.sampled_from([shape[:-1], (*shape[:-1], 1), shape]))
    return f"{name}_crossentropy", {}, [other, shape]


@st.composite
def more_joints(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["append", "hstack", "dstack", "array_split", "hsplit", "dsplit", "meshgrid"]))
    shape = draw(shapes)
    other = tuple(draw(st.sampled_from([size, size, size, size, 2])) for size in shape)
    if name == "append":
        return name, {"axis": draw(st.integers(1, len(shape)))} if draw(st.integers(0, 4)) else {}, [shape, other]
    if name == "meshgrid":
        return name, {}, [(), ()]
    if name.endswith("stack"):
        return name, {}, [[shape, other]]
    args: dict[str, Any] = {"indices_or_sections": draw(st.one_of(st.integers(1, 3), st.sampled_from([[1], [1, 2]])))}
    if name == "array_split":
        args |= {"axis": draw(st.integers(1, len(shape)))}
    return name, args, [shape]


OPS = {
    "broadcast": (broadcasts, True),
    "product": (products, True),
    "reduction": (reductions, False),
    "axes": (rearrangements, True),
    "extension": (extensions, True),
    "joining": (joints, False),
    "more reductions": (more_reductions, True),
    "more axes": (more_axes, False),
    "picks": (picks, False),
    "matrices": (matrices, False),
    "determinants": (determinants, True),
    "tensor products": (tensor_products, True),
    "signals": (signals, False),
    "windows": (windows, True),
    "comparisons": (comparisons, False),
    "more joining": (more_joints, True),
}
"""By family: its calls, each (name, arguments, inputs); and whether Keras must compute to tell."""
