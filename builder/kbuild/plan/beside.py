"""Entry, Here → Here: what the keys `trainable`, `weights` and `remat` say of all that is inside an entry."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatch

from kbuild.plan.applications import remembered
from kbuild.plan.graph import Graph, Here, tensors
from kbuild.plan.plan import Start
from kbuild.spec.call import Call
from kbuild.spec.entry import Entry, Reuse
from kbuild.spec.names import suggestion
from kbuild.spec.scope import evaluate
from kbuild.spec.weights import start_weights
from kbuild.text.node import Node, brief, plain
from kbuild.text.problem import mistake


def inside(item: Entry, here: Here, graph: Graph, name: str | None) -> Here:
    """The place inside an entry.

    Args:
        name: the entry's; None in a repeat, where the frame's prefix ends with it already.

    Raises:
        SpecError: K105 for a value that cannot be right, or that would do nothing; K112, K116 for weights.
    """
    title = "-".join(here.frame.prefix if name is None else (*here.frame.prefix, name))
    for key in ("trainable", "weights"):
        node = item.get(key)
        if node is not None and isinstance(item.head, Reuse):
            help = f"write it beside the entry that has the layers: `{brief(item.head.target)}`"
            raise mistake(
                "K105", f"`{key}` does nothing beside `reuse`, which has no layers of its own", node.span, help
            )
    here = _weights(item.get("weights"), here, graph, title)
    here = _remat(item.get("remat"), here, title)
    return _trainable(item.get("trainable"), here, title)


def matched(item: Entry, inside: Here, graph: Graph, start: int) -> None:
    """A pattern that names nothing would freeze what was to learn.

    Layers inside an application are known if it was built before.

    Args:
        start: where the entry's steps begin in the graph's order.

    Raises:
        SpecError: K219.
    """
    node = item.get("trainable")
    if node is None or not isinstance(inside.trainable, tuple):
        return
    steps = [graph.steps[name] for name in graph.order[start:]]
    names = {step.name.removeprefix(inside.root + "-") for step in steps} | {step.name for step in steps}
    for step in steps:
        if step.call.namespace == "applications":
            ref = next(iter(tensors(step)), None)
            found = remembered(step.call, graph.shape(ref)) if ref else None
            if found is None:
                return
            names |= set(found.parts)
    for pattern in inside.trainable if steps else ():
        if not any(fnmatch(name, pattern) for name in names):
            raise mistake(
                "K219", f"`trainable: [{pattern}]` matches no layer here", node.span, help=near(pattern, names)
            )


def near(pattern: str, names: Iterable[str]) -> str | None:
    """What a pattern that matches nothing was probably meant to be."""
    told = "a pattern is of the names inside the entry, `*` stands for any text"
    return suggestion(pattern.rstrip("*"), names, told)


def learns(here: Here, title: str, made: Call) -> bool | tuple[str, ...] | None:
    """A step's `trainable`. Patterns are of the names inside the entry that they were said of.

    An application holds its layers itself: where no pattern names all of it, they are of its layers.
    """
    if not isinstance(here.trainable, tuple):
        return here.trainable
    within = title.removeprefix(here.root + "-")
    if any(fnmatch(title, p) or fnmatch(within, p) for p in here.trainable):
        return None
    return here.trainable if made.namespace == "applications" else False


def _trainable(node: Node | None, here: Here, title: str) -> Here:
    if node is None:
        return here
    value = plain(evaluate(node, here.scope.at("trainable")))
    patterns = isinstance(value, list) and value and all(isinstance(pattern, str) for pattern in value)
    if not isinstance(value, bool) and not patterns:
        said = f"`trainable` is `true`, `false` or a list of patterns of names, not `{value}`"
        raise mistake("K105", said, node.span, help="write `trainable: [block7*]`")
    if value is True or here.trainable is False:
        return here
    if value is False:
        return replace(here, trainable=False, root=title)
    if here.trainable is not None:
        help = "say it once: the patterns of the outer entry may name layers of this one"
        raise mistake("K105", "`trainable` patterns stand inside an entry that has some", node.span, help)
    assert isinstance(value, list)
    return replace(here, trainable=tuple(str(pattern) for pattern in value), root=title)


def _weights(node: Node | None, here: Here, graph: Graph, title: str) -> Here:
    if node is None:
        return here
    if graph.home is None or here.scope.path.startswith("data."):
        where = "`data.preprocess`, which learns from the data" if graph.home else "a network that a call holds"
        raise mistake(
            "K105", f"`weights` does nothing in {where}", node.span, help="write it beside an entry of `model`"
        )
    path = start_weights(node, here.scope, graph.home, graph.roots)
    return replace(here, weights=None if path is None else Start(str(path), title, node.span))


def _remat(node: Node | None, here: Here, title: str) -> Here:
    if node is None:
        return here
    value = plain(evaluate(node, here.scope.at("remat")))
    if not isinstance(value, bool):
        raise mistake(
            "K105", f"`remat` is `true` or `false`, not `{brief(node)}`", node.span, help="write `remat: true`"
        )
    # who keeps nothing of the whole keeps nothing of its parts
    return replace(here, remat=title) if value and here.remat is None else here
