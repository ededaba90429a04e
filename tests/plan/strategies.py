"""Random calls of layers, family by family: what shape rules, cost rules and Keras are compared over."""

import os
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from kbuild.spec.call import Call

several = settings(
    max_examples=200 if os.environ.get("KBUILD_FULL") == "1" else 20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much),
)
"""20 examples in the commit tier, 200 in the full one."""

small = st.integers(1, 4)
size = st.integers(1, 9)
Case = tuple[str, dict[str, Any], list[Any], dict[str, Any]]
"""Name of the class, arguments, inputs by position and by name: as `shapes_of` takes them."""


def some(draw: st.DrawFn, **optional: st.SearchStrategy[object]) -> dict[str, Any]:
    """Some of the arguments, the others left to Keras's defaults."""
    return {name: draw(values) for name, values in optional.items() if draw(st.booleans())}


def per_axis(rank: int, numbers: st.SearchStrategy[int]) -> st.SearchStrategy[object]:
    """One number for all axes, or one for each; seldom too many."""
    each = st.lists(numbers, min_size=rank, max_size=rank)
    wrong = st.lists(numbers, min_size=rank + 1, max_size=rank + 1)
    return st.integers(0, 15).flatmap(lambda kind: wrong if kind == 15 else each if kind > 7 else numbers)


def map_shape(
    draw: st.DrawFn, rank: int, first: bool, channels: st.SearchStrategy[int] = size
) -> tuple[int | None, ...]:
    """A map's shape, mostly of the right rank, sometimes with an unknown place."""
    rank = draw(st.sampled_from([*[rank] * 12, rank - 1, rank + 1]))
    places = [draw(st.one_of(st.integers(3, 9), size, st.integers(5, 9), st.none())) for _ in range(rank)]
    return (draw(channels), *places) if first else (*places, draw(channels))


def formats() -> st.SearchStrategy[object]:
    """`data_format`, mostly the default."""
    return st.sampled_from(["channels_last", "channels_first", None])


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(["Conv", "Separable", "Depthwise", "Transpose"]))
    rank = draw(st.integers(1, 2 if kind in ("Separable", "Depthwise") else 3))
    name = {"Separable": f"SeparableConv{rank}D", "Depthwise": f"DepthwiseConv{rank}D"}.get(kind, f"Conv{rank}D")
    args = {"kernel_size": draw(per_axis(rank, small))}
    args |= some(
        draw,
        strides=per_axis(rank, st.sampled_from([1, 1, 2, 3])),
        padding=st.sampled_from(["valid", "same", "valid", "same", "SAME", "causal"]),
        dilation_rate=per_axis(rank, st.sampled_from([1, 1, 2])),
        data_format=formats(),
    )
    if kind != "Depthwise":
        args["filters"] = draw(st.sampled_from([4, 6, 12, 2, 8, 1, 6, 12, 0]))
    if kind in ("Separable", "Depthwise"):
        args |= some(draw, depth_multiplier=small)
    if kind == "Conv":
        args |= some(draw, groups=st.sampled_from([1, 2, 2, 3]))
    if kind == "Transpose":
        name += "Transpose"
        args |= some(draw, output_padding=st.one_of(per_axis(rank, st.integers(0, 2)), st.none()))
    shape = map_shape(draw, rank, args.get("data_format") == "channels_first", st.sampled_from([6, 4, 2, 12, 3]))
    return name, args, [shape], {}


@st.composite
def poolings(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["Max", "Average"]))
    args = some(draw, data_format=formats())
    first = args.get("data_format") == "channels_first"
    shape = map_shape(draw, rank, first)
    if draw(st.booleans()):
        name = f"{kind}Pooling{rank}D"
        args |= {"pool_size": draw(per_axis(rank, small))} if kind == "Average" or draw(st.booleans()) else {}
        args |= some(
            draw,
            strides=st.one_of(per_axis(rank, small), st.none()),
            padding=st.sampled_from(["valid", "same"]),
        )
        return name, args, [shape], {}
    if draw(st.booleans()):
        return f"Global{kind}Pooling{rank}D", args | some(draw, keepdims=st.booleans()), [shape], {}
    places = [draw(size) for _ in range(rank)]
    args["output_size"] = draw(st.one_of(small, st.lists(small, min_size=rank, max_size=rank)))
    return f"Adaptive{kind}Pooling{rank}D", args, [(3, *places) if first else (*places, 3)], {}


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["Flatten", "Reshape", "Permute", "RepeatVector"]))
    sizes = st.sampled_from([1, 2, 3, 4, 6, None]) if draw(st.booleans()) else st.sampled_from([1, 2, 3, 4, 6])
    shape = tuple(draw(st.lists(sizes, max_size=4)))
    if name == "Reshape":
        target = draw(st.lists(st.sampled_from([1, 2, 3, 4, 6, 12, -1, -1, -2]), max_size=3))
        return name, {"target_shape": target}, [shape], {}
    if name == "Permute":
        rank = len(shape) if draw(st.integers(0, 3)) else len(shape) + 1
        dims = draw(st.permutations(range(1, rank + 1))) if draw(st.integers(0, 3)) else [1, 1]
        return name, {"dims": list(dims)}, [shape], {}
    return name, {"n": draw(st.integers(0, 3))} if name == "RepeatVector" else {}, [shape], {}


@st.composite
def borders(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 3))
    kind, arg = draw(st.sampled_from([("Cropping", "cropping"), ("ZeroPadding", "padding"), ("UpSampling", "size")]))
    n = st.integers(0, 3)
    if kind == "UpSampling":
        values = n if rank == 1 else per_axis(rank, n)
    elif rank == 1:
        values = st.one_of(n, st.lists(n, min_size=2, max_size=2))
    else:
        pairs = st.lists(n, min_size=2, max_size=2)
        values = st.one_of(per_axis(rank, n), st.lists(st.one_of(n, pairs), min_size=rank, max_size=rank))
    args = some(draw, **{arg: values})
    if rank > 1 or kind == "ZeroPadding":
        args |= some(draw, data_format=formats())
    return f"{kind}{rank}D", args, [map_shape(draw, rank, args.get("data_format") == "channels_first")], {}


def close_shapes(draw: st.DrawFn, count: int, *, least: int = 0, unknown: bool = True) -> list[tuple[int | None, ...]]:
    """Shapes that often fit, sometimes not quite."""
    base = draw(st.lists(st.sampled_from([1, 2, 3, 5]), min_size=least, max_size=3))
    shapes = []
    for _ in range(count):
        shape: list[int | None] = list(base)
        change = draw(st.integers(0, 6 if unknown else 4))
        if shape and change in (1, 2, 5, 6):
            place = draw(st.integers(0, len(shape) - 1))
            shape[place] = None if change > 4 else draw(st.sampled_from([1, 2, 3]))
        if change == 3:
            shape = shape[1:] if len(shape) > least else shape
        shapes.append(tuple(shape))
    return shapes


@st.composite
def merges(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]))
    shapes = close_shapes(draw, draw(st.sampled_from([2, 2, 2, 3, 1])))
    return name, {}, [shapes if draw(st.integers(0, 9)) else shapes[0]], {}


@st.composite
def concatenations(draw: st.DrawFn) -> Case:
    shapes = close_shapes(draw, draw(st.integers(2, 3)))
    assume(len({len(shape) for shape in shapes}) == 1 or not any(None in shape for shape in shapes))
    return "Concatenate", some(draw, axis=st.integers(-3, 4)), [shapes], {}


@st.composite
def dots(draw: st.DrawFn) -> Case:
    shapes = close_shapes(draw, draw(st.sampled_from([2, 2, 2, 2, 1, 3])), least=1, unknown=False)
    one = st.sampled_from([-2, -1, 1, 2, 3])
    return "Dot", {"axes": draw(st.one_of(one, st.lists(one, min_size=2, max_size=2)))}, [shapes], {}


@st.composite
def normalizations(draw: st.DrawFn) -> Case:
    names = ["BatchNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization", "GroupNormalization"]
    name = draw(st.sampled_from([*names, "Normalization"]))
    args = some(draw, axis=st.integers(-4, 4))
    if name == "LayerNormalization":
        args |= some(draw, axis=st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True))
    if name == "GroupNormalization":
        args["groups"] = draw(st.sampled_from([-1, 1, 2, 3, 4, 32]))
    shape = tuple(draw(st.lists(st.sampled_from([1, 4, 6, 32]), max_size=3)))
    return name, args, [shape], {}


EQUATIONS = [
    ("ab,bc->a|c", 1, False),
    ("abc,cd->a|b|d", 2, False),
    ("...x,xy->...|y", 1, True),
    ("ab...,bc->a|c...", 1, True),
    ("abc,cde->a|b|d|e", 2, False),
    ("abc,bd->a|d|c", 2, False),
    ("ab,cd->a|e", 1, False),
]
"""Equations with a mark before each letter that `output_shape` gives, how many axes they take, and if more may come."""


@st.composite
def features(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 5]), max_size=3)))
    name = draw(st.sampled_from(["Dense", "Embedding", "ReversibleEmbedding", "EinsumDense", "Maxout"]))
    if name in ("Dense", "Maxout"):
        return (
            name,
            {"units": draw(st.integers(0, 3))} | (some(draw, pieces=small) if name == "Maxout" else {}),
            [shape],
            {},
        )
    if name == "EinsumDense":
        equation, axes, more = draw(st.sampled_from(EQUATIONS))
        sizes = st.sampled_from([2, 2, 3])
        shape = tuple(
            draw(st.lists(sizes, min_size=axes - draw(st.sampled_from([0, 0, 1])), max_size=axes + 1 if more else axes))
        )
        target = draw(
            st.lists(st.sampled_from([2, 3, None]), min_size=equation.count("|"), max_size=equation.count("|"))
        )
        return name, {"equation": equation.replace("|", ""), "output_shape": target}, [shape], {}
    reverse = name == "ReversibleEmbedding" and bool(shape) and draw(st.booleans())
    args = {"input_dim": draw(small), "output_dim": shape[-1] if reverse else draw(small)}
    return name, args, [shape], {"reverse": True} if reverse else {}


@st.composite
def kept(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(list(KEPT)))
    return name, dict(KEPT[name]), [tuple(draw(st.lists(size, min_size=1, max_size=4)))], {}


_HALF = {"rate": 0.5}
KEPT: dict[str, dict[str, Any]] = {
    **{name: {} for name in ("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Identity", "Masking", "LayerScale")},
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout", "StochasticDepth"), _HALF),
    **{f"SpatialDropout{rank}D": _HALF for rank in (1, 2, 3)},
    "ScheduledDropout": {"rate": 0.5, "steps": 10},
    "GaussianNoise": {"stddev": 0.5},
    "Activation": {"activation": "relu"},
    "ActivityRegularization": {},
}
"""Layers that hand on the shape they get, with the arguments that they need."""


@st.composite
def attentions(draw: st.DrawFn) -> Case:
    time, steps = draw(small), draw(small)
    width, other = draw(st.sampled_from([(4, 4), (4, 4), (4, 6), (3, 5)]))
    query, value, key = (time, width), (steps, other), (draw(st.sampled_from([steps, steps, 7])), other)
    scores = draw(st.sampled_from([{}, {"return_attention_scores": True}]))
    name = draw(st.sampled_from(["MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"]))
    several = [query, value, key] if draw(st.booleans()) else [query, value][: draw(st.sampled_from([2, 2, 2, 1]))]
    if name in ("Attention", "AdditiveAttention"):
        args = some(draw, score_mode=st.sampled_from(["dot", "concat"])) if name == "Attention" else {}
        return name, args, [several], scores
    if name == "GroupQueryAttention":
        heads = {"num_query_heads": draw(st.sampled_from([4, 3])), "num_key_value_heads": 2, "head_dim": 2}
        return name, heads, several, scores
    args = {"num_heads": 2, "key_dim": draw(small)} | some(
        draw, output_shape=st.one_of(small, st.just([2, 3])), value_dim=small
    )
    return name, args, several, scores


def recurrent_call(draw: st.DrawFn) -> Call:
    """A recurrent layer with some of its switches."""
    flags = some(draw, return_sequences=st.booleans(), return_state=st.booleans())
    kind = draw(st.sampled_from(["SimpleRNN", "GRU", "LSTM", "RNN"]))
    if kind != "RNN":
        return Call("layers", kind, {"units": draw(small), **flags})
    names = st.sampled_from(["SimpleRNNCell", "GRUCell", "LSTMCell"])
    cells: list[Any] = [Call("layers", draw(names), {"units": draw(small)}) for _ in range(draw(small))]
    return Call("layers", "RNN", {"cell": cells if len(cells) > 1 else cells[0], **flags})


@st.composite
def recurrents(draw: st.DrawFn) -> Case:
    call = recurrent_call(draw)
    shape = (draw(st.one_of(small, st.none())), draw(small))
    if call.name != "RNN" and not draw(st.integers(0, 5)):
        shape = shape[1:]
    return call.name, dict(call.args), [shape], {}


@st.composite
def wrappers(draw: st.DrawFn) -> Case:
    kind = draw(
        st.sampled_from(
            ["Bidirectional", "Bidirectional", "TimeDistributed", "TimeDistributed", "SpectralNormalization"]
        )
    )
    if kind == "Bidirectional":
        args = {"layer": recurrent_call(draw)} | some(
            draw, merge_mode=st.sampled_from(["sum", "mul", "ave", "concat", None])
        )
        return kind, args, [(draw(small), draw(small))], {}
    layers = [
        Call("layers", "Dense", {"units": 3}),
        Call("layers", "Conv2D", {"filters": 2, "kernel_size": draw(small)}),
        Call("layers", "Dense", {"units": 2, "use_bias": False}),
    ]
    inside = draw(st.sampled_from(layers))
    least = 2 if inside.name == "Dense" else 4
    shape = tuple(draw(st.lists(size, min_size=least, max_size=least if least == 4 else 3)))
    if kind == "SpectralNormalization":
        shape = shape[1:]
    elif inside.name == "Dense" and not draw(st.integers(0, 5)):
        shape = shape[:1]
    return kind, {"layer": inside}, [shape], {}


@st.composite
def conv_lstms(draw: st.DrawFn) -> Case:
    rank = draw(st.integers(1, 3))
    args = {"filters": draw(small), "kernel_size": draw(per_axis(rank, small))}
    args |= some(
        draw,
        strides=per_axis(rank, st.integers(1, 2)),
        dilation_rate=per_axis(rank, st.integers(1, 2)),
        padding=st.sampled_from(["valid", "same"]),
        return_sequences=st.booleans(),
        return_state=st.booleans(),
        data_format=formats(),
    )
    wrong = draw(st.sampled_from([0] * 9 + [1]))
    shape = [draw(small), *(draw(size) for _ in range(rank + 1 - wrong))]
    return f"ConvLSTM{rank}D", args, [tuple(shape)], {}


@st.composite
def preparations(draw: st.DrawFn) -> Case:
    sized = ["Resizing", "CenterCrop", "RandomCrop"]
    name = draw(st.sampled_from([*sized, *CHANGES, "Rescaling", "CategoryEncoding", "Discretization", "Pipeline"]))
    if name in ("CategoryEncoding", "Discretization"):
        shape = tuple(draw(st.lists(st.sampled_from([1, 3]), min_size=1, max_size=1)))
        if name == "CategoryEncoding":
            modes = st.sampled_from(["multi_hot", "one_hot", "count"])
            return name, {"num_tokens": 4} | some(draw, output_mode=modes), [shape], {}
        modes = st.sampled_from(["int", "multi_hot", "one_hot", "count"])
        return name, {"bin_boundaries": [0.0, 1.0]} | some(draw, output_mode=modes), [shape], {}
    args: dict[str, Any] = CHANGES.get(name, {"scale": 2.0} if name == "Rescaling" else {})
    if name in sized:
        args = {"height": draw(small), "width": draw(small)}
    if name == "Pipeline":
        resizing = Call("layers", "Resizing", {"height": draw(small), "width": draw(small)})
        layers = st.sampled_from([resizing, Call("layers", "RandomFlip"), Call("layers", "Rescaling", {"scale": 2.0})])
        args = {"layers": draw(st.lists(layers, min_size=1, max_size=3))}
    return name, args, [(draw(st.integers(4, 9)), draw(st.integers(4, 9)), 3)], {}


CHANGES: dict[str, dict[str, Any]] = {
    "AugMix": {"value_range": [0, 1]},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"value_range": [0, 1]},
    "CutMix": {},
    "Equalization": {},
    "MaxNumBoundingBoxes": {"max_number": 3},
    "MixUp": {},
    "RandAugment": {"value_range": [0, 1]},
    "RandomBrightness": {"factor": 0.1},
    "RandomColorDegeneration": {"factor": 0.1},
    "RandomColorJitter": {"value_range": [0, 1]},
    "RandomContrast": {"factor": 0.1},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.1},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.1},
    "RandomSharpness": {"factor": 0.1},
    "RandomShear": {"x_factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "Solarization": {},
}
"""Layers that change images at random and keep their shape, with the arguments that they need."""


@st.composite
def spectrograms(draw: st.DrawFn) -> Case:
    if draw(st.booleans()):
        length, stride = draw(st.sampled_from([16, 64])), draw(st.integers(2, 32))
        args = {"num_mel_bins": draw(small), "sequence_stride": stride, "fft_length": length, "sampling_rate": 8000}
        samples = draw(st.integers(1, 100))
        assume((samples + 1) % stride)
        wrong = draw(st.sampled_from([()] * 9 + [(2,)]))
        return "MelSpectrogram", args, [(samples, *wrong)], {}
    frame = draw(st.sampled_from([4, 8, 6]))
    args = {"frame_length": frame} | some(
        draw,
        mode=st.sampled_from(["log", "magnitude", "psd", "real", "imag", "angle", "stft"]),
        frame_step=st.integers(1, frame + 1),
        fft_length=st.sampled_from([4, 8, 16]),
        padding=st.sampled_from(["valid", "same"]),
        expand_dims=st.booleans(),
        data_format=formats(),
    )
    return "STFTSpectrogram", args, [map_shape(draw, 1, args.get("data_format") == "channels_first")], {}


@st.composite
def cells(draw: st.DrawFn) -> Case:
    """One step of a recurrent layer: features, and a state or two."""
    kinds = {"SimpleRNNCell": 1, "GRUCell": 1, "LSTMCell": 2}
    name = draw(st.sampled_from([*kinds, "StackedRNNCells"]))
    units, shape = draw(small), (draw(small),)
    if name != "StackedRNNCells":
        return name, {"units": units}, [shape, [(units,)] * kinds[name]], {}
    inner = [Call("layers", draw(st.sampled_from(list(kinds))), {"units": draw(small)}) for _ in range(2)]
    states = [[(cell.args["units"],)] * kinds[cell.name] for cell in inner]
    return name, {"cells": inner}, [shape, states], {}


@st.composite
def own_layers(draw: st.DrawFn) -> Case:
    name = draw(
        st.sampled_from(
            ["PositionEmbedding", "SinePositionEncoding", "ClassToken", "Sampling", "AddLoss", "InstanceNormalization"]
        )
    )
    shape = tuple(draw(st.lists(st.sampled_from([2, 4, 6]), min_size=1, max_size=3)))
    if name in ("Sampling", "AddLoss"):
        other = shape if draw(st.booleans()) else tuple(draw(st.lists(st.sampled_from([2, 4]), min_size=1, max_size=2)))
        return name, {}, [[shape, other][: draw(st.sampled_from([2, 2, 2, 1]))]], {}
    args: dict[str, Any] = {"length": 4} if name == "PositionEmbedding" else {}
    if name == "InstanceNormalization":
        args |= some(draw, axis=st.integers(-3, 3))
    return name, args, [shape], {}


LAYERS = {
    "convolution": (convolutions, False),
    "pooling": (poolings, False),
    "reshape": (reshapes, False),
    "border": (borders, False),
    "merge": (merges, False),
    "concatenate": (concatenations, True),
    "dot": (dots, True),
    "normalization": (normalizations, False),
    "features": (features, True),
    "keep": (kept, False),
    "attention": (attentions, True),
    "recurrent": (recurrents, False),
    "wrapper": (wrappers, False),
    "conv_lstm": (conv_lstms, False),
    "preprocessing": (preparations, False),
    "own": (own_layers, False),
    "spectrogram": (spectrograms, True),
    "cell": (cells, False),
}
"""By family: its calls, each (name, arguments, inputs, inputs by name); and whether Keras must compute to tell."""
