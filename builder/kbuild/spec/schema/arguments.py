"""(Signature, Parameter) → Schema: what one argument takes, as `check` has it: from the words of its documentation."""

import re
from typing import Any

from kbuild.spec import kinds
from kbuild.spec.argument import DTYPE, IDENTIFIED, is_number
from kbuild.spec.calls import ANYWHERE, families
from kbuild.spec.schema.values import OWN_NAME, TYPES, Defs, Schema, either, ref, value, written
from kbuild.spec.signature import Parameter, Signature, Unparsed, identifiers

_TYPES = {"int": "integer", "float": "number", "bool": "boolean"}
NOT_OF: dict[kinds.Kind | None, tuple[str, ...]] = {
    "int": ("$float", "$bool"),
    "float": ("$bool",),
    "bool": ("$int", "$float"),
}
"""Kinds of holes that cannot give a value of a kind."""
_WORDS = re.compile(r'"([A-Za-z][A-Za-z0-9_]*)"')
_CHOICE = re.compile(r"\s*(optional )?(string|str|one of|either|must be)\b", re.IGNORECASE)


def argument(found: Signature, parameter: Parameter, defs: Defs, trust: bool) -> Schema:
    """One property of a call: its type, its default, its documentation, words to complete."""
    documented = found.documented.get(parameter.name, "")
    site = ref(_type(found, parameter, defs, trust))
    if documented:
        site["description"] = shortened(documented)
    if not parameter.required and not isinstance(parameter.default, Unparsed):
        default = written(parameter.default)
        if default is not ...:
            site["default"] = default
    words = list(dict.fromkeys(_WORDS.findall(documented))) if _CHOICE.match(documented) else []
    if 1 < len(words) <= 12:
        site["examples"] = words
    return site


def shortened(text: str, most: int = 300) -> str:
    """The first sentences of a documentation, `most` characters or so: `kbuild layers` shows all of it."""
    if len(text) <= most:
        return text
    stop = max(text.rfind(". ", 0, most), text.rfind("; ", 0, most))
    return text[: stop + 1] if stop > most // 4 else text[:most].rpartition(" ")[0] + " …"


def _type(found: Signature, parameter: Parameter, defs: Defs, trust: bool) -> str:
    key = parameter.name
    documented = found.documented.get(key, "")
    null = not parameter.required
    wanted = kinds.kind(documented)
    limits = _limits(key, documented)
    if wanted and key == "learning_rate":
        rate = {"type": ["number", "null"] if null else "number", **limits}
        return value(key, either("object", ref("calls.schedules"), rate), defs)
    if wanted:
        kind = _TYPES[wanted]
        base: Schema = {"type": [kind, "null"] if null else kind, **(limits if wanted != "bool" else {})}
        if isinstance(parameter.default, str) and not isinstance(parameter.default, Unparsed):
            base = {"anyOf": [base, {"const": parameter.default}]}
        if found.namespace == "constraints" and key == "axis":
            base = either("array", {}, base)  # documented for one axis, and takes several
        return value(kind, base, defs, NOT_OF[wanted])
    family = next((family for word, family in IDENTIFIED.items() if key.endswith(word)), None)
    if family:
        return _identified(family, families(key)[0], defs)
    if families(key) == ("layers",):
        return _layer(null, defs)
    if found.namespace == "applications" and key == "weights" and not trust:
        return value("pretrained", {"enum": ["imagenet", None]}, defs)
    return _several(found, parameter, limits, defs, trust)


def _limits(key: str, documented: str) -> Schema:
    found = kinds.bounds(key, documented)
    limits = {"minimum": found.low, "exclusiveMinimum": found.above, "exclusiveMaximum": found.below}
    return {keyword: limit for keyword, limit in limits.items() if limit is not None}


def _identified(family: str, namespace: str, defs: Defs) -> str:
    """A word that Keras takes for an object, or a call."""
    words: list[Any] = [*sorted(identifiers(family)), None]
    return value(family, either("object", ref(f"calls.{namespace}"), {"enum": words}), defs)


def _layer(null: bool, defs: Defs) -> str:
    """A layer, a block or a list of them, where Keras takes a layer."""
    own = {"minProperties": 1, "maxProperties": 1, "patternProperties": {OWN_NAME: ref("free")}}
    block = {"type": ["object", "null"] if null else "object", **own, "additionalProperties": False}
    one = {"if": {"type": "string"}, "then": ref("entry.name.own"), "else": block}
    base = {"if": ref("call"), "then": ref("calls.layers"), "else": one}
    name = "layer.or.null" if null else "layer"
    return value(name, {"if": {"type": "array"}, "then": {"items": ref(name)}, "else": base}, defs)


def _several(found: Signature, parameter: Parameter, limits: Schema, defs: Defs, trust: bool) -> str:
    """An argument that takes several kinds of values, or of which Keras does not say."""
    key = parameter.name
    kept = set(TYPES)
    if is_number(parameter.default) or limits:
        kept.discard("boolean")
    if key == "learning_rate" or ("vocabulary" in key and not trust):
        kept.discard("string")
    base: Schema = {} if kept == set(TYPES) else {"type": [name for name in TYPES if name in kept]}
    if key == "dtype" and found.namespace == "layers":
        limits = {"pattern": f"^{DTYPE}$"}
    places = _in(families(key), defs)
    if limits:
        base |= limits
        inner = value("item", {"if": {"type": ["object", "array"]}, "then": ref(places), "else": limits}, defs)
    else:
        inner = places
    nested = {"if": {"type": "object"}, "then": ref(places), "else": {"items": ref(inner)}}
    return value("value", {**base, **nested}, defs)


def _in(places: tuple[str, ...], defs: Defs) -> str:
    """Data whose maps of one key in capitals are calls of these namespaces; lists of them."""
    if places == ANYWHERE:
        return "plain"
    name = f"in.{'.'.join(places)}"
    base = {
        "if": ref("call"),
        "then": ref(f"calls.{places[0]}"),
        "else": {"items": ref(name), "properties": {"class_name": False}},
    }
    return value(name, base, defs)
