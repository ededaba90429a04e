"""Node × Node → Node: what stands above is laid over what stands below (`extends`, `--set`, `overrides=`)."""

from collections.abc import Callable, Mapping

from kbuild.spec.entry import is_call
from kbuild.spec.hole import KINDS, is_hole
from kbuild.spec.names import SIBLINGS, STRUCTURE, suggestion
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, node
from kbuild.text.problem import mistake
from kbuild.text.source import Span

CHAINS = frozenset({"layers", "chain", "preprocess", "augment"})
SOURCES = frozenset({"npz", "csv", "parquet", "images", "text", "tfrecord", "tfds", "python"})


def merge(below: Node, above: Node, first: Callable[[str], str | None], key: str = "") -> Node:
    """`above` laid over `below`.

    Maps merge key by key; lists and scalars are replaced. A call, a hole, a source, a schedule merges only with one of
    the same name. A map over a chain reaches its entries by name, one over phases those by number.

    Args:
        first: name of the first argument of a call or block, which a lone value counts as.
        key: the key at which both stand.

    Raises:
        SpecError: K111 for an entry that is not there.
    """
    if not isinstance(above, MappingNode):
        return above
    if isinstance(below, Sequence) and key in CHAINS:
        return _into_chain(below, above, first)
    if isinstance(below, Sequence) and key == "phases":
        return _into_phases(below, above, first)
    if not isinstance(below, MappingNode):
        return above
    if _one_value(below, key) or _one_value(above, key):
        return _same_name(below, above, first, key)
    return _by_key(below, above, first)


def _by_key(below: MappingNode, above: MappingNode, first: Callable[[str], str | None]) -> MappingNode:
    over = {str(k.value): (k, value) for k, value in above.pairs}
    pairs: list[tuple[Scalar, Node]] = []
    for k, value in below.pairs:
        name = str(k.value)
        if name in over:
            key, new = over.pop(name)
            pairs.append((_placed(k, key), merge(value, new, first, name)))
        else:
            pairs.append((k, value))
    return MappingNode((*pairs, *over.values()), above.span if _in_file(above) else below.span)


def _placed(below: Scalar, above: Scalar) -> Scalar:
    """What was typed has no place of its own: a key that is also in a file is shown there."""
    return above if _in_file(above) or not _in_file(below) else below


def _in_file(node: Node) -> bool:
    return node.span.source.path is not None


def _one_value(node: MappingNode, key: str) -> bool:
    return is_call(node) or is_hole(node) or key in {"source", "schedule"}


def _same_name(below: MappingNode, above: MappingNode, first: Callable[[str], str | None], key: str) -> Node:
    name = _identity(above, key)
    if name is None or name != _identity(below, key):
        return above
    if is_hole(above) or key == "source":
        return _by_key(below, above, first)
    low, high = below.get(name), above.get(name)
    assert low is not None
    assert high is not None
    merged = merge(_as_arguments(low, name, first), _as_arguments(high, name, first), first)
    return MappingNode(((above.pairs[0][0], merged),), above.span)


def _identity(node: MappingNode, key: str) -> str | None:
    wanted = SOURCES if key == "source" else KINDS if is_hole(node) else node.keys[:1]
    return next((name for name in node.keys if name in wanted), None)


def _as_arguments(node: Node, name: str, first: Callable[[str], str | None]) -> Node:
    """A lone value as what it counts as: the first argument."""
    if isinstance(node, Scalar) and node.value is None:
        return MappingNode((), node.span)
    if isinstance(node, MappingNode) and not is_call(node) and not is_hole(node):
        return node
    parameter = first(name)
    return node if parameter is None else MappingNode(((Scalar(parameter, node.span), node),), node.span)


def _into_chain(chain: Sequence, above: MappingNode, first: Callable[[str], str | None]) -> Node:
    result: Node = chain
    for key, value in above.pairs:
        name = str(key.value)
        found: list[str] = []
        result = _replaced(result, name, value, key.span, first, found)
        if name not in found:
            raise mistake(
                "K111",
                f"there is no entry named `{name}` in this chain",
                key.span,
                help=suggestion(name, set(found), "give the entry a `name`"),
            )
    return result


def _into_phases(phases: Sequence, above: MappingNode, first: Callable[[str], str | None]) -> Node:
    """Phases have no names: a map reaches them by their numbers, from 0."""
    items = list(phases.items)
    for key, value in above.pairs:
        number = str(key.value)
        if number not in {str(at) for at in range(len(items))}:
            help = "write them as a list: `train.phases=[{epochs: 5}]`"
            raise mistake("K111", f"there is no phase `{number}`: {_numbers(len(items))}", key.span, help=help)
        items[int(number)] = merge(items[int(number)], value, first)
    return Sequence(tuple(items), phases.span)


def _numbers(count: int) -> str:
    if count < 2:
        return "the only one is 0" if count else "there is none"
    return f"they are 0 {'and' if count == 2 else 'to'} {count - 1}"


def _replaced(
    node: Node, name: str, value: Node, span: Span, first: Callable[[str], str | None], found: list[str]
) -> Node:
    """The chain with the entry called `name` changed; `found` collects the names that were met."""
    if isinstance(node, Sequence):
        return Sequence(tuple(_replaced(item, name, value, span, first, found) for item in node.items), node.span)
    if not isinstance(node, MappingNode):
        return node
    own = node.get("name")
    if isinstance(own, Scalar) and isinstance(own.value, str):
        found.append(own.value)
        if own.value == name:
            return _changed(node, value, span, first)
    pairs = tuple(
        (key, _replaced(item, name, value, span, first, found) if key.value in {"chain", "branches"} else item)
        for key, item in node.pairs
    )
    return MappingNode(pairs, node.span)


def _changed(entry: MappingNode, value: Node, span: Span, first: Callable[[str], str | None]) -> Node:
    head = next((key for key, _ in entry.pairs if key.value not in SIBLINGS and key.value != "merge"), None)
    if head is None:
        return entry
    siblings = tuple((key, item) for key, item in entry.pairs if key is not head)
    if not isinstance(value, MappingNode) or is_hole(value):
        return MappingNode((*_head_of(value, span), *siblings), entry.span)
    if is_call(value) and value.keys[0] != head.value:
        return MappingNode((*value.pairs, *siblings), entry.span)
    arguments = value.get(str(head.value)) if is_call(value) else None
    beside = {str(k.value): (k, v) for k, v in value.pairs if k.value in SIBLINGS or k.value in STRUCTURE}
    under = value.pairs if not is_call(value) else (arguments.pairs if isinstance(arguments, MappingNode) else ())
    own = tuple((k, v) for k, v in under if str(k.value) not in beside)
    below = entry.get(str(head.value))
    assert below is not None
    content = below
    if str(head.value) in beside:
        content = merge(below, beside.pop(str(head.value))[1], first, str(head.value))
    elif own:
        content = merge(_as_arguments(below, str(head.value), first), MappingNode(own, value.span), first)
    elif arguments is not None:
        content = arguments
    merged = _by_key(MappingNode(siblings, entry.span), MappingNode(tuple(beside.values()), value.span), first)
    return MappingNode(((head, content), *merged.pairs), entry.span)


def _head_of(value: Node, span: Span) -> tuple[tuple[Scalar, Node], ...]:
    """Another call in the entry's place, its siblings kept."""
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return ((value, Scalar(None, span)),)
    if isinstance(value, MappingNode):
        return value.pairs
    return ((Scalar("chain", span), value),)


def overlaid(tree: Node, changes: Mapping[str, object]) -> Node:
    """A tree with changes laid over it: dotted path → plain value. Lone values of calls are not told apart."""
    values = {path: node(value, tree.span) for path, value in changes.items()}  # pyright: ignore[reportArgumentType]
    for above in settings(values):
        tree = merge(tree, above, lambda name: None)
    return tree


def settings(values: Mapping[str, Node]) -> list[Node]:
    """Dotted paths and their values, each as the tree to lay over a spec: `train.epochs` → `{train: {epochs: …}}`."""
    trees: list[Node] = []
    for path, value in values.items():
        tree = value
        for part in reversed(path.split(".")):
            tree = MappingNode(((Scalar(part, value.span), tree),), value.span)
        trees.append(tree)
    return trees
