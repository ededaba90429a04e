"""(Node, Scope) → Node with nothing left open: variables, expressions and holes give way to what they stand for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kbuild.spec import expression
from kbuild.spec.expression import UNKNOWN, ExpressionError
from kbuild.spec.hole import KINDS, Choose, default, hole, is_hole
from kbuild.spec.names import SIBLINGS, suggestion
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, node, plain
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span

CIRCLE = 20
"""Names of a circle that are told."""
_VARIABLE = re.compile(r"\$([a-z][a-z0-9_]*)\Z")
_PIECES = re.compile(r"\$\$|\$\{([^{}]*)\}")


@dataclass(slots=True)
class Reads:
    """Which of `vars` something has read.

    Args:
        values: name → value.
        made_of: name → what was read to make its value.
    """

    values: Mapping[str, Node] = field(default_factory=dict)
    made_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add(self, name: str, value: Node | None) -> None:
        """A name was read, and this is what it means there: one of `vars`, unless an inner name hides it."""
        if name not in self.names and value is not None and self.values.get(name) is value:
            self.names.add(name)
            for other in self.made_of.get(name, ()):
                self.add(other, self.values.get(other))


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names after a `$` mean at one place.

    Args:
        bound: name → value, evaluated; inner names hide outer ones.
        shape: of the enclosing block's input, without the batch axis; None where it is not known.
        has_shape: whether `$input_shape` means anything here.
        choose: what to take for a hole.
        path: of this place, expanded, dotted; holes are named by it.
        reads: which of `vars` were read so far, here or at another place.
    """

    bound: Mapping[str, Node] = field(default_factory=dict)
    shape: tuple[int | None, ...] | None = None
    has_shape: bool = False
    choose: Choose = default
    path: str = ""
    reads: Reads = field(default_factory=Reads, compare=False, repr=False)

    def bind(self, names: Mapping[str, Node]) -> "Scope":
        """The same place with more names."""
        return replace(self, bound={**self.bound, **names})

    def at(self, key: str) -> "Scope":
        """A place below this one."""
        return replace(self, path=f"{self.path}.{key}" if self.path else key)

    def reached(self, path: str) -> bool:
        """Whether something came upon a hole, rather than upon a variable that is there for what was not chosen."""
        top, _, rest = path.partition(".")
        return top != "vars" or rest.partition(".")[0] in self.reads.names

    @property
    def names(self) -> frozenset[str]:
        """All names that mean something here."""
        return frozenset(self.bound) | ({"input_shape"} if self.has_shape else frozenset())


def is_open(value: Node) -> bool:
    """Whether a node is a variable, an expression or a hole: nothing can be said of it before it is evaluated."""
    if is_hole(value):
        return True
    return isinstance(value, Scalar) and isinstance(value.value, str) and "$" in value.value.replace("$$", "")


def evaluate(value: Node, scope: Scope) -> Node:
    """`value` with nothing left open.

    Raises:
        SpecError: K120 for a variable that is not there, K121 for an expression that is wrong, K131 for a hole that is.
    """
    match value:
        case Scalar(value=str() as text) if "$" in text:
            return _text(text, value.span, scope)
        case Scalar():
            return value
        case Sequence():
            return Sequence(tuple(evaluate(item, scope.at(str(i))) for i, item in enumerate(value.items)), value.span)
        case MappingNode() if is_hole(value):
            return evaluate(chosen(value, scope), scope)
        case MappingNode():
            pairs = tuple((_key(key, scope), evaluate(item, scope.at(str(key.value)))) for key, item in value.pairs)
            return MappingNode(pairs, value.span)


def chosen(value: MappingNode, scope: Scope) -> Node:
    """What stands in a hole's place, not yet evaluated itself. An option that is a hole is named by its label."""
    pairs = tuple(
        (key, item if key.value == "$choice" else evaluate(item, scope))
        for key, item in value.pairs
        if key.value in KINDS or key.value not in SIBLINGS
    )
    found = hole(MappingNode(pairs, value.span), frozenset(SIBLINGS))
    option = scope.choose(scope.path, found)
    label = next((label for label, other in found.options.items() if other is option), None)
    if label is None or not isinstance(option, MappingNode) or not is_hole(option) or set(option.keys) & set(SIBLINGS):
        return option
    return chosen(option, scope.at(label))


def variables(variables: MappingNode | None, choose: Choose) -> Scope:
    """The outermost scope: `vars`, which may use each other in any order.

    Raises:
        SpecError: K123 for variables that need each other, and what `evaluate` raises.
    """
    written = {str(key.value): value for key, value in variables.pairs} if variables else {}
    done: dict[str, Node] = {}
    made_of: dict[str, frozenset[str]] = {}
    problems: list[Problem] = []

    failed: set[str] = set()

    def settle(name: str) -> None:
        """Evaluate what `name` needs, then `name`: a stack, because a line of variables may be longer than Python's."""
        waiting = {name: iter(sorted(used(written[name])))}
        try:
            while waiting:
                here, others = next(reversed(waiting.items()))
                other = next(others, None)
                if other is None:
                    reads = Reads(done)
                    done[here] = evaluate(written[here], Scope(done, choose=choose, path=f"vars.{here}", reads=reads))
                    made_of[here] = frozenset(reads.names)
                    del waiting[here]
                elif other in waiting:
                    names = list(waiting)
                    circle = " → ".join((*names[names.index(other) :][:CIRCLE], other))
                    raise mistake("K123", f"variables need each other: {circle}", written[other].span)
                elif other in failed:
                    failed.update(waiting)
                    return
                elif other in written and other not in done:
                    waiting[other] = iter(sorted(used(written[other])))
        except SpecError as error:
            problems.extend(error.problems)
            failed.update(waiting)

    for name in written:
        if name not in done and name not in failed:
            settle(name)
    if problems:
        raise SpecError(problems)
    return Scope(done, choose=choose, reads=Reads(done, made_of))


def used(value: Node) -> frozenset[str]:
    """The names of all variables in `value`."""
    match value:
        case Scalar(value=str() as text) if "$" in text:
            whole = _VARIABLE.match(text)
            if whole:
                return frozenset({whole[1]})
            return frozenset().union(*(expression.names(m[1]) for m in _PIECES.finditer(text) if m[1] is not None))
        case Sequence():
            return frozenset().union(*(used(item) for item in value.items))
        case MappingNode():
            keys = (used(key) for key, _ in value.pairs if key.value not in KINDS)
            return frozenset().union(*keys, *(used(item) for _, item in value.pairs))
    return frozenset()


def _key(key: Scalar, scope: Scope) -> Scalar:
    text = str(key.value)
    return key if "$" not in text or text in KINDS else _string(evaluate(key, scope), key)


def _string(value: Node, key: Scalar) -> Scalar:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return Scalar(value.value, key.span)
    raise mistake("K120", f"`{key.value}` stands where a name is wanted, and is `{brief(value)}`", key.span)


def _text(text: str, span: Span, scope: Scope) -> Node:
    whole = _VARIABLE.match(text)
    if whole:
        return _lookup(whole[1], span, scope)
    alone = _PIECES.fullmatch(text)
    if alone and alone[1] is not None:
        return _computed(alone[1], span, scope)
    if text.startswith("$") and not _PIECES.match(text):
        raise mistake(
            "K121",
            f"`{text}` begins with `$` and is no variable",
            span,
            help="a variable is `$name`, an expression `${…}`, a literal dollar `$$`",
        )

    def piece(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return _written(plain(_computed(match[1], span, scope)))

    return Scalar(_PIECES.sub(piece, text), span)


def _written(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _lookup(name: str, span: Span, scope: Scope) -> Node:
    if name in scope.bound:
        scope.reads.add(name, scope.bound[name])
        return scope.bound[name]
    if name == "input_shape" and scope.has_shape:
        if scope.shape is None or None in scope.shape:
            raise mistake("K124", "`$input_shape` is not known here", span, help=_SHAPE_HELP)
        return node(list(scope.shape), span)
    raise mistake(
        "K120",
        f"there is no variable `{name}` here",
        span,
        help=suggestion(name, scope.names, "declare it under `vars`"),
    )


_SHAPE_HELP = "give the sizes in `model.inputs`, or write the number"


def _computed(text: str, span: Span, scope: Scope) -> Node:
    unknown = False
    # all of them, those too that a condition inside leaves out: what is not chosen is seen in holes only
    for name in expression.names(text):
        scope.reads.add(name, scope.bound.get(name))

    def lookup(name: str) -> Any:
        nonlocal unknown
        if name == "input_shape" and name not in scope.bound and scope.has_shape:
            unknown = scope.shape is None or None in scope.shape
            return UNKNOWN if scope.shape is None else [UNKNOWN if size is None else size for size in scope.shape]
        if name not in scope.bound:
            close = suggestion(name, scope.names)
            raise ExpressionError(f"there is no variable `{name}` here" + (f"; {close}" if close else ""))
        return plain(scope.bound[name])

    try:
        result = expression.evaluate(text, lookup)
    except ExpressionError as error:
        shape = unknown and "not known" in str(error)
        raise mistake(
            "K124" if shape else "K121", f"`${{{text}}}`: {error}", span, help=_SHAPE_HELP if shape else None
        ) from None
    if result is UNKNOWN or (isinstance(result, list) and UNKNOWN in result):
        raise mistake("K124", f"`${{{text}}}` is a size that is not known here", span, help=_SHAPE_HELP)
    return node(result, span)
