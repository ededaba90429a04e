"""(parameter, value) → Problems: what can be said of one argument from how the installed Keras documents it."""

import re
from collections.abc import Iterator

from kbuild.spec import kinds
from kbuild.spec.call import Call, Nested, Value
from kbuild.spec.names import NOUNS, suggestion
from kbuild.spec.signature import Parameter, Signature, identifiers
from kbuild.text.node import Node, brief
from kbuild.text.problem import Problem

IDENTIFIED = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "activation": "activations",
}
"""How the names of arguments end that take a word for an object, and the family of the object."""
DTYPE = r"(bool|string|u?int(8|16|32|64)|b?float16|float(32|64)|mixed_b?float16|(int[48]|float8|gptq|awq)\b.*)"
"""What Keras takes for a dtype or a dtype policy, as a pattern of the whole string."""
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def label(found: Signature) -> str:
    """The name of a call as a spec writes it."""
    return f"ops.{found.name}" if found.namespace == "ops" else found.name


def mistakes(found: Signature, parameter: Parameter, node: Node, value: Value, trust: bool) -> Iterator[Problem]:
    """What is wrong with a value: K105 its kind or range, K106 an identifier that is not there, K107 a file.

    Args:
        node: the value as written, for its place and its words.
        trust: whether files may be named.
    """
    key = parameter.name
    documented = found.documented.get(key, "")
    wanted = kinds.kind(documented)
    if not parameter.required and value == parameter.default and type(value) is type(parameter.default):
        return  # `use_cudnn: auto` is documented as a bool
    what = f"`{key}` of `{label(found)}`"
    if found.namespace == "constraints" and key == "axis" and isinstance(value, list):
        return  # `MaxNorm` is documented for one axis and takes several
    if wanted and isinstance(value, list | dict):
        yield Problem("K105", f"{what} takes one {_noun(wanted)}, not `{brief(node)}`", node.span)
        return
    if wanted and (value is not None or parameter.required) and not _fits(value, wanted, key):
        help = _value_help(value, wanted)
        yield Problem("K105", f"{what} takes {_article(wanted)}, not `{brief(node)}`", node.span, help=help)
        return
    if isinstance(value, bool) and (is_number(parameter.default) or kinds.bounds(key, documented) != kinds.Bounds()):
        yield Problem("K105", f"{what} takes a number, not `{brief(node)}`", node.span)
        return
    family = _family(key)
    if family and value is not None and not isinstance(value, str | Call | Nested):
        said = f"{what} takes a name or a call ({NOUNS[family]}), not `{brief(node)}`"
        yield Problem("K105", said, node.span)
        return
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, int | float) and not isinstance(item, bool):
            mistake = kinds.range_mistake(key, item, documented)
            if mistake:
                yield Problem("K105", f"{what} {mistake}, not {item:g}", node.span)
        elif isinstance(item, str):
            yield from _string(found, key, item, what, node, trust)


def _string(found: Signature, key: str, item: str, what: str, node: Node, trust: bool) -> Iterator[Problem]:
    namespace = _family(key)
    if namespace and item not in identifiers(namespace):
        help = suggestion(item, identifiers(namespace))
        yield Problem("K106", f"there is no {NOUNS[namespace]} `{item}`", node.span, help=help)
    elif "vocabulary" in key and not trust:
        yield Problem("K107", f"{what} may not name a file", node.span, help="write the words as a list")
    elif key == "dtype" and found.namespace == "layers" and not re.fullmatch(DTYPE, item):
        help = "write `float32`, `mixed_float16` or another that Keras knows"
        yield Problem("K105", f"there is no dtype `{item}`", node.span, help=help)
    elif key == "learning_rate":
        yield Problem("K105", f"{what} takes a number or a schedule, not `{item}`", node.span)
    elif found.namespace == "applications" and key == "weights" and item != "imagenet":
        yield Problem("K107", f"{what} may not name a file", node.span, help="write `null` or `imagenet`")


def is_number(default: object) -> bool:
    """Whether an argument with this default takes numbers, and so no bool."""
    return isinstance(default, int | float | tuple) and not isinstance(default, bool)


def _family(key: str) -> str | None:
    return next((family for word, family in IDENTIFIED.items() if key.endswith(word)), None)


def _fits(value: Value, wanted: str, key: str) -> bool:
    if isinstance(value, Call | Nested):
        return key == "learning_rate"
    if wanted == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (wanted == "float" and isinstance(value, float))


def _noun(wanted: str) -> str:
    return {"int": "integer", "float": "number", "bool": "bool"}[wanted]


def _article(wanted: str) -> str:
    return {"int": "an integer", "float": "a number", "bool": "`true` or `false`"}[wanted]


def _value_help(value: Value, wanted: str) -> str | None:
    if wanted == "bool" and isinstance(value, str) and value.lower() in {"yes", "no", "on", "off"}:
        return f"`{value}` is a string in YAML 1.2; write `{'true' if value.lower() in {'yes', 'on'} else 'false'}`"
    if isinstance(value, float) and value.is_integer():
        return f"write `{int(value)}`"
    if wanted != "bool" and isinstance(value, str) and _NUMBER.fullmatch(value):
        return "leave out the quotes: in them it is text"
    return None
