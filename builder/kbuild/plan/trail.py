"""(Graph, tensors) → the notes of a shape problem: what gave each shape, where a person wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kbuild.plan.graph import LOST, Feed, tensors, written
from kbuild.plan.place import shipped
from kbuild.plan.plan import Group, Ref, Step
from kbuild.text.problem import Problem, Related

if TYPE_CHECKING:
    from kbuild.plan.graph import Graph
    from kbuild.text.source import Span

_MOST_STEPS = 4
_MOST_INPUTS = 6


def trail(graph: Graph, feed: Feed, within: Sequence[Group] = ()) -> tuple[Related, ...]:
    """What a shape problem of a step shows of its inputs.

    One tensor: the steps before it that changed the shape, nearest last. Several: for each the step that gave it its
    shape; of many that are alike, those that differ come first.

    Args:
        within: the groups that the step stands in: right inside `branches` its inputs are their ends.
    """
    named = _named(feed, "branch" if within and within[-1].kind == "branches" else "input")
    if len(set(named.values())) < 2:
        return one(graph, feed.first)
    shapes = {label: graph.shape(ref) for label, ref in named.items()}
    first = {shape: label for label, shape in reversed(shapes.items())}
    kept = sorted(named, key=lambda label: first[shapes[label]] != label)[:_MOST_INPUTS]
    notes = [_ending(graph, label, ref) for label, ref in named.items() if label in kept]
    return tuple(note for note in notes if note is not None)


def one(graph: Graph, ref: Ref) -> tuple[Related, ...]:
    """The steps that changed the shape on the way to a tensor, nearest last."""
    found: list[Related] = []
    while len(found) < _MOST_STEPS and ref.step in graph.steps:
        step = graph.steps[ref.step]
        before = next(iter(tensors(step)), LOST)
        span = _where(step)
        if (
            span
            and not _hands_on(graph, step, ref)
            and not any(note.span == span for note in found if shipped_in(step))
        ):
            found.append(Related(f"`{step.name}` gives {written(graph.shape(ref))}", span))
        ref = before
    if len(found) < _MOST_STEPS and (note := _input(graph, ref)):
        found.append(note)
    return tuple(reversed(found))


def because(problem: Problem, ref: Ref, graph: Graph) -> Problem | None:
    """A problem of a size that is not known (K124), with what leaves it open.

    Args:
        ref: the tensor whose shape `$input_shape` is.

    Returns:
        None if an entry above has a problem of its own, which is why nothing is known here.
    """
    if problem.code != "K124":
        return problem
    while ref.step in graph.steps:
        open_ = next((each for each in tensors(graph.steps[ref.step]) if not _is_known(graph, each)), None)
        if open_ is None:
            break
        ref = open_
    if ref.step not in graph.steps:
        note = _input(graph, ref)
        if note is None:
            return None if ref == LOST else problem
        return replace(problem, related=(*problem.related, note))
    step = graph.steps[ref.step]
    help = f"write the number: what `{step.name}` gives is known to Keras alone"
    if step.call.namespace == "applications":
        help = f"write the number, or let `kbuild check --build` build `{step.name}` once: it is known from then on"
    span = _where(step)
    note = Related(f"`{step.name}` gives {written(graph.shape(ref))}", span) if span else None
    return replace(problem, help=help, related=(*problem.related, *([note] if note else [])))


def _is_known(graph: Graph, ref: Ref) -> bool:
    shape = graph.shape(ref)
    return shape is not None and None not in shape


def _ending(graph: Graph, label: str, ref: Ref) -> Related | None:
    last, shape = ref, written(graph.shape(ref))
    while ref.step in graph.steps and _hands_on(graph, graph.steps[ref.step], ref):
        ref = tensors(graph.steps[ref.step])[0]
    note = _input(graph, ref)
    if note is None and ref.step in graph.steps:
        span = _where(graph.steps[ref.step])
        note = Related(f"`{ref.step}` gives {shape}", span) if span else None
    if note is None:
        return None
    through = f", handed on by `{last.step}`" if last != ref else ""
    return Related(f"{label}: {note.message}{through}", note.span)


def _input(graph: Graph, ref: Ref) -> Related | None:
    given = graph.inputs.get(ref.step)
    if given is None or given.span is None:
        return None
    return Related(f"the input `{given.name}` is {written(given.shape)}", given.span)


def _hands_on(graph: Graph, step: Step, ref: Ref) -> bool:
    """Whether a step leaves the shape as it was."""
    before = tensors(step)
    shape = graph.shape(ref)
    return len(before) == 1 and shape is not None and graph.shape(before[0]) == shape


def _where(step: Step) -> Span | None:
    """The entry; for one in a block that kbuild ships, where the spec uses the block."""
    if not shipped_in(step):
        return step.span
    return next((span for span in reversed(step.used) if not shipped(span)), step.span)


def shipped_in(step: Step) -> bool:
    """Whether a step stands in a block that kbuild ships."""
    return step.span is not None and shipped(step.span)


def _named(feed: Feed, what: str) -> Mapping[str, Ref]:
    if not feed.by_name:
        return {f"{what} {index}": ref for index, ref in enumerate(feed.items, 1)}
    found: dict[str, Ref] = {}
    for name, part in feed.by_name.items():
        several: Sequence[Ref] = part.items
        found |= {f"`{name}`" if len(several) == 1 else f"`{name}` {i}": ref for i, ref in enumerate(several, 1)}
    return found
