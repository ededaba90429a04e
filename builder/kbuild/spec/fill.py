"""Spec → Node: the spec as resolved, which a run keeps.

Bases are merged, holes and variables have given way to their values.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from kbuild.spec.data_section import KINDS
from kbuild.spec.hole import is_hole
from kbuild.spec.names import SIBLINGS
from kbuild.spec.paths import allowed
from kbuild.spec.scope import Scope, chosen, evaluate, is_open, used
from kbuild.spec.spec import Spec
from kbuild.spec.values import Chooser, place
from kbuild.spec.weights import settled
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, plain
from kbuild.text.problem import SpecError

_LATER = frozenset({"i", "input_shape"})


def filled(spec: Spec) -> Node:
    """The tree that fits to the same network and run.

    What depends on where it stands (`$i`, a block's parameters, `$input_shape`) stays a variable; `vars` keeps what
    such
    expressions still need. Paths of data start at the spec's own folder, whichever file they were written in; those of
    weights are absolute.
    """
    assert isinstance(spec.node, MappingNode)
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in spec.node.pairs:
        match key.value:
            case "vars" | "extends" | "tune" | "choices":
                continue
            case "blocks" if isinstance(value, MappingNode):
                pairs.append((key, MappingNode(tuple((k, _block(v, spec)) for k, v in value.pairs), value.span)))
            case "data":
                pairs.append((key, _data(_filled(value, spec.scope, frozenset()), spec)))
            case "model":
                pairs.append((key, _layers(_filled(value, spec.scope, frozenset()), spec)))
            case "weights" if spec.weights is not None:
                pairs.append((key, Scalar(str(spec.weights), value.span)))
            case _:
                pairs.append((key, _filled(value, spec.scope, frozenset())))
    tree = MappingNode(tuple(pairs), spec.node.span)
    needed = {name: value for name, value in spec.scope.bound.items() if name in used(tree)}
    if needed:
        variables = MappingNode(tuple((Scalar(name, value.span), value) for name, value in needed.items()), tree.span)
        at = next((i for i, (key, _) in enumerate(pairs) if key.value not in {"kbuild", "name"}), len(pairs))
        pairs.insert(at, (Scalar("vars", tree.span), variables))
    left = _choices(tree, spec.scope.choose)
    if left is not None:
        pairs.append((Scalar("choices", tree.span), left))
    if not any(key.value == "name" for key, _ in pairs):
        pairs.insert(1, (Scalar("name", tree.span), Scalar(spec.name, tree.span)))
    return MappingNode(tuple(pairs), tree.span)


def open_tree(spec: Spec) -> Node:
    """The merged tree with variables and holes still open, and paths as in `filled`."""
    assert isinstance(spec.node, MappingNode)
    pairs = [(key, value) for key, value in spec.node.pairs if key.value != "extends"]
    if not any(key.value == "name" for key, _ in pairs):
        pairs.insert(1, (Scalar("name", spec.node.span), Scalar(spec.name, spec.node.span)))
    moved = {"data": _data, "model": _layers}
    made = [(key, moved[str(key.value)](value, spec) if key.value in moved else value) for key, value in pairs]
    if spec.weights is not None:
        made = [(k, Scalar(str(spec.weights), v.span) if k.value == "weights" else v) for k, v in made]
    return MappingNode(tuple(made), spec.node.span)


def roots(spec: Spec) -> tuple[Path, ...]:
    """The folders that what `filled` gives may read: the spec's own, those of the command line, those of weights."""
    files = [Path(text) for text in _started(filled(spec)) if Path(text).is_absolute()]
    known = (spec.home, *spec.data_roots)
    more = (path.parent for path in files if not any(path.is_relative_to(root) for root in known))
    return tuple(dict.fromkeys((*known, *more)))


def _started(node: Node) -> Iterator[str]:
    """Whatever stands under a key `weights`."""
    match node:
        case MappingNode():
            for key, value in node.pairs:
                if key.value == "weights" and isinstance(value, Scalar) and isinstance(value.value, str):
                    yield value.value
                yield from _started(value)
        case Sequence():
            for item in node.items:
                yield from _started(item)


def _block(node: Node, spec: Spec) -> Node:
    params = node.get("params") if isinstance(node, MappingNode) else None
    names = frozenset(params.keys) if isinstance(params, MappingNode) else frozenset()
    return _layers(_filled(node, spec.scope, names), spec)


def _layers(node: Node, spec: Spec) -> Node:
    """A model or block whose entries name the weights that they start from by absolute paths."""
    if isinstance(node, MappingNode):
        pairs = ((key, settled(value, spec) if key.value == "layers" else value) for key, value in node.pairs)
        return MappingNode(tuple(pairs), node.span)
    return settled(node, spec)


def _filled(node: Node, scope: Scope, hidden: frozenset[str]) -> Node:
    """`node` with all that only `vars` decide filled in; `hidden` are names that mean something else here."""
    match node:
        case Scalar(value="$required"):
            return node
        case Scalar():
            return _known(node, scope, hidden) if is_open(node) else node
        case Sequence():
            return Sequence(tuple(_filled(item, scope, hidden) for item in node.items), node.span)
        case MappingNode() if is_hole(node):
            return _hole(node, scope, hidden)
        case MappingNode():
            inside = hidden | _walked(node)
            return MappingNode(
                tuple((k, _filled(v, scope, hidden if k.value == "repeat" else inside)) for k, v in node.pairs),
                node.span,
            )


def _choices(tree: Node, choose: object) -> Node | None:
    """What was chosen for holes that stand for several things at once, and so are still there."""
    if not isinstance(choose, Chooser):
        return None
    paths = sorted(path for at in _holes(tree) for path in choose.taken.get(at, ()) if path in choose.given)
    pairs = tuple((Scalar(path, tree.span), Scalar(choose.given[path], tree.span)) for path in paths)
    return MappingNode(pairs, tree.span) if pairs else None


def _holes(node: Node) -> Iterator[tuple[str, int, int]]:
    if isinstance(node, MappingNode):
        if is_hole(node):
            yield place(node.span)
        for _, item in node.pairs:
            yield from _holes(item)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _holes(item)


def _chosen(node: MappingNode, scope: Scope) -> Node:
    """What stands in a hole's place, on all paths on which it was come upon; else the hole itself."""
    if not isinstance(scope.choose, Chooser):
        return chosen(node, scope)
    found = list(scope.choose.taken.get(place(node.span), {}).values())
    same = found and all(plain(other) == plain(found[0]) and type(other) is type(found[0]) for other in found)
    return found[0] if same else node


def _hole(node: MappingNode, scope: Scope, hidden: frozenset[str]) -> Node:
    try:
        choice = _chosen(node, scope)
        if choice is node:
            return MappingNode(tuple((k, _filled(v, scope, hidden)) for k, v in node.pairs), node.span)
        choice = _filled(choice, scope, hidden)
    except SpecError:
        return node
    beside = tuple(
        (k, _filled(v, scope, hidden))
        for k, v in node.pairs
        if not str(k.value).startswith("$") and k.value in SIBLINGS
    )
    if not beside:
        return choice
    if isinstance(choice, MappingNode):
        return MappingNode((*choice.pairs, *(pair for pair in beside if pair[0].value not in choice.keys)), node.span)
    if isinstance(choice, Scalar) and isinstance(choice.value, str):
        return MappingNode(((choice, Scalar(None, node.span)), *beside), node.span)
    return MappingNode(((Scalar("chain", node.span), choice), *beside), node.span)


def _walked(node: MappingNode) -> frozenset[str]:
    repeat = node.get("repeat")
    return frozenset(repeat.keys) if isinstance(repeat, MappingNode) and not is_hole(repeat) else frozenset()


def _known(node: Scalar, scope: Scope, hidden: frozenset[str]) -> Node:
    names = used(node)
    if names & (hidden | _LATER) or not names <= set(scope.bound):
        return node
    value = evaluate(node, scope)
    return _escaped(value) if isinstance(value, Scalar) else value


def _escaped(value: Scalar) -> Scalar:
    return Scalar(value.value.replace("$", "$$"), value.span) if isinstance(value.value, str) else value


def _data(node: Node, spec: Spec) -> Node:
    source = node.get("source") if isinstance(node, MappingNode) else None
    if not isinstance(node, MappingNode) or not isinstance(source, MappingNode):
        return node
    moved = MappingNode(tuple((k, _path(str(k.value), v, spec)) for k, v in source.pairs), source.span)
    return MappingNode(tuple((k, moved if k.value == "source" else v) for k, v in node.pairs), node.span)


def _path(key: str, node: Node, spec: Spec) -> Node:
    if isinstance(node, MappingNode) and key == "images":
        return MappingNode(tuple((k, _path("images", v, spec)) for k, v in node.pairs), node.span)
    is_path = (key in KINDS and key != "python") or (key == "test" and isinstance(node, Scalar))
    if not is_path or not isinstance(node, Scalar):
        return node
    path = allowed(node, spec.home, spec.data_roots)
    inside = path.is_relative_to(spec.home)
    return Scalar(os.path.relpath(path, spec.home) if inside else str(path), node.span)
