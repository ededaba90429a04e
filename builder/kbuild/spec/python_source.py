"""Python files → the classes and functions written in them, found by name and by import. Reads text, never imports."""

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path

_STATEMENT = re.compile(r"^[^\W\d]|^@", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_IMPORT = re.compile(r"^(?:from|import)\b", re.MULTILINE)
# A module that re-exports a name from itself would otherwise be followed for ever.
_DEPTH = 12


@dataclass(frozen=True, eq=False)
class Module:
    """A Python file, parsed no further than was asked."""

    name: str
    path: Path
    text: str

    @cached_property
    def imports(self) -> Mapping[str, tuple[str, str | None]]:
        """What the unindented imports bind: local name → (module, name in it, or None for the module itself)."""
        bound: dict[str, tuple[str, str | None]] = {}
        for start in _IMPORT.finditer(self.text):
            node = _statement(self.text, start.start())
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    bound[alias.asname or alias.name] = (node.module, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.split(".")[0]
                    bound[alias.asname or top] = (alias.name if alias.asname else top, None)
        return bound

    @cached_property
    def starts(self) -> Mapping[str, int]:
        """Where the unindented classes and functions begin; of several of a name the last, as in Python."""
        return {found[1]: found.start() for found in _DEFINITION.finditer(self.text)}

    def assigned(self, name: str) -> Iterator[ast.AST]:
        """The unindented statements that begin with `name`: assignments to it, calls of its methods."""
        for start in re.finditer(rf"^{re.escape(name)}\b", self.text, re.MULTILINE):
            node = _statement(self.text, start.start())
            if node is not None:
                yield node


@dataclass(frozen=True, eq=False)
class Definition:
    """A class or function, and the file whose names it uses."""

    module: Module
    node: ast.ClassDef | ast.FunctionDef

    @property
    def name(self) -> str:
        """Its `__name__`, whatever name it is published by."""
        return self.node.name

    def method(self, name: str) -> ast.FunctionDef | None:
        """The method that this very class defines."""
        found = [node for node in self.node.body if isinstance(node, ast.FunctionDef) and node.name == name]
        return found[-1] if found else None


@cache
def module(name: str) -> Module | None:
    """The module of that dotted name, if it is Python source that is installed."""
    path = _path(name)
    if path is None:
        return None
    try:
        return Module(name, path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


@cache
def definition(where: Module, name: str) -> Definition | None:
    """The class or function that the unindented code of a file itself defines."""
    start = where.starts.get(name)
    node = None if start is None else _statement(where.text, start)
    return Definition(where, node) if isinstance(node, ast.ClassDef | ast.FunctionDef) else None


def resolve(where: Module, dotted: str, depth: int = 0) -> Definition | None:
    """What a name, or a chain of attributes, means in a file; None if it is nothing that can be read.

    Args:
        dotted: `Layer`, `layers.Layer`, `keras.layers.Layer`.
    """
    first, _, rest = dotted.partition(".")
    if not rest and (found := definition(where, first)):
        return found
    if first not in where.imports or depth > _DEPTH:
        return None
    name, attribute = where.imports[first]
    if attribute is None:
        target, rest = _nearest(name, rest)
    elif rest:
        target = module(f"{name}.{attribute}") or module(name)
        rest = rest if target and target.name != name else f"{attribute}.{rest}"
    else:
        target, rest = module(name), attribute
    return resolve(target, rest, depth + 1) if target and rest else None


@cache
def lineage(start: Definition) -> tuple[Definition, ...]:
    """A class and its bases as Python would ask them in turn (C3), without those that cannot be read."""
    lines = [list(lineage(base)) for base in _bases(start)]
    lines.append([line[0] for line in lines])
    order = [start]
    while lines := [line for line in lines if line]:
        free = [line[0] for line in lines if not any(line[0] in other[1:] for other in lines)]
        chosen = (free or lines[0])[0]
        order.append(chosen)
        lines = [[entry for entry in line if entry is not chosen] for line in lines]
    return tuple(order)


def unread(start: Definition) -> bool:
    """Whether a class has bases of which nothing can be read."""
    if not isinstance(start.node, ast.ClassDef):
        return False
    return len(_bases(start)) < sum(dotted_name(base) != "object" for base in start.node.bases)


def dotted_name(node: ast.AST) -> str | None:
    """`a.b.c` for the expression of that form; None for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted_name(node.value)):
        return f"{left}.{node.attr}"
    return None


def _bases(start: Definition) -> list[Definition]:
    if not isinstance(start.node, ast.ClassDef):
        return []
    names = [dotted_name(base) for base in start.node.bases]
    found = [resolve(start.module, name) for name in names if name]
    return [base for base in found if base and base is not start and isinstance(base.node, ast.ClassDef)]


def _nearest(name: str, rest: str) -> tuple[Module | None, str]:
    """The first of `a`, `a.b`, … that can be read, and what is left of the chain: `tf` cannot, `tf.keras` can."""
    while not (found := module(name)) and "." in rest:
        head, _, rest = rest.partition(".")
        name = f"{name}.{head}"
    return found, rest


def _path(name: str) -> Path | None:
    top, *rest = name.removeprefix("tensorflow.").split(".")
    root = _root(top)
    if root is None:
        return None
    inside = root.joinpath(*rest)
    for path in (inside / "__init__.py", inside.with_name(f"{inside.name}.py") if rest else inside):
        if path.is_file():
            return path
    return None


@cache
def _root(top: str) -> Path | None:
    # Only what holds Keras objects is followed. To find a top-level package does not import it.
    if top == "kbuild":
        return Path(__file__).parents[1]
    if top not in {"keras", "keras_tuner"}:
        return None
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _statement(text: str, start: int) -> ast.stmt | None:
    """The statement that starts there: as little of the text as parses (a whole file of `keras.ops` takes 0.1 s)."""
    for end in chain((match.start() for match in _STATEMENT.finditer(text, start + 1)), (len(text),)):
        try:
            body = ast.parse(text[start:end]).body
        except (SyntaxError, ValueError, RecursionError):
            continue
        return body[0] if body else None
    return None
