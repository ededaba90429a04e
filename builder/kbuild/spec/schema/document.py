"""What is installed → the JSON Schema of a whole spec."""

import json
import re
from collections.abc import Sequence

from kbuild.spec.names import SPEC_NAME
from kbuild.spec.parse import KEYS
from kbuild.spec.schema.blocks import blocks
from kbuild.spec.schema.calls import callables, calls, needs
from kbuild.spec.schema.data import data, source_needs
from kbuild.spec.schema.entries import entries
from kbuild.spec.schema.model import model
from kbuild.spec.schema.train import train, train_needs, tune
from kbuild.spec.schema.values import OWN_NAME, Defs, Schema, about, common, either, ref
from kbuild.spec.shipped import shipped_names
from kbuild.spec.signature import Signature, keras_version

_CHOSEN = {"type": ["string", "number", "boolean"]}
_SPEC_NAME = rf"^(?!\.+$){SPEC_NAME.pattern.removesuffix(chr(92) + 'Z')}$"
_REFERENCE = re.compile(r'"\$ref":"#/\$defs/([^"]+)"')


def schema(sources: tuple[str, ...] = (), own: Sequence[Signature] = (), trust: bool = False) -> Schema:
    """The JSON Schema (draft 2020-12) of the format.

    Args:
        sources: the data sets that have names; empty for any.
        own: the user's own classes (`use:`).
        trust: with the calls that run code.
    """
    defs: Defs = {}
    callable = callables(own, trust)
    common(defs)
    calls(callable, defs)
    entries(callable, defs)
    blocks(defs)
    data(callable, defs, sources)
    train(callable, defs)
    tune(callable, defs)
    model(defs)
    whole = {
        "required": ["kbuild", "model"],
        "properties": {
            "model": {"if": {"type": "object"}, "then": {"required": ["layers"]}},
            "blocks": {"additionalProperties": {"if": {"type": "object"}, "then": {"required": ["layers"]}}},
            "data": {"required": ["source"], "properties": {"source": source_needs()}},
            "train": train_needs(callable),
            "tune": {"properties": {"oracle": needs(callable, "oracles")}},
        },
    }
    library = {"properties": {"model": ref("model"), "data": ref("data")}}
    with_own = {"properties": {"model": ref("model.own"), "data": ref("data.own")}}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Written by `kbuild schema`: format 1, with the calls of Keras {keras_version()}",
        "type": "object",
        "properties": _top(),
        "additionalProperties": False,
        "allOf": [
            {"if": {"anyOf": [{"required": ["blocks"]}, {"required": ["extends"]}]}, "then": with_own, "else": library},
            {"if": {"required": ["extends"]}, "else": whole},
        ],
    }
    return {**head, "$defs": _used(head, defs)}


def _used(head: Schema, defs: Defs) -> Defs:
    """The definitions that can be reached, sorted by name."""
    found: set[str] = set()
    open = [head]
    while open:
        names = set(_REFERENCE.findall(_json(open.pop()))) - found
        found |= names
        open += [defs[name] for name in names]
    return {name: defs[name] for name in sorted(found)}


def text(schema: Schema) -> str:
    """The schema as JSON, a line for each definition; no line break at the end."""
    lines = [f" {_json(name)}: {_json(part)}" for name, part in schema["$defs"].items()]
    head = [f"{_json(key)}: {_json(part)}" for key, part in schema.items() if key != "$defs"]
    body = ",\n".join(lines)
    return "{" + ",\n".join([*head, f'"$defs": {{\n{body}\n}}']) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _top() -> dict[str, Schema]:
    """The keys of the top level; `model` and `data` are said elsewhere, by the blocks that they know."""
    path = {"type": "string", "minLength": 1}
    paths = {"type": ["string", "array"], "minLength": 1, "items": path}
    shipped = {"if": {"pattern": "^kbuild:"}, "then": {"enum": [f"kbuild:{name}" for name in shipped_names()]}}
    bases = either("array", {"items": {**path, **shipped}}, {**path, **shipped})
    switch = {"type": ["object", "boolean", "null"], "not": {"const": True}}
    names = {**switch, "propertyNames": {"pattern": OWN_NAME}}
    known: dict[str, tuple[str, Schema]] = {
        "kbuild": ("The version of the format.", {"type": "number", "const": 1}),
        "name": ("The spec's name; default the file's.", {"type": ["string", "null"], "pattern": _SPEC_NAME}),
        "extends": ("A spec to build on, or a list of which the later wins; `kbuild:NAME` is a shipped one.", bases),
        "vars": ("Variables: `$name` stands for one.", {**names, "additionalProperties": ref("free")}),
        "blocks": ("Own blocks: named chains with parameters.", {**names, "additionalProperties": ref("block")}),
        "data": ("Where examples come from and what is done to them before the model.", {}),
        "model": ("The network: a list of entries; `inputs`, `layers`, `outputs`; or `784 -> 128 -> 10`.", {}),
        "train": ("How it learns.", ref("train")),
        "tune": ("The search.", ref("tune")),
        "choices": ("What was chosen for holes, by their paths.", {**switch, "additionalProperties": _CHOSEN}),
        "weights": ("A run, .keras or .weights.h5 to start from.", {**switch, "type": ["string", "boolean", "null"]}),
        "use": ("Files of own code; needs --trust.", {**paths, "type": ["string", "array", "boolean", "null"]}),
    }
    return {key: about(*known[key]) for key in KEYS}
