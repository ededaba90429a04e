"""Plan → receptive fields: how much of the input each place of a convolution or pooling looks at.

A place of a layer with a kernel of k places, d apart, each s after the last, sees r' = r + (k - 1)·d·j places of the
input, and the next place lies j' = j·s further (Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural
Networks, Distill 2019, eq. 2). Where paths meet, the wider one counts. Layers that enlarge a map divide j; its places
do not all see equally much, and a size may then be off by one old j.

What a normalization or a gate (a squeeze-and-excite) knows of the rest of a map is not counted: it is one number for a
whole channel and does not say where.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Shape, Step
from kbuild.plan.rules.kinds import argument, family, kind, layer, rank, sizes
from kbuild.plan.shapes import attention, elementwise, joining, keep, merge, normalization, own, reduction
from kbuild.plan.shapes.table import RULES
from kbuild.spec.call import Nested

Reach = float | Fraction
"""Places of the input; infinite where it is the whole axis."""
Axis = tuple[Reach, Fraction] | None
"""(r, j) along one axis of a tensor; None where it is not known."""
State = tuple[Axis, ...] | None
"""One for each axis but the batch."""

START: Axis = (Fraction(1), Fraction(1))
WHOLE: Axis = (math.inf, Fraction(1))
WINDOWS = frozenset({"conv", "separable", "depthwise", "transposed", "pool"})
TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6, "lanczos5": 10}
"""Places of the smaller map that one of the larger is computed from."""
_SAME = {
    keep.same, keep.softmax, keep.spatial, normalization.normalized, normalization.unit, normalization.group,
    normalization.adapted, own.positioned, own.instance, elementwise.unary, elementwise.along,
}  # fmt: skip
_MERGES = {merge.elementwise, merge.concatenated, elementwise.binary, elementwise.where, joining.concatenate}


@dataclass(frozen=True, slots=True)
class Field:
    """What one place of a map looks at, along each axis of places.

    Args:
        size: places of the input (with several inputs, of the one of which it sees most), borders included; None is
            the whole axis.
        jump: how many places of the input lie between two neighbours; below 1 in a map larger than the input.
    """

    size: tuple[int | None, ...]
    jump: tuple[float, ...]


def fields(plan: Plan) -> dict[str, Field]:
    """The receptive fields of a network's convolutions and poolings, by step; those that are not known are left out."""
    given = {one.name: (START,) * len(one.shape) if one.shape is not None else None for one in plan.inputs}
    return _walk(plan, given)[0]


def _walk(plan: Plan, given: Mapping[str, State]) -> tuple[dict[str, Field], Mapping[Ref, State]]:
    states: dict[Ref, State] = {Ref(name): state for name, state in given.items()}
    found: dict[str, Field] = {}
    for step in plan.steps:
        refs = tensors(step)
        before = [states.get(ref) for ref in refs]
        shapes = [plan.shape(ref) for ref in refs]
        outputs = step.shapes or ()
        state = _after(step, before, shapes, outputs[0]) if outputs and outputs[0] is not None else None
        for index, shape in enumerate(outputs):
            states[Ref(step.name, index)] = state if shape is not None and state and len(shape) == len(state) else None
        field = _field(step, state)
        if field:
            found[step.name] = field
    return found, states


def _field(step: Step, state: State) -> Field | None:
    if state is None or family(step) not in WINDOWS:
        return None
    axes = [axis for axis in (state[place] for place in _places(step, len(state))) if axis is not None]
    if len(axes) < rank(step):
        return None
    return Field(
        tuple(None if reach == math.inf else math.ceil(reach) for reach, _ in axes),
        tuple(float(jump) for _, jump in axes),
    )


def _places(step: Step, axes: int) -> range:
    """The axes that a layer slides along."""
    first = argument(step, "data_format") == "channels_first"
    return range(axes - rank(step), axes) if first else range(axes - 1 - rank(step), axes - 1)


def _after(step: Step, before: Sequence[State], shapes: Sequence[Shape], out: tuple[int | None, ...]) -> State:
    """The state of the first tensor that a step gives."""
    if not before or any(state is None or shape is None for state, shape in zip(before, shapes, strict=True)):
        return None
    known = [(state, shape) for state, shape in zip(before, shapes, strict=True) if state and shape]
    if len(known) < len(before):
        return None
    if step.call.name == "TimeDistributed":
        state, shape = known[0]
        return _each_step(step, state, shape, out)
    return _layer(step, known, out)


def _each_step(
    step: Step, state: tuple[Axis, ...], shape: tuple[int | None, ...], out: tuple[int | None, ...]
) -> State:
    """One layer, or one model, for each step in time."""
    inner = step.call.args.get("layer")
    if isinstance(inner, Nested) and isinstance(inner.plan, Plan):
        _, states = _walk(inner.plan, {inner.plan.inputs[0].name: state[1:]})
        after = states.get(next(iter(inner.plan.outputs.values())))
    else:
        after = _layer(step, [(state[1:], shape[1:])], out[1:])
    return None if after is None else (state[0], *after)


def _layer(
    step: Step, known: Sequence[tuple[tuple[Axis, ...], tuple[int | None, ...]]], out: tuple[int | None, ...]
) -> State:
    state, shape = known[0]
    found, call = family(step), layer(step)
    rule = RULES.get(call.namespace, {}).get(call.name)
    rule = getattr(rule, "func", rule)
    if found in WINDOWS or kind(step).startswith("UpSampling"):
        return _windowed(step, state)
    if rule in _SAME or found == "frame":
        return state
    if rule in _MERGES:
        return _merged(known, out)
    if rule is reduction.reduced or found == "global":
        return _reduced(step, state, out)
    if call.name in ("Dense", "Maxout"):
        return (*state[:-1], WHOLE)
    if call.name == "Embedding":
        return (*state, WHOLE)
    if found == "recurrent" or call.name in attention.RULES:
        return (WHOLE,) * len(out)
    if call.name == "Permute":
        order = argument(step, "dims")
        return tuple(state[n - 1] for n in order) if isinstance(order, list | tuple) else None
    if call.name in ("Flatten", "Reshape", "reshape", "expand_dims", "squeeze"):
        return _regrouped(state, shape, out)
    return None


def _windowed(step: Step, state: tuple[Axis, ...]) -> State:
    found, count = family(step), rank(step)
    places = _places(step, len(state))
    name = "pool_size" if found == "pool" else "kernel_size" if found else "size"
    kernel = sizes(step, name, count)
    stride = kernel if argument(step, "strides") is None else sizes(step, "strides", count)
    dilation = sizes(step, "dilation_rate", count) or (1,) * count
    if kernel is None or stride is None or len(places) < count or places.start < 0:
        return None
    taps = 1
    if not found:
        taps = TAPS.get(str(argument(step, "interpolation") or "nearest"), 0)
    after: list[Axis] = [WHOLE] * len(state) if found != "pool" and found else list(state)
    for place, k, s, d in zip(places, kernel, stride, dilation, strict=True):
        axis = state[place]
        if axis is None or not taps:
            after[place] = None
            continue
        reach, jump = axis
        if found in ("transposed", ""):
            # of the places that a kernel was laid on, every s-th is one of the smaller map
            wide = -(-((k - 1) * d + 1) // s) if found else taps
            after[place] = (reach + (wide - 1) * jump, jump / s)
        else:
            after[place] = (reach + (k - 1) * d * jump, jump * s)
    return tuple(after)


def _merged(known: Sequence[tuple[tuple[Axis, ...], tuple[int | None, ...]]], out: tuple[int | None, ...]) -> State:
    """Axis by axis, from the last one on, the widest; what has one place for all of them says nothing of where."""
    after: list[Axis] = []
    for back in range(1, len(out) + 1):
        axes = [
            state[-back] for state, shape in known if back <= len(state) and not (shape[-back] == 1 and out[-back] != 1)
        ]
        after.append(None if None in axes or not axes else max(axis for axis in axes if axis is not None))
    return tuple(reversed(after))


def _reduced(step: Step, state: tuple[Axis, ...], out: tuple[int | None, ...]) -> State:
    """The axes that are left are as they were; those that were gathered are seen as a whole."""
    if family(step) == "global":
        gone = set(_places(step, len(state)))
    else:
        axes = argument(step, "axis")
        listed = [axis for axis in (axes if isinstance(axes, list | tuple) else [axes]) if isinstance(axis, int)]
        if not listed:
            return (WHOLE,) * len(out)
        gone = {axis - 1 if axis > 0 else len(state) + axis for axis in listed}
    if len(out) == len(state):
        return tuple(WHOLE if place in gone else axis for place, axis in enumerate(state))
    return tuple(axis for place, axis in enumerate(state) if place not in gone)


def _regrouped(state: tuple[Axis, ...], shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> State:
    """Axes that a reshape leaves alone keep what they see; those that it joins or splits see all, or who knows."""
    if None in shape or None in out:
        return None
    after: list[Axis] = []
    i = j = 0
    while j < len(out):
        if out[j] == 1 and (i >= len(shape) or shape[i] != 1):
            after.append(START)
            j += 1
            continue
        group_in, group_out = [i], [j]
        left, right = (shape[i] if i < len(shape) else 1) or 0, out[j] or 0
        while left != right:
            if left < right and group_in[-1] + 1 < len(shape):
                group_in.append(group_in[-1] + 1)
                left *= shape[group_in[-1]] or 0
            elif group_out[-1] + 1 < len(out):
                group_out.append(group_out[-1] + 1)
                right *= out[group_out[-1]] or 0
            else:
                return None
        axes = [state[place] for place in group_in if place < len(state)]
        plain = [axis for place, axis in zip(group_in, axes, strict=False) if shape[place] != 1]
        if len(plain) == 1 and len(group_out) == 1:
            after.append(plain[0])
        elif len(out) == 1 or all(axis == WHOLE for axis in axes):
            after += [WHOLE] * len(group_out)
        else:
            after += [None] * len(group_out)
        i, j = group_in[-1] + 1, group_out[-1] + 1
    return tuple(after)
