"""A family of Keras objects → the strings that Keras takes for them, from the tables in the family's own source."""

import ast
from collections.abc import Iterator, Mapping

from kbuild.spec.names import snake_case
from kbuild.spec.python_source import Definition, Module, definition, dotted_name, module, resolve

FAMILIES = frozenset({"activations", "optimizers", "losses", "metrics", "initializers", "regularizers", "constraints"})
_TABLE = "ALL_OBJECTS"
_STRINGS = "ALL_OBJECTS_DICT"


def table(family: str) -> Mapping[str, Definition]:
    """String → the class or function it stands for; empty for a family without strings.

    Args:
        family: the folder of `keras.src`: `losses`, `initializers`.
    """
    where = module(f"keras.src.{family}") if family in FAMILIES else None
    if where is None:
        return {}
    found: dict[str, Definition] = {}
    objects = list(_objects(where))
    for node in where.assigned(_STRINGS):
        for key, name in _entries(node, objects):
            target = resolve(where, name)
            if target is not None:
                found[key] = target
                if key != target.name and key == target.name.lower():
                    # A table of small letters only is one that Keras asks with the name in small letters.
                    found[target.name] = target
    return found


def compiled(family: str) -> frozenset[str]:
    """The strings that `compile` itself resolves by the shapes it sees: `accuracy` for metrics, `ce` for losses, …."""
    function = {"metrics": "get_metric", "losses": "get_loss"}.get(family)
    where = module("keras.src.trainers.compile_utils")
    found = definition(where, function) if where and function else None
    if found is None:
        return frozenset()
    return frozenset(
        str(item.value)
        for test in ast.walk(found.node)
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn | ast.In)
        for item in ast.walk(test.comparators[0])
        if isinstance(item, ast.Constant)
    )


def _objects(where: Module) -> Iterator[str]:
    for node in where.assigned(_TABLE):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Set | ast.List | ast.Tuple):
            yield from (name for item in node.value.elts if (name := dotted_name(item)))


def _entries(node: ast.AST, objects: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs (string, name of the object) that one statement puts into the table."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        index, name = node.targets[0].slice, dotted_name(node.value)
        if isinstance(index, ast.Constant) and name:
            yield str(index.value), name
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            for key, item in zip(part.keys, part.values, strict=True):
                name = dotted_name(item)
                if isinstance(key, ast.Constant) and name:
                    yield str(key.value), name
        elif isinstance(part, ast.DictComp):
            yield from ((_key(part.key, name), name) for name in objects)


def _key(node: ast.expr, name: str) -> str:
    """What a comprehension's key, `cls.__name__` inside `lower()` or `to_snake_case(…)`, is for the object `name`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lower":
        return _key(node.func.value, name).lower()
    if isinstance(node, ast.Call) and node.args:
        return snake_case(_key(node.args[0], name))
    return name.rpartition(".")[2]
