"""Step → what it is to a rule: its family, its activation, how wide it is.

Wrappers around one layer are seen through.
"""

import re
from collections.abc import Iterator
from functools import cache
from math import prod

from kbuild.plan.plan import Shape, Step
from kbuild.plan.rules.net import Net
from kbuild.spec.call import Call
from kbuild.spec.signature import identifiers, signature

MAPS = frozenset({"dense", "conv", "separable", "depthwise", "transposed"})
"""Families whose layers multiply by a kernel."""
RELU_LIKE = frozenset({"relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "silu", "hardsilu", "mish", "celu"})
SIGMOID_LIKE = frozenset({"sigmoid", "hardsigmoid", "sparsesigmoid"})
TANH_LIKE = frozenset({"tanh", "hardtanh"})

_FAMILIES = {
    "dense": re.compile(r"Dense"),
    "conv": re.compile(r"Conv[123]D"),
    "separable": re.compile(r"SeparableConv[12]D"),
    "depthwise": re.compile(r"DepthwiseConv[12]D"),
    "transposed": re.compile(r"Conv[123]DTranspose"),
    "pool": re.compile(r"(Max|Average)Pooling[123]D"),
    "global": re.compile(r"Global(Max|Average)Pooling[123]D"),
    "dropout": re.compile(r"(Spatial|Gaussian|Alpha)?Dropout([123]D)?"),
    "norm": re.compile(r"(Batch|Layer|Group|Instance|RMS|Unit)Normalization"),
    "activation": re.compile(r"Activation|Softmax|ReLU|LeakyReLU|PReLU|ELU"),
    "shape": re.compile(r"Flatten|Reshape|Permute|Identity|ActivityRegularization"),
    "frame": re.compile(r"(ZeroPadding|Cropping)[123]D"),
    "recurrent": re.compile(r"SimpleRNN|LSTM|GRU"),
}
_ALIASES = {"Convolution": "Conv", "MaxPool": "MaxPooling", "AvgPool": "AveragePooling"}
_WRAPPERS = frozenset({"TimeDistributed", "SpectralNormalization", "Bidirectional"})
_SAME = {"swish": "silu", "hardswish": "hardsilu"}


def layer(step: Step) -> Call:
    """The call of a step, or of the one layer that it wraps."""
    inner = step.call.args.get("layer") if step.call.name in _WRAPPERS else None
    return inner if isinstance(inner, Call) else step.call


def kind(step: Step) -> str:
    """The class's name, without Keras's second names: `Conv2D`, `MaxPooling2D`; empty for what is no layer."""
    call = layer(step)
    return _first_name(call.name) if call.namespace == "layers" else ""


def family(step: Step) -> str:
    """A key of the table above; empty for anything else. A function of `ops` that is an activation counts as one."""
    if step.call.namespace == "ops":
        return "activation" if step.call.name in identifiers("activations") else ""
    return _family(kind(step))


def argument(step: Step, name: str) -> object:
    """An argument of the layer, seen through a wrapper: as written, else Keras's default."""
    call = layer(step)
    if name in call.args:
        return call.args[name]
    found = signature(call.namespace, call.name)
    return next((p.default for p in found.parameters if p.name == name), None) if found else None


def activation(step: Step) -> str | None:
    """What a map, or a layer that is an activation, puts on its result: in lower case, without underscores.

    `linear` where it could have one and has none; None where it has none to set, or it cannot be told.
    """
    found = family(step)
    if found == "activation":
        if step.call.namespace == "ops" or kind(step) != "Activation":
            return plain(step.call)
        return plain(argument(step, "activation"))
    return plain(argument(step, "activation")) if found in MAPS else None


def width(net: Net, step: Step) -> int | None:
    """How many units, filters or channels a step gives."""
    found = channels(step, net.output_shape(step))
    written = (layer(step).args.get(name) for name in ("units", "filters") if found is None)
    return next((size for size in written if isinstance(size, int)), found)


def fan_in(net: Net, step: Step) -> int | None:
    """How many features or channels a step takes."""
    shapes = net.input_shapes(step)
    return channels(step, shapes[0]) if shapes else None


def channels(step: Step, shape: Shape) -> int | None:
    """The size of the channel axis of a shape, as the step counts axes."""
    if not shape:
        return None
    return shape[0] if argument(step, "data_format") == "channels_first" else shape[-1]


def places(step: Step, shape: Shape) -> Shape:
    """The sizes of the other axes."""
    if not shape:
        return None
    return shape[1:] if argument(step, "data_format") == "channels_first" else shape[:-1]


def sizes(step: Step, name: str, rank: int) -> tuple[int, ...] | None:
    """A kernel, window or stride along every axis; None if it is not written as numbers."""
    value = argument(step, name)
    found = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    return found if len(found) == rank and all(isinstance(n, int) for n in found) else None  # type: ignore[return-value]


def rank(step: Step) -> int:
    """Over how many axes a layer slides: 2 for `Conv2D`; 0 for one that does not."""
    found = re.search(r"([123])D", kind(step))
    return int(found[1]) if found else 0


def volume(shape: Shape) -> int | None:
    """How many numbers a shape holds."""
    return prod(shape) if shape and None not in shape else None  # type: ignore[arg-type]


def rate(step: Step) -> float | None:
    """How much a dropout drops; None for other layers, and for one that drops whole examples (stochastic depth)."""
    noise = argument(step, "noise_shape")
    whole = isinstance(noise, list | tuple) and all(size == 1 for size in noise[1:])
    value = None if whole or family(step) != "dropout" else layer(step).args.get("rate")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def follow(net: Net, step: Step) -> Iterator[Step]:
    """What comes after a step on its chain."""
    steps = net.chain(step)
    next(steps)
    return steps


def lead(net: Net, step: Step) -> Iterator[Step]:
    """What comes before a step on its chain, nearest first: each has one input, and one that takes what it gives."""
    before = net.before(step)
    while len(before) == 1 and net.next(before[0]) is not None:
        yield before[0]
        before = net.before(before[0])


def convolved(net: Net) -> frozenset[str]:
    """The names of the steps that convolutions stand before, on any path."""
    found: set[str] = set()
    for step in net.steps:
        before = net.before(step)
        if any(one.name in found or family(one) in MAPS - {"dense"} for one in before):
            found.add(step.name)
    return frozenset(found)


def activated(net: Net, step: Step) -> tuple[str, bool]:
    """The activation of a map, its own or that of a layer that follows, and whether a normalization comes between."""
    own = activation(step)
    if own not in (None, "linear"):
        return own, False
    normalized = False
    for later in follow(net, step):
        found = family(later)
        if found == "activation":
            return activation(later) or "", normalized
        if found not in {"norm", "dropout", "shape"}:
            break
        normalized |= found == "norm"
    return "linear", normalized


@cache
def _first_name(name: str) -> str:
    for alias, first in _ALIASES.items():
        name = re.sub(rf"{alias}(?=[123]D)", first, name)
    return name


@cache
def _family(name: str) -> str:
    return next((family for family, pattern in _FAMILIES.items() if pattern.fullmatch(name)), "")


def plain(value: object) -> str | None:
    """`leaky_relu`, `LeakyReLU` and its call are one."""
    if value is None:
        return "linear"
    name = value.name if isinstance(value, Call) else value
    if not isinstance(name, str):
        return None
    bare = name.replace("_", "").lower()
    if bare == "relu" and isinstance(value, Call) and value.args.get("negative_slope"):
        return "leakyrelu"
    return _SAME.get(bare, bare)
