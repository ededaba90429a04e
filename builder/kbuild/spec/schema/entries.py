"""Chains, their entries, and the keys beside a call."""

from kbuild.spec.block import library
from kbuild.spec.names import SIBLINGS, STRUCTURE
from kbuild.spec.schema.calls import Callable, bare, definition
from kbuild.spec.schema.siblings import siblings
from kbuild.spec.schema.values import NAME, OWN_NAME, VARIABLE, Defs, Schema, about, either, hole, opened, ref

_CALL = r"[A-Z]|ops\."
"""How the name of a call begins."""
_BESIDE = (*SIBLINGS, "merge")


def entries(callable: Callable, defs: Defs) -> None:
    """Define `chain`, `entry` and what they consist of, twice: for a spec that knows the library's blocks alone, and,
    ending in `.own`, for one that has own blocks, or may have them from a spec that it extends.
    """
    _heads(defs)
    beside = siblings(callable, defs)
    for own in ("", ".own"):
        entry, chain, name = ref(f"entry{own}"), ref(f"chain{own}"), ref(f"entry.name{own}")
        defs[f"chain{own}"] = either("array", {"items": entry}, entry)
        one = {"if": ref("open"), "then": ref(f"entry.hole{own}"), "else": ref(f"entry.map{own}")}
        lone = either("array", chain, {"if": {"type": "null"}, "else": name})
        defs[f"entry{own}"] = either("object", one, lone)
        defs[f"entry.name{own}"] = _name(callable, own)
        defs[f"entry.hole{own}"] = _hole(beside, own)
        defs[f"entry.map{own}"] = _map(callable, beside, own)


def _name(callable: Callable, own: str) -> Schema:
    """An entry that is a name alone: nothing that needs arguments."""
    calls = [*bare(callable, "layers"), *(f"ops.{name}" for name in bare(callable, "ops"))]
    blocks = [name for name, block in library().items() if None not in block.params.values()]
    others = [{"pattern": OWN_NAME}] if own else []
    return {"type": "string", "anyOf": [{"enum": [*calls, *sorted(blocks)]}, {"pattern": VARIABLE}, *others]}


def _map(callable: Callable, beside: Schema, own: str) -> Schema:
    """A call, a block, a group, branches or `reuse`, with the keys beside it."""
    heads = {name: ref(target) for name, target in callable.of("layers")}
    heads |= {each.name: ref(definition(each)) for each in callable.found if each.namespace == "applications"}
    heads |= {f"ops.{each.name}": ref(definition(each)) for each in callable.found if each.namespace == "ops"}
    heads |= {name: ref(f"blocks.{name}{own}") for name in library()}
    keys = "|".join((*SIBLINGS, *STRUCTURE))
    others = {rf"^(?!({keys})$){NAME}$": ref("free")} if own else {}
    return {
        "type": "object",
        "properties": {**heads, **_structure(own), **beside},
        "patternProperties": {
            **others,
            r"\$": ref("free"),
        },
        "additionalProperties": False,
        "allOf": [
            _keys(own),
            {"if": {"required": ["merge"]}, "then": {"required": ["branches"]}},
            # the language names entries beside the call
            {"patternProperties": {"^[A-Z]": {"if": ref("arguments"), "then": {"properties": {"name": False}}}}},
        ],
    }  # fmt: skip


def _structure(own: str) -> Schema:
    merge = either("object", ref(f"entry{own}"), ref(f"entry.name{own}"))
    branches = opened({"type": "array", "minItems": 1, "items": ref(f"chain{own}")})
    reuse = opened({"type": "string", "pattern": rf"^{NAME}(-\d+)?$"})
    return {
        "chain": about("A group, for `repeat`, `when` and `trainable`.", ref(f"chain{own}")),
        "branches": about("Chains from the same input, side by side.", branches),
        "merge": about("The call that joins the branches; default `Concatenate`.", merge),
        "reuse": about("An entry above, applied again with the same weights.", reuse),
    }


def _keys(own: str) -> Schema:
    """Which keys may stand together. Counted only if all are known: a misspelt one is one mistake, not two."""
    beside = "|".join((*SIBLINGS, r"\$.*"))
    call = {
        "pattern": f"^({_CALL}|({beside})$)",
        "patternErrorMessage": "beside a call stand only the keys of an entry",
    }
    group = {"enum": [*SIBLINGS, *STRUCTURE]}
    known = "|".join((*SIBLINGS, *STRUCTURE, *library(), r"\$.*"))
    if not own:
        return _counted({"pattern": f"^({_CALL}|({known})$)"})
    grouped = {"anyOf": [{"required": [key]} for key in STRUCTURE if key != "merge"]}
    return {
        "if": {"propertyNames": {"pattern": f"^(?!{_CALL})"}},
        "then": {"if": grouped, "then": _counted(group, group), "else": ref("heads.0.0")},
        "else": _counted(call, call),
    }


def _counted(keys: Schema, otherwise: Schema | None = None) -> Schema:
    beside = {"else": {"propertyNames": otherwise}} if otherwise else {}
    return {"if": {"propertyNames": keys}, "then": ref("heads.0.0"), **beside}


def _heads(defs: Defs) -> None:
    """One entry makes one call: a map has as many keys as it has of those beside a call, and one more.

    JSON Schema cannot count some of the keys. `heads.I.N` is asked when N of the first I keys are there.
    """
    last = len(_BESIDE)
    for index, key in enumerate(_BESIDE):
        for count in range(index + 1):
            there, absent = ref(f"heads.{index + 1}.{count + 1}"), ref(f"heads.{index + 1}.{count}")
            defs[f"heads.{index}.{count}"] = {"if": {"required": [key]}, "then": there, "else": absent}
    for count in range(last + 1):
        defs[f"heads.{last}.{count}"] = {"minProperties": count + 1, "maxProperties": count + 1}


def _hole(beside: Schema, own: str) -> Schema:
    """A hole in place of an entry: each option is a chain."""
    found = hole(tuple(SIBLINGS))
    choice = found["properties"]["$choice"]
    found["properties"]["$choice"] = {**choice, "items": ref(f"chain{own}"), "additionalProperties": ref(f"chain{own}")}
    return {**found, "required": ["$choice"], "properties": {**found["properties"], **beside}}
