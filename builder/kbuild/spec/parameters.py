"""Source of a class or function → the parameters that it takes, with those that reach a base through `**kwargs`."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kbuild.spec.python_source import Definition, dotted_name, unread


class Unparsed(str):
    """A default that is no literal, as its source text: `backend.floatx()`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Args:
        default: its literal value, or `Unparsed` source text; None if the parameter is required.
    """

    name: str
    required: bool
    default: object = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What can be given to a function or constructor.

    Args:
        positional: can be given by position, in this order, and by name.
        named: can be given by name only.
        rest: the name of a `*parameter` that takes any number of further values; empty if there is none.
        open: takes names that it does not know.
    """

    positional: tuple[Parameter, ...] = ()
    named: tuple[Parameter, ...] = ()
    rest: str = ""
    open: bool = False


def of_constructor(lineage: Sequence[Definition], start: int = 0) -> Accepted:
    """What the constructor of a class takes.

    Args:
        lineage: the class and its bases, in the order in which Python asks them.
        start: the first of them that is asked.
    """
    for index in range(start, len(lineage)):
        init = lineage[index].method("__init__")
        if init is None:
            continue
        own = of_function(init, method=True)
        call, following = _forwarding(init, lineage, index)
        if call is None:
            return own
        base = of_constructor(lineage, following) if following else Accepted(open=True)
        return _joined(own, init, call, base)
    # What cannot be read may take anything.
    return Accepted(open=any(unread(entry) for entry in lineage))


def of_function(node: ast.FunctionDef, *, method: bool = False) -> Accepted:
    """What one function takes by itself: its parameters and what it pops off its `**kwargs`."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults = [*[None] * (len(positional) - len(args.defaults)), *args.defaults]
    by_position = [_parameter(arg.arg, default) for arg, default in zip(positional, defaults, strict=True)]
    by_name = [_parameter(arg.arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    rest = args.vararg.arg if args.vararg else ""
    kwargs = args.kwarg.arg if args.kwarg else None
    popped = tuple(_popped(node, kwargs)) if kwargs else ()
    is_open = kwargs is not None and _uses(node, kwargs) and not _refuses(node, kwargs)
    return Accepted(tuple(by_position[1 if method else 0 :]), (*by_name, *popped), rest, is_open)


def value(text: str) -> object:
    """The literal that a default's source text stands for, or the text itself as `Unparsed`."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return Unparsed(text)


def _parameter(name: str, default: ast.expr | None) -> Parameter:
    if default is None:
        return Parameter(name, True)
    try:
        return Parameter(name, False, ast.literal_eval(default))
    except (ValueError, TypeError):
        return Parameter(name, False, Unparsed(ast.unparse(default)))


def _joined(own: Accepted, init: ast.FunctionDef, call: ast.Call, base: Accepted) -> Accepted:
    """Add to what a constructor takes itself what it hands on, less what it fixes for its base."""
    starred = any(isinstance(arg, ast.Starred) for arg in call.args)
    kwargs = init.args.kwarg.arg if init.args.kwarg else None
    spread = any(key.arg is None and dotted_name(key.value) == kwargs for key in call.keywords)
    by_hand = len(call.args) - starred
    known = {parameter.name for parameter in (*own.positional, *own.named)}
    known |= {parameter.name for parameter in base.positional[:by_hand]} | {key.arg or "" for key in call.keywords}
    by_position = tuple(p for p in base.positional[by_hand:] if p.name not in known) if starred else ()
    by_name: tuple[Parameter, ...] = ()
    if spread:
        taken = known | {parameter.name for parameter in by_position}
        by_name = tuple(p for p in (*base.positional, *base.named) if p.name not in taken)
    return Accepted(
        positional=own.positional + by_position,
        named=own.named + by_name,
        rest=base.rest if starred else own.rest,
        open=base.open if spread else own.open,
    )


def _forwarding(init: ast.FunctionDef, lineage: Sequence[Definition], index: int) -> tuple[ast.Call | None, int]:
    """The call that hands `*args` or `**kwargs` on to a base's constructor, and that base's place (0: unreadable)."""
    names = {arg.arg for arg in (init.args.vararg, init.args.kwarg) if arg}
    for call in (node for node in _nodes(init) if isinstance(node, ast.Call)):
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"):
            continue
        given = [arg.value for arg in call.args if isinstance(arg, ast.Starred)]
        given += [key.value for key in call.keywords if key.arg is None]
        if not any(isinstance(node, ast.Name) and node.id in names for node in given):
            continue
        target = call.func.value
        if isinstance(target, ast.Call) and dotted_name(target.func) == "super":
            return call, index + 1
        base = (dotted_name(target) or "").rpartition(".")[2]
        place = next((i for i, entry in enumerate(lineage) if entry.name == base), 0)
        # `Base.__init__(self, …)`: self is no argument.
        return ast.Call(call.func, call.args[1:], call.keywords), place
    return None, 0


def _popped(node: ast.FunctionDef, kwargs: str) -> Iterator[Parameter]:
    """What a function takes off its `**kwargs` and uses; not what it pops to complain or to throw it away."""
    thrown = {id(statement.value) for statement in _nodes(node) if isinstance(statement, ast.Expr)}
    calls = list(_calls(node, kwargs, "pop"))
    complaints = _complaints(node) if calls else ""
    for call in calls:
        if id(call) in thrown or not call.args or not isinstance(call.args[0], ast.Constant):
            continue
        name = str(call.args[0].value)
        if re.search(rf"[`']{re.escape(name)}\b", complaints):
            continue
        if len(call.args) == 1 and any(_asks(part, name, kwargs) for part in _nodes(node)):
            yield Parameter(name, False)
        else:
            yield _parameter(name, call.args[1] if len(call.args) > 1 else None)


def _complaints(node: ast.FunctionDef) -> str:
    said: list[str] = []
    for part in _nodes(node):
        warns = isinstance(part, ast.Call) and (dotted_name(part.func) or "").rpartition(".")[2] == "warn"
        if warns or isinstance(part, ast.Raise):
            said += [n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return "\n".join(said)


def _calls(node: ast.FunctionDef, owner: str, method: str) -> Iterator[ast.Call]:
    for part in _nodes(node):
        if isinstance(part, ast.Call) and dotted_name(part.func) == f"{owner}.{method}":
            yield part


def _refuses(node: ast.FunctionDef, kwargs: str) -> bool:
    """Whether a function raises when something is left in its `**kwargs`."""
    return any(
        isinstance(part, ast.If)
        and any(isinstance(name, ast.Name) and name.id == kwargs for name in _tested(part.test))
        and any(isinstance(inner, ast.Raise) for inner in ast.walk(part))
        for part in _nodes(node)
    )


def _tested(test: ast.expr) -> list[ast.expr]:
    if isinstance(test, ast.BoolOp):
        return test.values
    if isinstance(test, ast.Call) and dotted_name(test.func) == "len":
        return test.args
    return [test.left.args[0]] if isinstance(test, ast.Compare) and _is_len(test.left) else [test]  # type: ignore[union-attr]


def _is_len(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted_name(node.func) == "len" and bool(node.args)


def _asks(node: ast.AST, name: str | None, kwargs: str) -> bool:
    """Whether this is `"name" in kwargs`, of any name if it is None."""
    if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn)):
        return False
    named = name is None or (isinstance(node.left, ast.Constant) and node.left.value == name)
    return named and dotted_name(node.comparators[0]) == kwargs


def _uses(node: ast.FunctionDef, kwargs: str) -> bool:
    """Whether unknown names have any effect: the function does more with its `**kwargs` than look for names in it."""
    read = sum(isinstance(part, ast.Name) and part.id == kwargs for part in _nodes(node))
    asked = sum(1 for method in ("pop", "get") for _ in _calls(node, kwargs, method))
    asked += sum(_asks(part, None, kwargs) for part in _nodes(node))
    return read > asked


@cache
def _nodes(node: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(node))
