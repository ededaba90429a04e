"""Name → Signature: what can be called and with which arguments, read from the source of the installed Keras."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kbuild.spec import docstring, parameters, signature_cache
from kbuild.spec import identifiers as tables
from kbuild.spec.parameters import Accepted as Accepted
from kbuild.spec.parameters import Parameter as Parameter
from kbuild.spec.parameters import Unparsed as Unparsed
from kbuild.spec.python_source import Definition, Module, definition, dotted_name, lineage, module, resolve, unread
from kbuild.text.problem import Problem, SpecError

NAMESPACES: Mapping[str, tuple[str, ...]] = {
    "layers": ("kbuild.model.layers", "keras.layers"),
    "ops": ("keras.ops",),
    "applications": ("keras.applications",),
    "activations": ("keras.activations",),
    "optimizers": ("kbuild.model.optimizers", "keras.optimizers"),
    "schedules": ("keras.optimizers.schedules",),
    "losses": ("keras.losses",),
    "metrics": ("keras.metrics",),
    "callbacks": ("keras.callbacks",),
    "initializers": ("keras.initializers",),
    "regularizers": ("keras.regularizers",),
    "constraints": ("keras.constraints",),
    "oracles": ("keras_tuner.oracles",),
}
"""Namespace → the packages that publish its names; the first that has a name wins."""
FUNCTIONS = frozenset({"ops", "activations"})
LOADERS = frozenset({"get", "serialize", "deserialize"})
"""Public in these namespaces, but they turn strings and configs into objects: no calls."""
_FAMILIES: Mapping[str, tuple[str, str | None]] = {
    "layers": ("Layer", "call"),
    "optimizers": ("Optimizer", None),
    "schedules": ("LearningRateSchedule", "__call__"),
    "losses": ("Loss", "call"),
    "metrics": ("Metric", "update_state"),
    "callbacks": ("Callback", None),
    "initializers": ("Initializer", "__call__"),
    "regularizers": ("Regularizer", "__call__"),
    "constraints": ("Constraint", "__call__"),
    "oracles": ("Oracle", "populate_space"),
}
# KerasTuner publishes `RandomSearchOracle`; a spec says what users of KerasTuner know: `RandomSearch`.
_SUFFIX = {"oracles": "Oracle"}
_Line = tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What can be called by one public name.

    Args:
        parameters: of the constructor (without self) or the function, in the order in which they can be given by
            position; with those that reach a base through `**kwargs`, without those that a class fixes for its base.
        positional: so many of them can be given by position; the others by name only.
        rest: the name of a `*parameter` that takes any number of further values; empty if there is none.
        open: takes names that it does not know.
        call: of a layer, the parameters of its `call`, without self.
        bases: the names of all base classes, public or not, in the order in which Python asks them.
        abstract: serves to derive from, or is no object of its family, and cannot be an entry.
        doc: the first line of the docstring.
        documented: argument → its description in one line.
    """

    namespace: str
    name: str
    parameters: tuple[Parameter, ...]
    open: bool = False
    call: tuple[Parameter, ...] = ()
    bases: tuple[str, ...] = ()
    abstract: bool = False
    is_class: bool = True
    doc: str = ""
    documented: Mapping[str, str] = field(default_factory=dict)
    positional: int = 0
    rest: str = ""


def keras_version() -> str:
    """The version of the installed Keras, such as `3.15.1`; empty if there is none."""
    where = module("keras.src.version")
    found = re.search(r"^__version__ = [\"'](.+)[\"']", where.text, re.MULTILINE) if where else None
    if found:
        return found[1]
    from importlib import metadata

    try:
        return metadata.version("keras")
    except metadata.PackageNotFoundError:
        return ""


@cache
def names(namespace: str) -> tuple[str, ...]:
    """The public names of a namespace, sorted; kbuild's own among the layers and optimizers."""
    return tuple(sorted({name for package in NAMESPACES.get(namespace, ()) for name in _published(namespace, package)}))


@cache
def signature(namespace: str, name: str) -> Signature | None:
    """What can be called by a public name; None if the namespace does not have it."""
    for package in NAMESPACES.get(namespace, ()):
        if name not in _published(namespace, package):
            continue
        if package.startswith("kbuild."):
            return _read(namespace, package, name)
        kept = signature_cache.signature(namespace, name)
        if kept is None:
            kept = _read(namespace, package, name)
            if kept is not None:
                signature_cache.keep(kept)
        return kept
    return None


@cache
def identifiers(namespace: str) -> frozenset[str]:
    """The strings that Keras takes for objects of a family, such as `mse` among the losses.

    Left out are strings whose object needs arguments (`MeanIoU`) or is abstract: Keras refuses them too.
    """
    kept = signature_cache.identifiers(namespace)
    if kept is None:
        entries = tables.table(namespace).items()
        kept = frozenset(key for key, found in entries if _makes_itself(namespace, found)) | tables.compiled(namespace)
        signature_cache.keep_identifiers(namespace, kept)
    return kept


def from_file(path: Path) -> tuple[Signature, ...]:
    """The public classes of a user's own file (`use:`), each in the namespace of the Keras class that it derives from.

    A class of which this cannot be told has the namespace `""`; without any base it is abstract too.

    Raises:
        SpecError: K108 if the file cannot be read as Python.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        said = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else str(error)
        problem = Problem(
            "K108", f"`{path.name}` cannot be read as Python: {said}", help="correct the file that `use` names"
        )
        raise SpecError(problem) from error
    where = Module(path.stem, path, text)
    public = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    found = [definition(where, name) for name in dict.fromkeys(public)]
    return tuple(_of_class(_family(entry), entry.name, entry) for entry in found if entry)


@cache
def _published(namespace: str, package: str) -> Mapping[str, str]:
    """Name → the name that the package's file has it by."""
    where = module(package) or module(package.replace("keras.", "keras.api.", 1))
    if where is None:
        return {}
    found: dict[str, str] = {}
    for name, (origin, attribute) in where.imports.items():
        if origin == package or attribute is None or name.startswith("_") or name in LOADERS:
            continue
        if namespace in FUNCTIONS or name[:1].isupper():
            found[name.removesuffix(_SUFFIX.get(namespace, " "))] = name
    return found


def _read(namespace: str, package: str, name: str) -> Signature | None:
    where = module(package) or module(package.replace("keras.", "keras.api.", 1))
    found = resolve(where, _published(namespace, package)[name]) if where else None
    if found is None:
        return None
    if isinstance(found.node, ast.ClassDef):
        return _of_class(namespace, name, found)
    return _signature(namespace, name, found, parameters.of_function(found.node), (found,))


def _of_class(namespace: str, name: str, found: Definition) -> Signature:
    line = lineage(found)
    return _signature(namespace, name, found, parameters.of_constructor(line), line)


def _signature(namespace: str, name: str, found: Definition, taken: Accepted, line: _Line) -> Signature:
    is_class = isinstance(found.node, ast.ClassDef)
    every = (*taken.positional, *taken.named)
    described = docstring.arguments(line)
    call = _method(line, "call") if namespace == "layers" and is_class else None
    called = parameters.of_function(call, method=True) if call else Accepted()
    return Signature(
        namespace=namespace,
        name=name,
        parameters=every,
        open=taken.open,
        call=(*called.positional, *called.named),
        bases=tuple(entry.name for entry in line[1:]),
        abstract=is_class and _abstract(namespace, line),
        is_class=is_class,
        doc=docstring.summary(found.node),
        documented={parameter.name: described[parameter.name] for parameter in every if parameter.name in described},
        positional=len(taken.positional),
        rest=taken.rest,
    )


def _family(found: Definition) -> str:
    bases = {entry.name for entry in lineage(found)[1:]}
    return next((namespace for namespace, (root, _) in _FAMILIES.items() if root in bases), "")


def _abstract(namespace: str, line: _Line) -> bool:
    """Whether a class is its family's root, is outside of it, or leaves the family's work to its descendants."""
    root, work = _FAMILIES.get(namespace, ("", None))
    if root not in {entry.name for entry in line[1:]}:
        return not (namespace == "" and any(unread(entry) for entry in line))
    method = _method(line, work) if work else None
    if method is None:
        return work is not None
    body = method.body[1:] if ast.get_docstring(method) else method.body
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "implemented" in ast.unparse(body[0]).lower()


def _method(line: _Line, name: str) -> ast.FunctionDef | None:
    return next((method for entry in line if (method := entry.method(name))), None)


def _makes_itself(namespace: str, found: Definition) -> bool:
    if not isinstance(found.node, ast.ClassDef):
        return True
    line = lineage(found)
    taken = parameters.of_constructor(line)
    needs = any(parameter.required for parameter in (*taken.positional, *taken.named))
    return not needs and not _abstract(namespace, line) and not _reads_config(line)


def _reads_config(line: _Line) -> bool:
    """Whether a class looks into its configuration to be made: a bare string has none (`constant` is such a one)."""
    method = _method(line, "from_config")
    nodes = list(ast.walk(method)) if method else []
    read = {
        ast.unparse(node.slice)
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and dotted_name(node.value) == "config"
    }
    asked = {ast.unparse(n.left) for n in nodes if isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.In)}
    return bool(read - asked)
