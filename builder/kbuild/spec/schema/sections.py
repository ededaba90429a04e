"""The models of the fixed sections → schemas in which a variable or a hole may stand wherever a value may."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from kbuild.spec.schema.values import Defs, Schema, opened


class _Generator(GenerateJsonSchema):
    """Calls stay open: the sections that hold some say which."""

    def is_instance_schema(self, schema: Any) -> Schema:
        """Called by pydantic for a field that is a `Call`."""
        return {}


def section(model: type[BaseModel], defs: Defs, without: tuple[str, ...] = ("kind",)) -> Schema:
    """A section as a map: what its model takes, less the fields `without`, which no user writes.

    The other models that it is made of are defined as `section.NAME`.
    """
    made = model.model_json_schema(ref_template="#/$defs/section.{model}", schema_generator=_Generator)
    for name, other in made.pop("$defs", {}).items():
        other.get("properties", {}).pop("kind", None)
        defs[f"section.{name}"] = _admitting(other)
    for name in without:
        made.get("properties", {}).pop(name, None)
    return _admitting(made)


def properties(model: type[BaseModel], defs: Defs) -> Schema:
    """The fields of a model, by name."""
    return section(model, defs)["properties"]


def _admitting(schema: Schema) -> Schema:
    """The same, each property and item opened for variables and holes."""
    found: Schema = {}
    for key, part in schema.items():
        if key == "properties":
            found[key] = {name: _opened(value) for name, value in part.items()}
        elif key in {"items", "additionalProperties"} and isinstance(part, dict):
            found[key] = _opened(part)
        elif key == "anyOf":
            found |= _either([_admitting(each) for each in part])
        elif key == "prefixItems":
            # of a fixed length, and all of one kind
            found["items"] = _opened(part[0])
        elif key not in {"title", "format"}:
            found[key] = part
    return found


def _opened(schema: Schema) -> Schema:
    inner = _admitting(schema)
    beside = {key: inner.pop(key) for key in ("default", "description") if key in inner}
    return {**beside, **opened(inner)}


def _either(parts: list[Schema]) -> Schema:
    """One schema of several, as plain as it can be said: words in one list, types in one list."""
    parts = [part for part in parts if not (part == {"type": "integer"} and {"type": "number"} in parts)]
    words = [_words(part) for part in parts]
    if all(word is not None for word in words):
        return {"enum": [each for word in words for each in word or ()]}
    kinds = [part.get("type") for part in parts]
    full = [part for part in parts if set(part) != {"type"}]
    if None in kinds or len(full) > 1 or any({"const", "enum"} & set(part) for part in parts):
        return {"anyOf": parts}
    return {**(full[0] if full else {}), "type": [each for kind in kinds for each in _list(kind)]}


def _list(kind: Any) -> list[str]:
    return kind if isinstance(kind, list) else [kind]


def _words(schema: Schema) -> list[Any] | None:
    """All the values that a schema admits, if they can be counted."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return schema["enum"]
    return {"boolean": [True, False], "null": [None]}.get(schema.get("type", "")) if set(schema) == {"type"} else None


def switched(model: type[BaseModel], defs: Defs, *also: str) -> Schema:
    """A section that may be given as something else too, by the names of those types: `boolean`, `null`."""
    return {**section(model, defs), "type": ["object", *also]}
