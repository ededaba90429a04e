"""Node → Call: a name and its arguments, held against the signature of the installed Keras."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from kbuild.spec import allow, kinds
from kbuild.spec.argument import label, mistakes
from kbuild.spec.call import Call, Nested, Value
from kbuild.spec.entry import is_call
from kbuild.spec.hole import KINDS
from kbuild.spec.names import NOUNS, suggestion
from kbuild.spec.scope import is_open
from kbuild.spec.signature import Parameter, Signature, names, signature
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span

_BY_ARGUMENT = (
    ("initializer", ("initializers",)),
    ("regularizer", ("regularizers",)),
    ("constraint", ("constraints",)),
    ("activation", ("layers",)),
    ("learning_rate", ("schedules",)),
    ("optimizer", ("optimizers",)),
    ("layer", ("layers",)),
    ("cell", ("layers",)),
    ("loss", ("losses",)),
    ("metric", ("metrics",)),
)
ANYWHERE = ("layers", "initializers", "regularizers", "constraints", "schedules", "optimizers", "losses", "metrics")
"""Where a call is looked up whose argument does not tell, in this order."""
MUST = ("include_top", "weights")
"""Arguments of every application that must be written, whatever their default."""


class _Open:
    """Stands for a value that is not known before the network is expanded; takes part in no check."""


OPEN = _Open()


@dataclass(frozen=True, slots=True)
class Context:
    """What a call may refer to beside Keras.

    Args:
        blocks: names that are calls where Keras takes a layer.
        nested: makes a nested model of a block, (name, argument) → Nested; None while nothing is expanded.
        trust: whether calls that run code are let through.
        own: the user's own classes by name; they join every namespace.
    """

    blocks: frozenset[str] = frozenset()
    nested: Callable[[Scalar, Node | None], Nested] | None = None
    trust: bool = False
    own: Mapping[str, Signature] = field(default_factory=dict)


@dataclass(slots=True)
class _Collected:
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Problem(code, message, span, help=help))


def call(
    name: Scalar,
    argument: Node | None,
    namespaces: tuple[str, ...],
    context: Context,
    filled: frozenset[str] = frozenset(),
) -> Call:
    """Make a call of what is written.

    Args:
        argument: what stands after the name; parts that are still open are not checked.
        namespaces: where to look the name up, in this order.
        filled: the parameters that inputs fill (`ops`).

    Raises:
        SpecError: K102 no such name, K103 no such argument, K104 an argument is missing, K105 a value cannot be right,
            K106 no such identifier, K107 the call is refused, K109 a list where one value is taken. All at once.
    """
    found = find(name, namespaces, context)
    collected = _Collected()
    given = _given(found, argument, collected, filled, context.blocks)
    values: dict[str, Value] = {}
    spans: dict[str, Span] = {}
    if given is None:
        return Call(found.namespace, found.name, {}, name.span)
    by_name = {parameter.name: parameter for parameter in found.parameters}
    for key, node in given.items():
        spans[key] = node.span
        try:
            values[key] = argument_value(key, node, context)
        except SpecError as error:
            collected.problems += error.problems
            continue
        if values[key] is not OPEN and key in by_name:
            collected.problems += mistakes(found, by_name[key], node, values[key], context.trust)
    _missing(found, given, name, filled, collected)
    if collected.problems:
        raise SpecError(collected.problems)
    return Call(found.namespace, found.name, values, name.span, spans)


def find(name: Scalar, namespaces: tuple[str, ...], context: Context) -> Signature:
    """The signature of what `name` names. Raises SpecError: K102, K107."""
    text = str(name.value).removeprefix("ops.")
    if text in context.own:
        return replace(context.own[text], namespace=namespaces[0])
    for namespace in namespaces:
        found = signature(namespace, text)
        if found is not None and namespace == "layers" and text in allow.NO_ENTRY:
            raise mistake("K102", f"`{text}` is no entry", name.span, help="declare it under `model.inputs`")
        if found is not None and found.abstract:
            raise mistake(
                "K102",
                f"`{text}` is abstract, it only serves to derive from",
                name.span,
                help="write one of the classes that derive from it",
            )
        if found is not None:
            _allowed(found, name, context)
            return found
    noun = NOUNS[namespaces[0]]
    known: set[str] = set(context.own).union(*(names(namespace) for namespace in namespaces))
    if namespaces == ("ops",):
        text, known = f"ops.{text}", {f"ops.{name}" for name in known}
    if "layers" in namespaces:
        known |= context.blocks
        noun = "layer or block"
    raise mistake(
        "K102",
        f"there is no {noun} `{name.value}`",
        name.span,
        help=_colon(text) or suggestion(text, known, "`kbuild layers` lists the names of the installed Keras"),
    )


def _colon(text: str) -> str | None:
    """What Python or a forgotten colon leaves in a name: `Dense {units: 3}` is a key `Dense {units` to YAML."""
    found = re.fullmatch(r"([A-Za-z]\w*)\s*([{(])(.*?)\)?", text)
    if found is None:
        return None
    name, brace, rest = found.groups()
    if brace == "{":
        return f"a colon is missing: `{name}: {{…}}`"
    return f"write `{name}: …`, or `{name}: {{argument: …}}`" if rest else f"write `{name}`"


def _allowed(found: Signature, name: Scalar, context: Context) -> None:
    instead = allow.INSTEAD.get((found.namespace, found.name))
    if instead:
        raise mistake("K107", f"`{found.name}` has no place in a spec", name.span, help=instead)
    why = None if context.trust else allow.reason(found)
    if why:
        help = "run with --trust if the spec is your own"
        raise mistake("K107", f"`{found.name}` is refused: {why}", name.span, help=help)


def required(found: Signature) -> list[str]:
    """The arguments that must be written."""
    missing = [parameter.name for parameter in found.parameters if parameter.required]
    return missing + ([*MUST] if found.namespace == "applications" else [])


def families(key: str) -> tuple[str, ...]:
    """Where a call at the argument `key` is looked up, in this order."""
    return next((found for word, found in _BY_ARGUMENT if word in key), ANYWHERE)


def argument_value(key: str, node: Node, context: Context) -> Value:
    """What stands at the argument `key`: scalars, lists, maps, and calls wherever a map has their form."""
    hint = families(key)
    if hint == ("layers",) and "activation" not in key:
        return _layer(node, context, hint)
    return _value(node, hint, context)


def _value(node: Node, hint: tuple[str, ...], context: Context) -> Value:
    if is_open(node):
        return OPEN  # type: ignore[return-value]
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [_value(item, hint, context) for item in node.items]
    if is_call(node):
        name, argument = node.pairs[0]
        return call(name, argument, hint, context)
    config = node.key("class_name")
    if config is not None:
        message = f"`{brief(node)}` is a Keras config, which kbuild does not load"
        raise mistake("K107", message, config.span, help="write a call: `Name: {argument: value}`")
    return {str(key.value): _value(item, ANYWHERE, context) for key, item in node.pairs}


def _layer(node: Node, context: Context, hint: tuple[str, ...]) -> Value:
    if isinstance(node, Sequence):
        return [_layer(item, context, hint) for item in node.items]
    name, argument = (node.pairs[0]) if isinstance(node, MappingNode) and len(node) == 1 else (node, None)
    if not is_open(node) and isinstance(name, Scalar) and isinstance(name.value, str):
        if name.value in context.blocks:
            return context.nested(name, argument) if context.nested else OPEN  # type: ignore[return-value]
        if name.value[:1].isupper():
            return call(name, argument, hint, context)
    return _value(node, hint, context)


def _given(
    found: Signature, argument: Node | None, collected: _Collected, filled: frozenset[str], blocks: Collection[str]
) -> Mapping[str, Node] | None:
    """Argument name → node; None if the argument is open as a whole."""
    if argument is None or (isinstance(argument, Scalar) and argument.value is None):
        return {}
    if is_open(argument):
        return None
    free = [p for p in found.parameters if p.name not in filled]
    if isinstance(argument, MappingNode) and not is_call(argument):
        given: dict[str, Node] = {}
        known = [parameter.name for parameter in free]
        for key, node in argument.pairs:
            text = str(key.value)
            if text in known or found.open:
                given[text] = node
            else:
                words = [*known, *KINDS] if text.startswith("$") else known
                help = suggestion(text, words)
                if text in blocks and known and families(known[0]) == ("layers",):
                    help = f"write `{label(found)}: {{{known[0]}: {{{text}: {brief(node)}}}}}`"
                collected.add("K103", f"`{label(found)}` has no argument `{text}`", key.span, help)
        return given
    free = [p for p in found.parameters[: found.positional] if p.name not in filled]
    if not free:
        collected.add("K103", f"`{label(found)}` takes no arguments", argument.span, f"write `{label(found)}`")
        return {}
    if isinstance(argument, Sequence) and _takes_one(found, free[0]):
        collected.add(
            "K109",
            f"`{found.name}` takes one value for `{free[0].name}`, not a list of {len(argument)}",
            argument.span,
            _instead(found.name, argument, free),
        )
        return {}
    return {free[0].name: argument}


def _takes_one(found: Signature, parameter: Parameter) -> bool:
    return kinds.kind(found.documented.get(parameter.name, "")) is not None


def _instead(name: str, argument: Sequence, parameters: Iterable[Parameter]) -> str:
    """The list as arguments, or, where it puts numbers in the place of objects (`activation: 32`), as entries."""
    pairs = list(zip(parameters, argument.items, strict=False))
    if any(families(p.name) != ANYWHERE and isinstance(i, Scalar) and not isinstance(i.value, str) for p, i in pairs):
        return "write an entry for each: " + ", ".join(f"`{name}: {brief(item)}`" for item in argument.items)
    return f"write `{name}: {{{', '.join(f'{p.name}: {brief(item)}' for p, item in pairs)}}}`"


def _missing(
    found: Signature, given: Mapping[str, Node], name: Scalar, filled: frozenset[str], collected: _Collected
) -> None:
    missing = [p.name for p in found.parameters if p.required and p.name not in given and p.name not in filled]
    if found.namespace == "applications":
        missing += [key for key in MUST if key not in given]
    if missing and not any(p.code in {"K103", "K109"} for p in collected.problems):
        said = " and ".join(f"`{m}`" for m in missing)
        example = ", ".join([*(f"{key}: {brief(node)}" for key, node in given.items()), *(f"{m}: …" for m in missing)])
        collected.add("K104", f"`{label(found)}` needs {said}", name.span, f"write `{label(found)}: {{{example}}}`")
