"""The keys beside a call, each with what it takes."""

from kbuild.spec.schema.calls import Callable
from kbuild.spec.schema.values import OWN_NAME, Defs, Schema, about, either, mapping, named, opened, ref, value

_WRONG_NAME = "a name is [a-z][a-z0-9_]*, and no word of the language"
_STRING = {"type": "string"}
_PATH = {"type": ["string", "boolean", "null"]}


def siblings(callable: Callable, defs: Defs) -> Schema:
    """Define them; the properties of an entry that refer to them."""
    patterns = {"type": ["boolean", "array"], "minItems": 1, "items": opened(_STRING)}
    found = {
        "name": about(
            "The entry's name: the layer's in Keras, and what `from` and `reuse` refer to.",
            opened({**_STRING, "pattern": OWN_NAME, "patternErrorMessage": _WRONG_NAME}),
        ),
        "from": about(
            "Its inputs: an entry, a list of them, or a map by argument; default the entry above.", _from(defs)
        ),
        "outputs": about(
            "Names for the tensors of a call that returns several, or for layers inside an application.",
            opened(
                either("object", {"additionalProperties": opened(_STRING)}, {"type": "array", "items": opened(_STRING)})
            ),
        ),
        "call": about("Further arguments of the call itself.", opened(mapping(_call(callable)))),
        "repeat": about("So many copies in sequence, each with its own weights; or lists to walk together.", _repeat()),
        "when": about("Keep the entry or leave it out.", opened({"type": "boolean"})),
        "trainable": about("`false` freezes it; a list leaves only matching layers trainable.", opened(patterns)),
        "weights": about("A file or run to start from, by layer name.", opened({**_PATH, "not": {"const": True}})),
        "remat": about(
            "Keep nothing of what is inside for the backward pass, and compute it again there.",
            opened({"type": "boolean"}),
        ),
    }
    return {name: ref(named(f"beside.{name}", schema, defs)) for name, schema in found.items()}


def _from(defs: Defs) -> Schema:
    one = value("reference.open", ref("reference"), defs)
    several = value("references", either("array", {"minItems": 1, "items": ref(one)}, ref("reference")), defs)
    by_name = {"minProperties": 1, "additionalProperties": ref(several)}
    return opened(either("object", by_name, ref(several)))


def _call(callable: Callable) -> Schema:
    """The arguments of all calls: JSON Schema cannot say of which layer the key stands beside."""
    names = {parameter.name for each in (*callable.found, *callable.own) for parameter in each.call}
    return {name: ref("free") for name in sorted(names)}


def _repeat() -> Schema:
    names = {"propertyNames": {"pattern": OWN_NAME}}
    walked = {"minProperties": 1, **names, "additionalProperties": ref("free")}
    return opened({"type": ["integer", "object"], "minimum": 0, **walked})
