"""Entry → steps: the rules of chains. Each function takes what comes in (a Feed) and gives what goes out."""

from dataclasses import replace

from kbuild.plan.apply import make_step
from kbuild.plan.beside import inside, matched
from kbuild.plan.graph import DEEPEST, LOST, Again, Bound, Feed, Frame, Graph, Here, explicit_names, not_too_deep
from kbuild.plan.place import placed
from kbuild.plan.plan import Ref
from kbuild.plan.refer import entry_again, feed
from kbuild.plan.trail import because
from kbuild.spec.entry import Apply, Branches, Chain, Entry, Open, Reuse, chain, entry
from kbuild.spec.hole import is_hole
from kbuild.spec.names import NAME, RESERVED, SIBLINGS, snake_case
from kbuild.spec.scope import chosen, evaluate, is_open
from kbuild.spec.static import unknown_block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import Problem, Related, SpecError, mistake
from kbuild.text.source import Span


def expand_chain(node: Node, flow: Feed, here: Here, graph: Graph) -> Feed:
    """Expand the entries of a chain, one after the other; problems are collected and the rest goes on."""
    not_too_deep(here, node.span)
    here.frame.coming |= explicit_names(node)
    for item in chain(node if _is_entry(node) else _opened(node, here)):
        graph.count(item.span)
        try:
            flow = expand_entry(item, flow, here, graph)
        except SpecError as error:
            told = [because(problem, here.input.first, graph) for problem in error.problems]
            graph.problems += [placed(problem, here.used) for problem in told if problem is not None]
            flow = Feed((LOST,))
            _bind_lost(item, here)
    return flow


def _is_entry(node: Node) -> bool:
    """Whether a hole in place of a chain is an entry, with a name or the like of its own."""
    return isinstance(node, MappingNode) and any(key in SIBLINGS for key in node.keys)


def expand_entry(item: Node, flow: Feed, here: Here, graph: Graph) -> Feed:
    """Expand one entry. Raises SpecError for what is wrong with the entry itself."""
    written = entry(item, frozenset(graph.blocks))
    name, explicit = _name(written, here)
    place = replace(here, scope=here.scope.at(name))
    settled = _settled(written, place, graph)
    if not explicit and name == "entry":
        name = here.frame.automatic(_base(settled))
        place = replace(here, scope=here.scope.at(name))
    if settled.get("repeat") is not None:
        from kbuild.plan.repeats import repeated

        bound = repeated(settled, name, flow, place, graph)
    else:
        bound = once(settled, flow, replace(place, frame=here.frame), graph, name, explicit)
    if explicit or (name not in here.frame.names and bound.tensors):
        here.frame.names[name] = bound
    return Feed(bound.tensors[:1]) if bound.tensors else flow


def _name(item: Entry, here: Here) -> tuple[str, bool]:
    node = item.get("name")
    if node is None:
        if isinstance(item.head, Apply) and not is_open(item.head.name):
            return here.frame.automatic(snake_case(str(item.head.name.value))), False
        return "entry", False
    value = evaluate(node, here.scope.at("name"))
    text = value.value if isinstance(value, Scalar) else None
    if not isinstance(text, str) or not NAME.match(text):
        help = "a name is `[a-z][a-z0-9_]*`"
        raise mistake("K113", f"`{brief(value)}` is no name of an entry", node.span, help=help)
    if text in RESERVED:
        raise mistake(
            "K113", f"`{text}` is a word of the language and cannot be a name", node.span, help="choose another"
        )
    if text in here.frame.names:
        raise mistake("K114", f"there are two entries named `{text}`", node.span, help="rename one of them")
    return text, True


def _base(item: Entry) -> str:
    match item.head:
        case Apply(name, _):
            return snake_case(str(name.value))
        case Branches():
            return "branches"
        case Reuse(target):
            return str(plain(target)).replace("-", "_").replace("*", "all")
    return "chain"


def _settled(item: Entry, here: Here, graph: Graph) -> Entry:
    """The entry with its head known: variables and holes have given way to what stands in their place."""
    for _ in range(DEEPEST):
        head = item.head
        if isinstance(head, Open):
            node = _opened(head.value, here)
        elif isinstance(head, Apply) and is_open(head.name):
            name = evaluate(head.name, here.scope)
            if not isinstance(name, Scalar) or not isinstance(name.value, str):
                raise mistake(
                    "K102", f"`{head.name.value}` is `{brief(name)}`, which is no name of a call", head.name.span
                )
            node = MappingNode(
                ((Scalar(name.value, head.name.span), head.argument or Scalar(None, name.span)),), name.span
            )
        else:
            return item
        inner = entry(node, frozenset(graph.blocks))
        item = Entry(inner.head, {**inner.siblings, **item.siblings}, item.span)
    raise mistake("K102", f"`{brief(node)}` is no entry of a chain", item.span, help=_ENTRY)


_ENTRY = "an entry is a call such as `Dense: 64`, a block, or a variable"


def _opened(node: Node, here: Here) -> Node:
    """A hole's choice, or a variable's value; anything else as it is."""
    while is_open(node):
        if isinstance(node, MappingNode):
            node = chosen(node, here.scope) if is_hole(node) else node
        elif "->" in str(node.value) or "→" in str(node.value):  # type: ignore[union-attr]
            return node
        else:
            return evaluate(node, here.scope)
    return node


def once(
    item: Entry, flow: Feed, here: Here, graph: Graph, name: str | None, explicit: bool, before: Bound | None = None
) -> Bound:
    """One copy of an entry. `name` is None in a repeat, where the frame's prefix already ends with it."""
    start = len(graph.order)
    coming = feed(
        item.get("from"), here, flow if before is None or item.get("from") is not None else Feed(before.tensors[:1])
    )
    if before is not None and item.get("from") is not None:
        coming = coming.with_first(before.tensors[0])
    graph.count(item.span, max(0, len(coming.all) - 1))
    if not _kept(item, here):
        graph.spared |= {ref.step for ref in coming.all}
        taken = flow.first if flow.first in coming.all and before is None else coming.first
        return Bound((taken,), again=Again(item, here, start, start))
    place = inside(item, here, graph, name)
    parts = place.frame.prefix if name is None else (*place.frame.prefix, name)
    bound = _headed(item, coming, place, graph, "-".join(parts), explicit, name is None)
    matched(item, place, graph, start)
    return replace(bound, again=Again(item, here, start, len(graph.order)))


def _headed(item: Entry, coming: Feed, here: Here, graph: Graph, title: str, explicit: bool, repeated: bool) -> Bound:
    match item.head:
        case Apply(name, argument) if str(name.value) in graph.blocks:
            from kbuild.plan.blocks import use_block

            return use_block(item, coming, here, graph, title)
        case Apply(name, argument):
            return _applied(item, name, argument, coming, here, graph, title)
        case Chain(content):
            out = expand_chain(content, coming, here.inside("chain", title), graph)
            inner = {n: b.tensors[0] for n, b in here.frame.names.items() if b.tensors} if repeated else {}
            return Bound((out.first,), inner)
        case Branches():
            group = here.inside("branches", title)
            return _branches(item, item.head, coming, group, graph, title if explicit else None, repeated)
        case Reuse(target):
            return _reused(target, coming, here, graph, title)
    raise AssertionError(item)


def _applied(
    item: Entry, name: Scalar, argument: Node | None, coming: Feed, here: Here, graph: Graph, title: str
) -> Bound:
    from kbuild.plan.blocks import nested_block

    text = str(name.value)
    if not text.startswith("ops.") and not text[:1].isupper():
        raise SpecError(unknown_block(name, frozenset(graph.blocks)))
    nested = nested_block(text, graph.shape(coming.first), here, graph)
    step = make_step(name, argument, coming, item.siblings, here, graph, title, nested)
    graph.add(step)
    count = max(len(step.names), len(step.shapes or ()), 1)
    tensors = tuple(Ref(title, index) for index in range(count))
    offset = 1 if step.nodes else 0
    named = {n: Ref(title, index + offset) for index, n in enumerate(step.names) if n != "_"}
    return Bound(tensors, named)


def _branches(
    item: Entry, head: Branches, coming: Feed, here: Here, graph: Graph, title: str | None, repeated: bool
) -> Bound:
    content = _opened(head.content, here)
    if not isinstance(content, Sequence) or not content.items:
        raise mistake(
            "K205",
            f"`branches` is a list of chains, not `{brief(content)}`",
            content.span,
            help="write each branch as a list; `[]` hands its input on",
        )
    ends = tuple(
        expand_chain(branch, coming, here.inside("branch", f"{here.within[-1].name}:{index}", count=index), graph).first
        for index, branch in enumerate(content.items)
    )
    merge = head.merge or Scalar("Concatenate", item.span)
    settled = _settled(entry(_opened(merge, here), frozenset(graph.blocks)), here, graph)
    if not isinstance(settled.head, Apply):
        raise mistake(
            "K205",
            f"`merge` takes a merging call, not `{brief(merge)}`",
            merge.span,
            help="write `merge: Add` or another",
        )
    name = settled.head.name
    if title is None:
        title = "-".join((*here.frame.prefix, here.frame.automatic(snake_case(str(name.value)))))
    return _headed(settled, Feed(ends, listed=True), here, graph, title, True, repeated)


def _reused(target: Node, coming: Feed, here: Here, graph: Graph, title: str) -> Bound:
    not_too_deep(here, target.span)
    value = evaluate(target, here.scope.at("reuse"))
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        raise mistake(
            "K216", f"`reuse` takes the name of an entry, not `{brief(value)}`", target.span, help="write `reuse: name`"
        )
    again = entry_again(value, here)
    outer = graph.twins
    graph.twins = [graph.steps[name].layer for name in reversed(graph.order[again.start : again.stop])]
    frame = Frame((title,), again.here.frame)
    siblings = {k: v for k, v in again.entry.siblings.items() if k not in {"from", "name"}}
    item = Entry(again.entry.head, siblings, again.entry.span)
    place = replace(
        again.here, frame=frame, used=(*here.used, value.span), within=here.within, depth=here.depth, remat=here.remat
    )
    place = place.inside("reuse", title)
    try:
        if item.get("repeat") is not None:
            from kbuild.plan.repeats import repeated

            place = replace(place, frame=Frame(here.frame.prefix, again.here.frame))
            return repeated(item, title.rsplit("-", 1)[-1], coming, place, graph)
        return once(item, coming, place, graph, None, True)
    except SpecError as error:
        raise SpecError(_again(problem, value.span) for problem in error.problems) from None
    finally:
        graph.twins = outer


def _again(problem: Problem, span: Span) -> Problem:
    """An entry that cannot be used again is right where it stands first."""
    if problem.code == "K216" and problem.span is not None:
        return replace(problem, span=span, related=(Related("the entry", problem.span), *problem.related))
    return replace(problem, related=(*problem.related, Related("it is used again here", span)))


def _kept(item: Entry, here: Here) -> bool:
    node = item.get("when")
    if node is None:
        return True
    value = evaluate(node, here.scope.at("when"))
    if not isinstance(value, Scalar) or not isinstance(value.value, bool):
        raise mistake(
            "K105",
            f"`when` is `true` or `false`, not `{brief(value)}`",
            node.span,
            help='write a comparison: `"${stride != 1}"`',
        )
    return value.value


def _bind_lost(item: Node, here: Here) -> None:
    """An entry with a problem keeps its name, so that no one is told a second time."""
    if isinstance(item, MappingNode):
        name = item.get("name")
        if isinstance(name, Scalar) and isinstance(name.value, str):
            here.frame.names.setdefault(name.value, Bound((LOST,)))
