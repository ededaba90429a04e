"""(shape mistake, what led to it) → the usual way out: what a rule cannot know, since it sees one call alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kbuild.plan.graph import Feed, tensors, written
from kbuild.plan.shapes.mistake import ShapeMistake

if TYPE_CHECKING:
    from kbuild.plan.graph import Graph
    from kbuild.plan.plan import Ref, Step

_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
_IN_TIME = ("time", "steps")


def remedy(found: ShapeMistake, feed: Feed, graph: Graph) -> str | None:
    """The help of a problem: that of the rule, unless an earlier step took the missing axis away."""
    ref = next((ref for ref in feed.all if found.got is not None and graph.shape(ref) == found.got), None)
    if ref is None or found.got is None or len(found.got) >= len(found.wanted):
        return found.help
    first = ref
    while ref.step in graph.steps:
        step = graph.steps[ref.step]
        before = next(iter(tensors(step)), None)
        if found.wanted[0] in _IN_TIME and _forgets_time(step):
            inside = "the layer in " if step.call.name == "Bidirectional" else ""
            return f"write `return_sequences: true` in {inside}`{step.name}`, so that it hands on every step"
        flat = step.call.name == "Flatten" or step.call.name.startswith("Global")
        if flat and before is not None and graph.shape(ref) == found.got:
            was = graph.shape(before)
            if was is not None and len(was) == len(found.wanted):
                return f"put it in front of `{step.name}`, which makes {written(found.got)} of {written(was)}"
        if before is None or _axes(graph, before) != len(found.got):
            return found.help
        ref = before
    if len(found.got) == 1 and found.wanted[0] in _IN_TIME and graph.shape(first) == graph.shape(ref):
        return f"for token ids put an `Embedding` in front of it; for numbers, a `Reshape: [{_size(found)}, 1]`"
    return found.help


def _forgets_time(step: Step) -> bool:
    if step.call.name not in _RECURRENT:
        return False
    layer = step.call.args.get("layer")
    args = getattr(layer, "args", {}) if step.call.name == "Bidirectional" else step.call.args
    return args.get("return_sequences") is not True


def _axes(graph: Graph, ref: Ref) -> int | None:
    shape = graph.shape(ref)
    return None if shape is None else len(shape)


def _size(found: ShapeMistake) -> str:
    size = (found.got or (None,))[0]
    return "-1" if size is None else str(size)
