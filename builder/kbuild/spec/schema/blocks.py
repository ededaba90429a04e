"""The `blocks` section, and the library's blocks as calls."""

from kbuild.spec.block import head_comment, library
from kbuild.spec.schema.values import INPUT_NAME, OWN_NAME, Defs, Schema, about, either, mapping, opened, ref
from kbuild.spec.spec import Block
from kbuild.text.node import plain


def blocks(defs: Defs) -> None:
    """Define the library's blocks as calls, and the section in which a user writes own ones."""
    for name, block in library().items():
        defs[f"blocks.{name}"] = _call(block)
        # a user's block of the same name wins, and has parameters of its own
        defs[f"blocks.{name}.own"] = {"description": head_comment(block), "anyOf": [ref(f"blocks.{name}"), ref("free")]}
    names = {"propertyNames": {"pattern": OWN_NAME}}
    parameters = {"type": ["object", "null"], **names, "additionalProperties": ref("free")}
    outputs = {"type": "object", **names, "additionalProperties": opened(ref("reference"))}
    inputs = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": INPUT_NAME}}
    section = mapping(
        {
            "params": about("Parameters and their defaults; `$required` has none.", parameters),
            "inputs": about("Names of its inputs; the first is also `input`.", inputs),
            "outputs": about("Further values by name.", outputs),
            "layers": about("The chain.", ref("layers.own")),
        }
    )
    defs["block"] = either("array", ref("chain.own"), section)


def _call(block: Block) -> Schema:
    """Parameters by name, or a lone value, which is the first."""
    parameters: Schema = {}
    for name, default in block.params.items():
        parameters[name] = ref("free") if default is None else ref("free", default=plain(default))
        if name in block.lists:
            parameters[name] |= {"not": {"type": ["number", "boolean"]}}
    needed = [name for name, default in block.params.items() if default is None]
    by_name: Schema = {"properties": parameters, "additionalProperties": False}
    if needed:
        by_name["required"] = needed
    lone: Schema = ref("free") if len(needed) < 2 else {"if": ref("open"), "else": {"type": "object"}}
    if len(needed) == 1:
        lone = {"not": {"type": ["null", "number", "boolean"] if needed[0] in block.lists else "null"}, **lone}
    return {"description": head_comment(block), "if": ref("arguments"), "then": by_name, "else": lone}
