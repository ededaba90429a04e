"""Node → Entry: one item of a chain, taken apart into what is applied and what is said about it.

Nothing is looked up or evaluated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kbuild.spec.hole import KINDS, is_hole
from kbuild.spec.names import SIBLINGS, STRUCTURE, suggestion
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span


@dataclass(frozen=True, slots=True)
class Apply:
    """A layer, an operation or a block, by name, with its arguments as written (None: none)."""

    name: Scalar
    argument: Node | None


@dataclass(frozen=True, slots=True)
class Open:
    """A variable or a hole: what stands here is known when its value is."""

    value: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """A group; also what a list is where an entry is wanted. An empty one does nothing."""

    content: Node


@dataclass(frozen=True, slots=True)
class Branches:
    """Chains side by side from the same input, and the call that merges them (None: Concatenate)."""

    content: Node
    merge: Node | None


@dataclass(frozen=True, slots=True)
class Reuse:
    """Another entry again, with the same weights."""

    target: Node


Head = Apply | Open | Chain | Branches | Reuse


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a chain.

    Args:
        head: what is applied.
        siblings: those of `names.SIBLINGS`, as written.
        span: the head, where a problem with the entry is shown.
    """

    head: Head
    siblings: Mapping[str, Node] = field(default_factory=dict)
    span: Span = field(default=None, compare=False, repr=False)  # type: ignore[assignment]

    def get(self, key: str) -> Node | None:
        """A sibling key's value, or None."""
        return self.siblings.get(key)


def chain(node: Node) -> Sequence[Node]:
    """The entries of a chain, as nodes: a list's items; anything else is one entry.

    Example: `[Flatten, {Dense: 10}]` has two, `{Dense: 10}` is one, `null` and `[]` have none.
    """
    if isinstance(node, SequenceNode):
        return node.items
    if isinstance(node, Scalar) and node.value is None:
        return ()
    return (node,)


def entry(node: Node, blocks: frozenset[str] = frozenset()) -> Entry:
    """Take one entry apart.

    Args:
        blocks: the names of blocks, so that a key that is neither a block nor a sibling can be told.

    Raises:
        SpecError: K102 or K104 for what cannot be an entry.
    """
    match node:
        case Scalar(value=None):
            return Entry(Chain(SequenceNode((), node.span)), {}, node.span)
        case SequenceNode():
            return Entry(Chain(node), {}, node.span)
        case Scalar(value=str() as text):
            if text.startswith("$") and not text.startswith("$$"):
                return Entry(Open(node), {}, node.span)
            return Entry(Apply(node, None), {}, node.span)
        case Scalar():
            raise mistake(
                "K102",
                f"`{brief(node)}` is no entry of a chain",
                node.span,
                help="an entry is a call such as `Dense: 64`, a block, or a variable",
            )
        case MappingNode():
            return _mapping(node, blocks)


def _mapping(node: MappingNode, blocks: frozenset[str]) -> Entry:
    siblings: dict[str, Node] = {}
    heads: list[tuple[Scalar, Node]] = []
    hole = is_hole(node)
    for key, value in node.pairs:
        text = str(key.value)
        if text in SIBLINGS:
            siblings[text] = value
        elif not (hole and text not in KINDS) and text != "merge":
            heads.append((key, value))
    if not heads:
        raise mistake(
            "K104",
            "an entry needs a call, a block, `chain`, `branches` or `reuse`",
            node.span,
            help="write `- Dense: 64`, with `name`, `from` and the like beside it",
        )
    if hole:
        return Entry(Open(node), siblings, heads[0][0].span)
    if len(heads) > 1:
        raise _several(heads, blocks)
    key, value = heads[0]
    merge = node.get("merge")
    if merge is not None and key.value != "branches":
        raise mistake(
            "K101",
            "`merge` belongs to `branches`",
            node.key("merge").span,  # type: ignore[union-attr]
            help="to merge entries above, write the call itself: `{Add: null, from: [a, b]}`",
        )
    return Entry(_head(key, value, merge), siblings, key.span)


def _head(key: Scalar, value: Node, merge: Node | None) -> Head:
    match str(key.value):
        case "chain":
            return Chain(value)
        case "branches":
            return Branches(value, merge)
        case "reuse":
            return Reuse(value)
        case text if text.startswith("$") and isinstance(value, Scalar) and value.value is None:
            return Open(key)
    return Apply(key, value)


def _several(heads: list[tuple[Scalar, Node]], blocks: frozenset[str]) -> SpecError:
    known = [pair for pair in heads if _is_head(str(pair[0].value), blocks)]
    if len(known) == 1:
        others = [key for key, _ in heads if key is not known[0][0]]
        name = known[0][0].value
        return SpecError(
            Problem(
                "K101",
                f"an entry has no key `{key.value}`",
                key.span,
                help=suggestion(str(key.value), SIBLINGS)
                if _close(str(key.value))
                else f"arguments of `{name}` stand under it: `{name}: {{{key.value}: …}}`",
            )
            for key in others
        )
    names = ", ".join(f"`{key.value}`" for key, _ in heads)
    return mistake(
        "K101",
        f"one entry makes one call, not {len(heads)}: {names}",
        heads[1][0].span,
        help="begin each entry with `- `",
    )


def _is_head(text: str, blocks: frozenset[str]) -> bool:
    return text[:1].isupper() or text.startswith(("ops.", "$")) or text in blocks or text in STRUCTURE


def _close(text: str) -> bool:
    from kbuild.spec.names import nearest

    return nearest(text, SIBLINGS) is not None


def is_call(node: Node) -> bool:
    """Whether a map is a call by its form: one key that begins with a capital."""
    return isinstance(node, MappingNode) and len(node) == 1 and str(node.pairs[0][0].value)[:1].isupper()


def repeat_count(node: Node) -> tuple[int, Mapping[str, Sequence[Node]]]:
    """An evaluated `repeat:` → how many copies, and the lists that it walks.

    A value in the map that is no list is the same for every copy; without any list there is one copy. So a block's
    parameter may be one value or a list of them.

    Raises:
        SpecError: K209.
    """
    if (
        isinstance(node, Scalar)
        and isinstance(node.value, int)
        and not isinstance(node.value, bool)
        and node.value >= 0
    ):
        return node.value, {}
    if isinstance(node, MappingNode) and len(node):
        lists = {str(key.value): value.items for key, value in node.pairs if isinstance(value, SequenceNode)}
        lengths = {name: len(items) for name, items in lists.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
            raise mistake(
                "K209",
                f"the lists of `repeat` differ in length: {said}",
                node.span,
                help="they are walked together: give each as many values, or one value that is no list for all copies",
            )
        count = next(iter(lengths.values()), 1)
        walked = {str(key.value): lists.get(str(key.value), (value,) * count) for key, value in node.pairs}
        return count, walked
    raise mistake(
        "K209",
        f"`repeat` takes a number of copies or a map of lists, not `{brief(node)}`",
        node.span,
        help="write `repeat: 3` or `repeat: {filters: [64, 128]}`",
    )
