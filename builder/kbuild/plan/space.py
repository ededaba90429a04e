"""Spec → Space: every hole that a search can come upon, and the choices under which it is there.

The network is written out again and again, each time with other choices, and asked which holes it came upon. Only holes
that can change what else is asked are tried: one in a `repeat` or `when`, one whose options hold more than plain
values, and a variable that such a place uses. Around each set of choices that brings a new hole, every such hole is
turned through its values, one at a time; then choices are drawn at random, and where what is there is not what was
foretold, that is looked into likewise. A trial asks once more, so that a search never depends on it being complete.
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kbuild.data.header import Header
from kbuild.plan.expand import expand
from kbuild.spec.hole import Choose, Hole, is_hole
from kbuild.spec.parse import parse
from kbuild.spec.scope import used
from kbuild.spec.spec import Spec
from kbuild.spec.values import Choices, Value, pick, tried, value, values
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence
from kbuild.text.problem import Problem, SpecError

Condition = Mapping[str, frozenset[Value]]
"""Path of a hole → values of it; all must hold."""

SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Dim:
    """One hole of the space.

    Args:
        path: its name.
        hole: as it is at first; with `open`, its ends and options may be others in another network.
        when: it is there where one of these holds; `({},)` is always.
        open: whether its own ends or options depend on other holes.
    """

    path: str
    hole: Hole
    when: tuple[Condition, ...] = ({},)
    open: bool = False

    def there(self, chosen: Choices) -> bool:
        """Whether these choices bring it."""
        return any(all(chosen.get(path) in values for path, values in condition.items()) for condition in self.when)


@dataclass(frozen=True, slots=True)
class Space:
    """What a search searches.

    Args:
        dims: a hole that decides over another stands before it.
        networks: how many were written out to find it.
        broken: choices that cannot be built, and why.
    """

    dims: tuple[Dim, ...]
    networks: int
    broken: tuple[tuple[Choices, Problem], ...] = ()

    @property
    def size(self) -> float:
        """How many different trials there are, about; infinite with a hole that has no steps."""
        return math.prod(_count(dim, self.dims) for dim in self.dims if dim.when == ({},))


@dataclass(frozen=True, slots=True)
class Reached:
    """The holes that one network came upon, in order, and what is wrong with it."""

    holes: Mapping[str, Hole]
    problems: tuple[Problem, ...] = ()


def space(spec: Spec, header: Header | None = None) -> Space:
    """The space of a spec.

    Args:
        header: what the data are, where that is known.
    """
    search = _Search(spec, header, _structural(spec.node), "input_shape" in _structural(spec.node))
    search.around({})
    rng = random.Random(0)
    for _ in range(SAMPLES if search.deciding else 0):
        search.compare(search.draw(rng))
    opened = {hole.span for hole in _open(spec.node)}
    dims = {
        path: Dim(path, hole, tuple(search.terms[path]), hole.span in opened or path in search.differ)
        for path, hole in search.holes.items()
    }
    return Space(tuple(_ordered(dims)), len(search.known), tuple(search.broken()))


@dataclass(slots=True)
class _Search:
    spec: Spec
    header: Header | None
    names: frozenset[str]
    shapes: bool
    known: dict[frozenset[tuple[str, Value]], Reached] = field(default_factory=dict)
    holes: dict[str, Hole] = field(default_factory=dict)
    terms: dict[str, list[Condition]] = field(default_factory=dict)
    differ: set[str] = field(default_factory=set)
    deciding: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def reach(self, chosen: Choices) -> Reached:
        key = frozenset(chosen.items())
        if key not in self.known:
            self.known[key] = found = reached(self.spec, chosen, self.header)
            for path, hole in found.holes.items():
                if _shape(self.holes.setdefault(path, hole)) != _shape(hole):
                    self.differ.add(path)
        return self.known[key]

    def around(self, start: Choices) -> None:
        """Turn every hole that may decide, one at a time; then around each choice that brought something new."""
        waiting = [start]
        while waiting:
            chosen = waiting.pop(0)
            base = self.reach(chosen)
            turned = {
                path: self._turned(path, hole, chosen)
                for path, hole in base.holes.items()
                # one that changed nothing at the start is not tried again: the draws would tell
                if self.may(path, hole) and (chosen == start or path in self.deciding or path not in self.seen)
            }
            self.seen |= turned.keys()
            here = set(base.holes)
            self.deciding |= {
                path for path, found in turned.items() if any(set(r.holes) != here for r in found.values())
            }
            for path in base.holes:
                self._term(path, turned, chosen)
            for path, found in turned.items():
                for option, other in found.items():
                    fresh = [hole for hole in other.holes if hole not in self.terms]
                    context = {**chosen, path: option}
                    if fresh and context not in waiting:
                        waiting.append(context)

    def _turned(self, path: str, hole: Hole, chosen: Choices) -> dict[Value, Reached]:
        return {option: self.reach(chosen if option == value(hole) and path not in chosen else {**chosen, path: option})
                for option in tried(hole)}  # fmt: skip

    def _term(self, path: str, turned: Mapping[str, Mapping[Value, Reached]], chosen: Choices) -> None:
        """The values of each hole with which another is there."""
        term: dict[str, frozenset[Value]] = {}
        for other, found in turned.items():
            there = frozenset(option for option, reached in found.items() if path in reached.holes)
            if other != path and len(there) < len(found):
                term[other] = there
        known = self.terms.setdefault(path, [])
        if term not in known and not any(_within(term, other) for other in known):
            known[:] = [*(other for other in known if not _within(other, term)), term]

    def may(self, path: str, hole: Hole) -> bool:
        """Whether a hole can change what else is asked."""
        if path.startswith("vars."):
            return path.split(".")[1] in self.names or _holds(hole) or self.shapes
        last = path.rpartition(".")[2]
        return (
            last in {"repeat", "when"}
            or ".repeat." in path
            or _holds(hole)
            or (self.shapes and path.startswith("model."))
        )

    def draw(self, rng: random.Random) -> dict[str, Value]:
        """Choices at random for all holes that may decide."""
        chosen: dict[str, Value] = {}
        while True:
            found = self.reach(chosen)
            fresh = [(path, hole) for path, hole in found.holes.items() if path not in chosen and self.may(path, hole)]
            if not fresh or found.problems:
                return chosen
            chosen |= {path: rng.choice(tried(hole)) for path, hole in fresh}

    def compare(self, chosen: dict[str, Value]) -> None:
        """Look around choices that bring a hole which was not foretold."""
        found = self.reach(chosen)
        if found.problems:
            return
        full = {**{path: value(hole) for path, hole in found.holes.items()}, **chosen}
        if any(not Dim(p, h, tuple(self.terms.get(p, ()))).there(full) for p, h in found.holes.items()):
            self.around(chosen)

    def broken(self) -> Iterator[tuple[Choices, Problem]]:
        """The smallest choices that cannot be built, each problem once."""
        seen: set[tuple[str, str]] = set()
        for chosen, found in sorted(self.known.items(), key=lambda item: len(item[0])):
            for problem in found.problems:
                if (problem.code, problem.path or problem.message) not in seen:
                    seen.add((problem.code, problem.path or problem.message))
                    yield dict(sorted(chosen)), problem


def reached(spec: Spec, chosen: Choices, header: Header | None = None) -> Reached:
    """The holes that the network of these choices comes upon; one that is not chosen takes its default."""
    holes: dict[str, Hole] = {}

    def choose(path: str, hole: Hole) -> Node:
        holes.setdefault(path, hole)
        return pick(hole, chosen[path]) if path in chosen else hole.default

    try:
        made = refilled(spec, choose)
    except SpecError as error:
        return Reached(holes, tuple(problem for problem in error.problems if problem.severity == "error"))
    problems: tuple[Problem, ...] = ()
    try:
        expand(made, header)
    except SpecError as error:
        problems = tuple(problem for problem in error.problems if problem.severity == "error")
    return Reached({path: hole for path, hole in holes.items() if made.scope.reached(path)}, problems)


def refilled(spec: Spec, choose: Choose) -> Spec:
    """The same spec with other choices for its holes. Raises SpecError."""
    return parse(spec.node, spec.name, spec.home, spec.sources, spec.data_roots, spec.trust, choose)


def _within(narrow: Condition, wide: Condition) -> bool:
    """Whether `wide` holds wherever `narrow` does."""
    return all(path in narrow and narrow[path] <= values for path, values in wide.items())


def _ordered(dims: Mapping[str, Dim]) -> Iterator[Dim]:
    """Those first that decide over others."""
    done: set[str] = set()

    def settle(dim: Dim) -> Iterator[Dim]:
        if dim.path in done:
            return
        done.add(dim.path)
        for parent in (path for condition in dim.when for path in condition):
            yield from settle(dims[parent])
        yield dim

    for dim in dims.values():
        yield from settle(dim)


def _count(dim: Dim, dims: tuple[Dim, ...]) -> float:
    """The values of a hole, each times what it decides over."""
    options = values(dim.hole)
    if options is None:
        return math.inf
    # one that decides over another stands before it, so the last of those that a hole needs is the nearest
    order = {other.path: at for at, other in enumerate(dims)}
    last = [(other, {max(term, key=order.__getitem__) for term in other.when if term}) for other in dims]
    below = [other for other, parents in last if dim.path in parents]
    if not below:
        return len(options)
    return sum(
        math.prod(_count(other, dims) for other in below if _allows(other, dim.path, option)) for option in options
    )


def _allows(dim: Dim, path: str, option: Value) -> bool:
    return any(option in term.get(path, ()) for term in dim.when)


def _shape(hole: Hole) -> tuple[object, ...]:
    return hole.kind, tuple(hole.options), hole.low, hole.high, hole.step, hole.sampling


def _holds(hole: Hole) -> bool:
    """Whether an option is more than a plain value, or may stand in place of an entry."""
    return any(not isinstance(option, Scalar) or isinstance(option.value, str) for option in hole.options.values())


def _structural(node: Node) -> frozenset[str]:
    """The variables that a `repeat` or a `when` uses, and those that they are made of."""
    written = node.get("vars") if isinstance(node, MappingNode) else None
    made = {str(k.value): used(v) for k, v in written.pairs} if isinstance(written, MappingNode) else {}
    found: set[str] = set()
    more = set().union(*(used(item) for key, item in _pairs(node) if key in ("repeat", "when")))
    while more - found:
        found |= more
        more = set().union(*(made.get(name, frozenset()) for name in found))
    return frozenset(found)


def _open(node: Node) -> Iterator[Node]:
    """The holes whose own ends, step or default hold variables."""
    kinds = ("$int", "$float", "step", "default")
    for _, item in _pairs(node):
        inside = item.pairs if isinstance(item, MappingNode) and is_hole(item) else ()
        if any(used(inner) for key, inner in inside if key.value in kinds):
            yield item


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """Every key with its value, and every item of a list, however deep."""
    inside = node.pairs if isinstance(node, MappingNode) else ()
    items = node.items if isinstance(node, Sequence) else ()
    for key, item in (*((str(key.value), item) for key, item in inside), *(("", item) for item in items)):
        yield key, item
        yield from _pairs(item)
