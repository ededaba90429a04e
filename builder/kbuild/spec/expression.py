"""Text of a `${…}` → value.

Arithmetic, comparison and a few functions, walked over the syntax tree: nothing is ever executed.
"""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

Result = None | bool | int | float | str | list[Any] | dict[str, Any]
"""Scalars, lists, maps, and whatever a name is bound to (a call may be a block's parameter)."""

WORDS = frozenset({"and", "or", "not", "if", "else", "true", "false", "null", "in", "is"})
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
    "sum": sum,
    "len": len,
}

_LONGEST = 500
_LARGEST = 10**18
_CONSTANTS = {"true": True, "false": False, "null": None}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(Exception):
    """The expression is wrong; the text says why. The caller knows where it stands and makes a Problem of it."""


class UnknownSize:
    """A size of a tensor that is not known when the network is expanded. It may be handed on, never computed with."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = UnknownSize()


def evaluate(text: str, lookup: Callable[[str], Result]) -> Result:
    """The value of `text`, what stands between `${` and `}`.

    Args:
        text: at most 500 characters.
        lookup: name → value; raises `LookupError` for a name that is not known.

    Raises:
        ExpressionError: for whatever is wrong with it, division by zero included.
    """
    return _value(_parse(text), lookup)


def names(text: str) -> frozenset[str]:
    """The variables that an expression uses; none if it cannot be read."""
    try:
        tree = _parse(text)
    except ExpressionError:
        return frozenset()
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id not in _CONSTANTS and id(node) not in called
    )


def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ExpressionError(f"an expression has at most {_LONGEST} characters, this one has {len(text)}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"`{text.strip()}` is no expression: {getattr(error, 'msg', error)}") from None


def _value(node: ast.expr, lookup: Callable[[str], Result]) -> Result:
    match node:
        case ast.Constant(value=bool() | None):
            raise ExpressionError("write `true`, `false` and `null` in an expression")
        case ast.Constant(value=int() | float() | str() as constant):
            return _bounded(constant)
        case ast.Name(id=name):
            return _CONSTANTS[name] if name in _CONSTANTS else _looked_up(name, lookup)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, lookup) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(_value(operand, lookup))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _apply(operator.neg, "-", _value(operand, lookup))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _apply(operator.pos, "+", _value(operand, lookup))
        case ast.BoolOp(op=op, values=values):
            wanted = isinstance(op, ast.Or)
            return wanted if any(_truth(_value(item, lookup)) is wanted for item in values) else not wanted
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _arithmetic(op, _value(left, lookup), _value(right, lookup))
        case ast.Compare():
            return _compare(node, lookup)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _truth(_value(test, lookup)) else orelse, lookup)
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
            return _item(_value(value, lookup), _value(index, lookup))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _apply(FUNCTIONS[name], name, *(_value(arg, lookup) for arg in args))
        case ast.Call(func=ast.Name(id=name)):
            raise ExpressionError(f"there is no function `{name}`; there are {', '.join(sorted(FUNCTIONS))}")
    raise ExpressionError(f"`{ast.unparse(node)}` is not allowed in an expression")


def _looked_up(name: str, lookup: Callable[[str], Result]) -> Result:
    try:
        return lookup(name)
    except LookupError:
        raise ExpressionError(f"there is no variable `{name}` here") from None


def _compare(node: ast.Compare, lookup: Callable[[str], Result]) -> bool:
    left = _value(node.left, lookup)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, lookup)
        if type(op) not in _COMPARE:
            raise ExpressionError(f"`{ast.unparse(node)}` is not allowed in an expression")
        if not _apply(_COMPARE[type(op)], "comparison", left, right):
            return False
        left = right
    return True


def _truth(value: Result) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"a condition is `true` or `false`, not `{value}`; write a comparison")
    return value


def _item(value: Result, index: Result) -> Result:
    if value is UNKNOWN:
        raise ExpressionError("it needs a size that is not known when the network is expanded")
    if not isinstance(value, list) or not isinstance(index, int) or isinstance(index, bool):
        raise ExpressionError(f"only a list has items, by an integer; got `{value}` and `{index}`")
    if not -len(value) <= index < len(value):
        raise ExpressionError(f"the list has {len(value)} items, there is no item {index}")
    return value[index]


def _arithmetic(op: ast.operator, left: Result, right: Result) -> Result:
    if isinstance(op, ast.Add) and isinstance(left, list) and isinstance(right, list):
        return left + right
    for side in (left, right):
        if isinstance(side, bool) or not isinstance(side, int | float | UnknownSize):
            raise ExpressionError(f"`{side}` is not a number")
    if isinstance(op, ast.Pow) and isinstance(right, int | float) and abs(right) > 64:
        raise ExpressionError(f"a power is at most 64, not {right}")
    return _apply(_BINARY[type(op)], "arithmetic", left, right)


def _apply(function: Callable[..., Any], name: str, *values: Result) -> Result:
    if any(_unknown(value) for value in values) and name != "len":
        raise ExpressionError("it needs a size that is not known when the network is expanded")
    try:
        result = function(*values)
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ExpressionError(f"{name}: {error}") from None
    if isinstance(result, complex):
        raise ExpressionError(f"{name}: the result is not a real number")
    return _bounded(result)


def _unknown(value: Result | UnknownSize) -> bool:
    return value is UNKNOWN or (isinstance(value, list) and any(_unknown(item) for item in value))


def _bounded(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) <= _LARGEST:
        raise ExpressionError(f"a number is at most {_LARGEST:.0e}")
    if isinstance(value, list) and len(value) > 10_000:
        raise ExpressionError("a list has at most 10,000 items")
    return value
