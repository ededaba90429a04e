"""What may stand wherever a value may: variables, expressions, holes, plain data with calls in it."""

import json
from typing import Any

from kbuild.spec.hole import KINDS, SAMPLING
from kbuild.spec.names import RESERVED

Schema = dict[str, Any]
Defs = dict[str, Schema]
"""Name → schema: the parts that others refer to."""

NAME = r"[a-z][a-z0-9_]*"
OWN_NAME = rf"^(?!({'|'.join(sorted(RESERVED))})$){NAME}$"
"""A name that a user may give."""
INPUT_NAME = rf"^(?!({'|'.join(sorted(RESERVED - {'input'}))})$){NAME}$"
"""The same of an input."""
REFERENCE = rf"^{NAME}(-(\d+|\*))?(\.{NAME})?$"
VARIABLE = rf"^\${NAME}$|\$\{{[^{{}}]*\}}"
"""A variable, or text with an expression in it."""
TYPES = ("null", "boolean", "number", "string", "array", "object")
_NUMBERS = ("integer", "number")
_LOG = {"required": ["sampling"], "properties": {"sampling": {"enum": ["log", "reverse_log"]}}}
_POSITIVE = {"items": {"exclusiveMinimum": 0}}
_RANGE = ("default", "step", "sampling")
_OPTIONS = {"$choice": ("default",), "$int": _RANGE, "$float": _RANGE, "$bool": ()}


def ref(name: str, **beside: Any) -> Schema:
    """A reference to a definition; what stands `beside` it holds too."""
    return {"$ref": f"#/$defs/{name}", **beside}


def about(text: str, schema: Schema) -> Schema:
    """The schema with `text` as its description."""
    return {"description": text, **{key: part for key, part in schema.items() if key != "description"}}


def mapping(properties: Schema, *also: str) -> Schema:
    """A map with these keys and no others, or a value of one of the types `also`; of the bools only `false`."""
    switch = {"not": {"const": True}} if "boolean" in also else {}
    kinds = ["object", *also] if also else "object"
    return {"type": kinds, **switch, "properties": properties, "additionalProperties": False}


def either(kind: str, there: Schema, otherwise: Schema) -> Schema:
    """`there` for a value of type `kind`, `otherwise` for any other."""
    return {"if": {"type": kind}, "then": there, "else": otherwise}


def named(stem: str, schema: Schema, defs: Defs) -> str:
    """The name under which `schema` is defined: `stem`, with a number where another has it."""
    name, count = stem, 1
    while name in defs and defs[name] != schema:
        count += 1
        name = f"{stem}.{count}"
    defs[name] = schema
    return name


def value(stem: str, base: Schema, defs: Defs, without: tuple[str, ...] = ()) -> str:
    """Define what takes `base`, or a variable, or a hole whose options are such values again; the definition's name.

    Args:
        without: kinds of holes that cannot give such a value.
    """
    name, count = stem, 1
    while True:
        made = opened(base, name, without)
        if defs.setdefault(name, made) == made:
            return name
        count += 1
        name = f"{stem}.{count}"


def opened(base: Schema, options: str = "free", without: tuple[str, ...] = ()) -> Schema:
    """`base`, or a variable, or a hole.

    Args:
        options: the definition that the options of a `$choice` keep to.
    """
    choice = {"items": ref(options), "additionalProperties": ref(options)}
    # an editor completes a value from what stands in sight, not from behind an `if`
    found = words(base)
    return {
        **({"examples": found} if found else {}),
        "if": ref("open"),
        "then": ref("hole", properties={"$choice": choice, **dict.fromkeys(without, False)}),
        "else": base,
    }


def words(base: Schema) -> list[Any]:
    """The values that a schema counts up, also behind an `if`: what an editor can offer."""
    if "const" in base or "enum" in base:
        return list(base.get("enum", [base.get("const")]))
    kinds = base.get("type", ())
    found = [True, False] if kinds == "boolean" or ("boolean" in kinds and len(kinds) < 4) else []
    for part in (*(base[key] for key in ("else", "then") if key in base), *base.get("anyOf", ())):
        found += [word for word in words(part) if word not in found]
    return found


def common(defs: Defs) -> None:
    """Define what the other parts build on."""
    kinds = [{"required": [kind]} for kind in KINDS]
    defs["variable"] = {"type": "string", "pattern": VARIABLE}
    # the two forms are told apart by these alone, so that what is wrong inside is shown inside
    defs["open"] = {"anyOf": [ref("variable"), {"type": "object", "anyOf": kinds}]}
    defs["call"] = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": "^[A-Z]"}}
    defs["arguments"] = {"type": "object", "not": {"anyOf": [ref("call"), *kinds]}}
    defs["hole"] = hole()
    free = {"items": ref("free"), "additionalProperties": ref("free")}
    defs["free"] = opened(free)
    inside = {"items": ref("plain"), "additionalProperties": ref("plain"), "properties": {"class_name": False}}
    value("plain", {"if": ref("call"), "then": ref("calls"), "else": inside}, defs)
    defs["reference"] = {"type": "string", "pattern": REFERENCE}


def hole(beside: tuple[str, ...] = ()) -> Schema:
    """A hole by itself; `beside` are further keys that may stand in its map."""
    integers, numbers = ({"type": "array", "minItems": 2, "maxItems": 2, "items": _fixed(kind)} for kind in _NUMBERS)
    choice = {"type": ["array", "object"], "minItems": 1, "minProperties": 1}
    return {
        "type": ["object", "string"],
        "description": "A choice that is left to the search; outside of one it stands for its default.",
        "properties": {
            "$choice": about("One of a list, or of a map of labels to options.", choice),
            "$int": about("A whole number between two ends; both belong to it.", _fixed(integers)),
            "$float": about("A number between two ends; both belong to it.", _fixed(numbers)),
            "$bool": about("`true` or `false`; what is written is the default.", _fixed("boolean")),
            "default": {"description": "What it stands for outside a search."},
            "step": about(
                "Added; under `sampling: log` multiplied.", _fixed({"type": "number", "exclusiveMinimum": 0})
            ),
            "sampling": _fixed({"enum": list(SAMPLING)}),
        },
        "allOf": [
            {"if": {"required": [kind]}, "then": {"propertyNames": {"enum": [kind, *options, *beside]}}}
            for kind, options in _OPTIONS.items()
        ]
        + [{"if": _LOG, "then": {"properties": {"$int": _POSITIVE, "$float": _POSITIVE}}}],
    }


def _fixed(base: Schema | str) -> Schema:
    """A type or schema, or a variable: a hole does not depend on another's choice."""
    return {"if": ref("variable"), "else": {"type": base} if isinstance(base, str) else base}


def written(default: object) -> object:
    """A default as JSON has it; `...` if it has no value for it."""
    if isinstance(default, tuple):
        default = list(default)
    try:
        text = json.dumps(default, allow_nan=False)
    except (TypeError, ValueError):
        return ...
    return json.loads(text)
