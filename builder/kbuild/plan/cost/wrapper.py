"""Layers around layers: Bidirectional, TimeDistributed, SpectralNormalization, Pipeline."""

from collections.abc import Callable

from kbuild.plan.cost import convolution, dense, einsum_dense
from kbuild.plan.cost.cost import UNKNOWN, Cost
from kbuild.plan.cost.recurrent import over
from kbuild.plan.cost.use import Rule, Use
from kbuild.plan.plan import Shape
from kbuild.plan.shapes.given import Given
from kbuild.plan.shapes.mistake import UnknownShape
from kbuild.spec.call import Call


def bidirectional(use: Use) -> Cost:
    """The layer forwards and backwards, each with weights of its own; then what `merge_mode` makes of both."""
    shape = use.given.tensor(0, "sequences")
    layer = use.args.get("layer")
    back = use.args.get("backward_layer")
    found = use.inside(layer, shape)[0] + use.inside(layer if back is None else back, shape)[0]
    mode = use.args.get("merge_mode", "concat")
    if mode is None:
        return found
    try:
        out = use.numbers()
    except UnknownShape:
        return found + Cost(0, 0, None, None)
    return found + Cost(0, 0, {"concat": 0, "ave": 2}.get(str(mode), 1) * out, out)


def time_distributed(use: Use) -> Cost:
    """The layer, for every time."""
    shape = use.given.tensor()
    return over(use.inside(use.args.get("layer"), shape[1:])[0], shape[0] if shape else None)


def spectral(use: Use) -> Cost:
    """The layer, and a vector that training changes without a gradient: as long as the last axis of its kernel."""
    layer, shape = use.args.get("layer"), use.given.tensor()
    if not isinstance(layer, Call) or layer.name not in _KERNELS:
        return UNKNOWN
    found = use.inside(layer, shape)
    inner = Use(Given(layer.name, layer.args, [shape]), (found[1],), use.inside)
    return found[0] + Cost(0, _KERNELS[layer.name](inner)[-1], 0, 0)


def pipeline(use: Use) -> Cost:
    """Layers one after the other."""
    shape: Shape = use.given.tensor()
    total = Cost()
    layers = use.args.get("layers")
    for layer in layers if isinstance(layers, list | tuple) else [layers]:
        found, shape = use.inside(layer, shape)
        total += found
    return total


def _maxout(use: Use) -> tuple[int, ...]:
    return (use.given.whole("units") * use.given.whole("pieces", 2),)


_KERNELS: dict[str, Callable[[Use], tuple[int, ...]]] = {
    "Dense": dense.kernel,
    "EinsumDense": einsum_dense.kernel,
    "Embedding": dense.entries,
    "ReversibleEmbedding": dense.entries,
    "Maxout": _maxout,
    **convolution.KERNELS,
}
"""The kernels of the layers that have one."""

RULES: dict[str, Rule] = {
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    "SpectralNormalization": spectral,
    "Pipeline": pipeline,
}
