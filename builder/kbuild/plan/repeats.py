"""A `repeat` → its copies, one after the other, each with names of its own."""

from dataclasses import replace

from kbuild.plan.budget import cannot_hold
from kbuild.plan.cost import costs
from kbuild.plan.entries import once
from kbuild.plan.graph import LOST, MOST_ENTRIES, Again, Bound, Feed, Frame, Graph, Here, tensors, too_many
from kbuild.plan.plan import Input, Plan, Step
from kbuild.plan.refer import feed
from kbuild.spec.entry import Apply, Branches, Chain, Entry, Open, Reuse, repeat_count
from kbuild.spec.names import NAME, RESERVED
from kbuild.spec.scope import evaluate, used
from kbuild.text.node import Node
from kbuild.text.node import node as made_node
from kbuild.text.problem import mistake

MANY = 100
"""Copies from which on it is worth looking ahead."""


def repeated(item: Entry, name: str, flow: Feed, here: Here, graph: Graph) -> Bound:
    """Expand an entry with `repeat`.

    Raises:
        SpecError: K204, K240 or K241 for copies that would be too many or too large, before they are expanded.
    """
    node = item.get("repeat")
    assert node is not None
    count, lists = repeat_count(evaluate(node, here.scope.at("repeat")))
    for key in lists:
        if not NAME.match(key) or key in RESERVED:
            raise mistake("K113", f"`{key}` cannot name what `repeat` walks", node.span, help="choose another name")
    copied = Entry(item.head, {k: v for k, v in item.siblings.items() if k != "repeat"}, item.span)
    start = len(graph.order)
    copies: list[Bound] = []
    graph.count(node.span, count)
    before = (graph.entries, start)
    repeat = here.inside("repeat", "-".join((*here.frame.prefix, name)), count=count)
    for index in range(count):
        if index == 2 and count > MANY and _alike(item, copies, {"i", *lists}, graph):
            _look_ahead(node, count - index, before, graph)
        before = (graph.entries, len(graph.order))
        bound_names: dict[str, Node] = {key: items[index] for key, items in lists.items()}
        bound_names["i"] = made_node(index, node.span)
        scope = replace(here.scope.bind(bound_names), path=f"{here.scope.path}-{index}")
        frame = Frame((*here.frame.prefix, f"{name}-{index}"), here.frame)
        inside = replace(repeat, frame=frame, scope=scope).inside("copy", "-".join(frame.prefix), count=index)
        copies.append(once(copied, flow, inside, graph, None, True, copies[-1] if copies else None))
    again = Again(item, here, start, len(graph.order))
    if not copies:
        return Bound(feed(item.get("from"), here, flow).items[:1], again=again)
    return Bound(copies[-1].tensors, copies[-1].named, tuple(copies), again)


def _alike(item: Entry, copies: list[Bound], own: set[str], graph: Graph) -> bool:
    """Whether every further copy will be as the last: none asks for its number, and the shape does not change."""
    first, last = (copy.tensors[0] if copy.tensors else LOST for copy in copies)
    shape = graph.shape(last)
    if shape is None or graph.shape(first) != shape or LOST in (first, last):
        return False
    written: list[Node | None] = [value for key, value in item.siblings.items() if key != "repeat"]
    match item.head:
        case Apply(name, argument):
            written += [name, argument]
        case Branches(content, merge):
            written += [content, merge]
        case Chain(value) | Open(value) | Reuse(value):
            written.append(value)
    return not any(used(value) & own for value in written if value is not None)


def _look_ahead(node: Node, rest: int, before: tuple[int, int], graph: Graph) -> None:
    """Refuse what `rest` more copies like the last one would make too large."""
    entries, start = before
    total = graph.entries + rest * (graph.entries - entries)
    if total > MOST_ENTRIES:
        raise too_many(total, node.span)
    steps = [graph.steps[name] for name in graph.order[start:]]
    if graph.limit is not None:
        numbers = _numbers(steps, graph)
        if numbers * (rest + 2) > graph.limit.numbers:
            raise cannot_hold(graph.limit, rest + 2, numbers, node.span)


def _numbers(steps: list[Step], graph: Graph) -> int:
    """The parameters of one copy, as far as they are known."""
    names = {step.name for step in steps}
    outer = [ref for step in steps for ref in tensors(step) if ref.step not in names]
    if any(ref.index for ref in outer):
        return 0
    inputs = {ref.step: Input(ref.step, graph.shape(ref)) for ref in outer}
    found = costs(Plan("", tuple(inputs.values()), tuple(steps), {}))
    return sum(cost.params or 0 for cost in found.steps.values())
