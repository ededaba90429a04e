"""Layers around a layer: Bidirectional, TimeDistributed, SpectralNormalization."""

from kbuild.plan.plan import Plan
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show
from kbuild.plan.shapes.recurrent import given_states
from kbuild.spec.call import Call, Nested

_MODES = ("concat", "sum", "mul", "ave", None)


def bidirectional(given: Given) -> Shapes:
    """Forwards and backwards, merged: `concat` (the default) doubles the features, null gives both. Then the states."""
    layer, mode = given.raw("layer"), given.raw("merge_mode", "concat")
    if mode not in _MODES:
        raise given.wrong("merge_mode", "`concat`, `sum`, `mul`, `ave` or null", mode)
    states = isinstance(layer, Call) and layer.args.get("return_state") is True
    shape = given.tensor(0, "sequences", outputs=None if states else 2 if mode is None else 1)
    forward = _run(given, "layer", layer, shape)
    back = given.args.get("backward_layer")
    backward = _run(given, "backward_layer", back, shape) if back is not None else forward
    if forward[0] != backward[0] or (states and len(forward) != len(backward)):
        raise ShapeMistake(
            f"the layers of `{given.name}` must give equal shapes, not {show(forward[0])} and {show(backward[0])}",
            "give `backward_layer` the same units and the same `return_sequences` and `return_state`",
        )
    out = forward[0]
    each = forward[1:] + backward[1:]
    if mode is None:
        return (out, out, *(each if states else ()))
    size = out[-1]
    merged = (*out[:-1], None if size is None else 2 * size) if mode == "concat" else out
    given_states(given, list(each))
    return (merged, *(each if states else ()))


def time_distributed(given: Given) -> Shapes:
    """(time, …) → (time, what the layer makes of …)."""
    layer, shape = given.raw("layer"), given.tensor()
    if len(shape) < 2:
        raise ShapeMistake(
            f"`{given.name}` needs (time, …) with at least one axis after the time but gets {show(shape)}",
            "put a `Reshape` in front of it, or leave the wrapper out",
        )
    shapes = _inside(given, "layer", layer, shape[1:])
    if shapes is None or len(shapes) != 1 or shapes[0] is None:
        raise UnknownShape
    return ((shape[0], *shapes[0]),)


def spectral(given: Given) -> Shapes:
    """What the layer inside gives."""
    return _inside(given, "layer", given.raw("layer"), given.tensor())


def _inside(given: Given, arg: str, layer: object, shape: Known) -> Shapes:
    if isinstance(layer, Nested) and isinstance(layer.plan, Plan):
        return tuple(layer.plan.shape(ref) for ref in layer.plan.outputs.values())
    if not isinstance(layer, Call) or given.of is None:
        raise given.wrong(arg, "a layer, such as `{Dense: 64}`", layer)
    return given.of(layer.name, layer.args, [shape], namespace=layer.namespace)


def _run(given: Given, arg: str, layer: object, shape: Known) -> tuple[Known, ...]:
    """Output and states of a recurrent layer, the states always."""
    if not isinstance(layer, Call):
        raise given.wrong(arg, "a recurrent layer, such as `{LSTM: 64}`", layer)
    if not _recurrent(layer.name):
        raise given.wrong(arg, "a recurrent layer, such as `{LSTM: 64}`", layer)
    shapes = _inside(
        given,
        arg,
        Call("layers", layer.name, {**layer.args, "return_state": True}),
        shape,
    )
    if shapes is None or None in shapes:
        raise UnknownShape(None)
    return tuple(one for one in shapes if one is not None)


def _recurrent(name: str) -> bool:
    return name in ("SimpleRNN", "GRU", "LSTM", "RNN") or name.startswith("ConvLSTM")


RULES: dict[str, Rule] = {
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    "SpectralNormalization": spectral,
}
