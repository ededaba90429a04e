"""(chain, blocks, scope) → how many entries it has at least, known before any of them is expanded.

A few lines can write a network without end: repeats in repeats, blocks of blocks. What depends on a shape, a copy's
number or a search counts nothing here, so a chain is never said to be larger than it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kbuild.plan.graph import DEEPEST, MOST_ENTRIES, too_many
from kbuild.spec.entry import Apply, Branches, Chain, Entry, Open, Reuse, chain, entry, is_call, repeat_count
from kbuild.spec.hole import Hole, default, is_hole
from kbuild.spec.names import STRUCTURE
from kbuild.spec.scope import Scope, chosen, evaluate, is_open
from kbuild.spec.spec import Block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, plain
from kbuild.text.problem import SpecError

VISITS = 50_000
"""Entries looked at; those beyond count one each, so that the count itself ends soon."""
COPIES = 64
"""A `repeat` over lists is walked copy by copy up to this length."""


def bounded(node: Node, scope: Scope, variables: Scope, blocks: Mapping[str, Block]) -> None:
    """Refuse a chain that would have more entries than a network may have.

    Args:
        scope: of the chain; `variables` is all that blocks see of it.

    Raises:
        SpecError: K204 at the entry, or its `repeat`, that has most of them.
    """
    counter = _Counter(blocks, _followed(variables))
    scope = _followed(scope)
    sizes = [(counter.entry(item, scope), item) for item in chain(_opened(node, scope))]
    total = sum(size for size, _ in sizes)
    if total > MOST_ENTRIES:
        _, item = max(sizes, key=lambda pair: pair[0])
        repeat = item.get("repeat") if isinstance(item, MappingNode) else None
        raise too_many(total, (repeat or item).span)


def _followed(scope: Scope) -> Scope:
    """A search chooses by the path of a place, which is not followed here: what it chooses is not known."""
    return scope if scope.choose is default else replace(scope, choose=_unknown)


def _unknown(path: str, hole: Hole) -> Node:
    raise SpecError(())


@dataclass(slots=True)
class _Counter:
    blocks: Mapping[str, Block]
    variables: Scope
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)
    within: list[str] = field(default_factory=list)
    named: dict[str, int] = field(default_factory=dict)
    """What a `reuse` of a name adds: the least of all entries that have it."""
    visits: int = 0
    depth: int = 0

    def chain(self, node: Node, scope: Scope) -> int:
        return sum(self.entry(item, scope) for item in chain(_opened(node, scope)))

    def entry(self, item: Node, scope: Scope) -> int:
        """An entry, its copies, and all that is in them."""
        if self._plain(item):
            return 1
        self.visits += 1
        if self.visits > VISITS or self.depth > DEEPEST:
            return 1
        self.depth += 1
        size = self._size(item, scope)
        self.depth -= 1
        name = item.get("name") if isinstance(item, MappingNode) else None
        if isinstance(name, Scalar) and isinstance(name.value, str):
            self.named[name.value] = min(size - 1, self.named.get(name.value, size))
        return size

    def _size(self, item: Node, scope: Scope) -> int:
        try:
            written = entry(item, frozenset(self.blocks))
            node = written.get("repeat")
            if node is None:
                return 1 + self._copy(written, scope)
            count, lists = repeat_count(evaluate(node, scope))
        except SpecError:
            return 1
        inside = _without(scope, {"i", *lists})
        if not lists or count > COPIES:
            return 1 + count + count * self._copy(written, inside)
        copies = (inside.bind({key: items[index] for key, items in lists.items()}) for index in range(count))
        return 1 + count + sum(self._copy(written, copy) for copy in copies)

    def _plain(self, item: Node) -> bool:
        """Whether an entry is one call and nothing else, as most are."""
        if isinstance(item, MappingNode):
            if len(item.pairs) != 1 or (isinstance(item.pairs[0][1], MappingNode) and _wraps(item.pairs[0][1])):
                return False
            item = item.pairs[0][0]
        text = item.value if isinstance(item, Scalar) else None
        return isinstance(text, str) and "$" not in text and text not in self.blocks and text not in STRUCTURE

    def _copy(self, item: Entry, scope: Scope) -> int:
        """What is in one copy of an entry."""
        when = item.get("when")
        if when is not None and not _true(when, scope):
            return 0
        match item.head:
            case Chain(content):
                return self.chain(content, scope)
            case Branches(content, _):
                return sum(self.chain(branch, scope) for branch in chain(_opened(content, scope)))
            case Open(value):
                inner = _opened(value, scope)
                return self.chain(inner, scope) if isinstance(inner, Sequence) else self.entry(inner, scope) - 1
            case Reuse(Scalar(value=str() as name)):
                return self.named.get(name, 0)
            case Apply(name, argument) if str(name.value) in self.blocks:
                return self._block(self.blocks[str(name.value)], argument, scope)
            case Apply(_, MappingNode() as argument):
                return sum(self._nested(value, scope) for key, value in argument.pairs if "layer" in str(key.value))
        return 0

    def _nested(self, value: Node, scope: Scope) -> int:
        """What is in a block where Keras takes a layer."""
        name, argument = value.pairs[0] if isinstance(value, MappingNode) and len(value) == 1 else (value, None)
        block = self.blocks.get(str(name.value)) if isinstance(name, Scalar) else None
        return self._block(block, argument, scope) if block else 0

    def _block(self, block: Block, argument: Node | None, scope: Scope) -> int:
        if block.name in self.within:
            return 0
        inside = self._params(block, argument, scope)
        key = (block.name, *(repr(plain(inside.bound[name])) if name in inside.bound else "" for name in block.params))
        self.visits += sum(len(text) for text in key) // 100
        if key not in self.seen:
            outer, self.named = self.named, {}
            self.within.append(block.name)
            self.seen[key] = self.chain(block.layers, inside)
            self.within.pop()
            self.named = outer
        return self.seen[key]

    def _params(self, block: Block, argument: Node | None, scope: Scope) -> Scope:
        """The scope inside a block, with those of its parameters whose values are known."""
        inside = replace(_without(self.variables, set(block.params)), shape=None, has_shape=True)
        given: dict[str, Node] = {}
        if isinstance(argument, MappingNode) and not is_call(argument) and not is_open(argument):
            given = {str(key.value): value for key, value in argument.pairs}
        elif argument is not None and not (isinstance(argument, Scalar) and argument.value is None) and block.params:
            given = {next(iter(block.params)): argument}
        for name, value in block.params.items():
            known = _known(given[name], scope) if name in given else _known(value, inside)
            if known is not None:
                inside = inside.bind({name: known})
        return inside


def _wraps(argument: MappingNode) -> bool:
    return any("layer" in key for key in argument.keys)


def _without(scope: Scope, hidden: set[str]) -> Scope:
    """The same scope, in which some names mean what is not known."""
    return replace(scope, bound={name: value for name, value in scope.bound.items() if name not in hidden})


def _opened(node: Node, scope: Scope) -> Node:
    """What stands in place of a hole or a variable; nothing where that is not known."""
    try:
        while isinstance(node, MappingNode) and is_hole(node):
            node = chosen(node, scope)
        return evaluate(node, scope) if is_open(node) else node
    except SpecError:
        return Sequence((), node.span)


def _known(node: Node | None, scope: Scope) -> Node | None:
    try:
        return None if node is None else evaluate(node, scope)
    except SpecError:
        return None


def _true(node: Node, scope: Scope) -> bool:
    value = _known(node, scope)
    return isinstance(value, Scalar) and value.value is True
