"""The `model` section: a chain, a map with inputs and outputs, or the arrow shorthand."""

from kbuild.spec.model_section import DTYPES
from kbuild.spec.schema.values import (
    INPUT_NAME,
    NAME,
    OWN_NAME,
    VARIABLE,
    Defs,
    Schema,
    about,
    either,
    mapping,
    opened,
    ref,
)  # fmt: skip

_ARROW = r"^[^>→]+((->|→)[^>→]+)+$"
_SIZE = r"\s*0*[1-9]\d{0,8}\s*"
_NUMBERS = rf"^{_SIZE}((->|→){_SIZE})+$"


def model(defs: Defs) -> None:
    """Define `model` and `layers`, each twice, as `entries` does."""
    inputs = about("Arguments of keras.Input, by name.", opened(_inputs()))
    outputs = about("Names of entries; default the last one.", opened(_outputs()))
    arrow = {
        "if": {"pattern": VARIABLE},
        "else": {"pattern": _NUMBERS, "patternErrorMessage": "write 784 -> 128 -> 10"},
    }
    for own in ("", ".own"):
        word = {"if": {"pattern": _ARROW}, "then": arrow, "else": ref(f"entry.name{own}")}
        listed = {"minItems": 1, "items": ref(f"entry{own}")}
        defs[f"layers{own}"] = _layers(either("string", word, {"type": "object", **ref(f"entry{own}")}), listed, own)
        layers = about("The chain.", ref(f"layers{own}"))
        section = mapping({"inputs": inputs, "layers": layers, "outputs": outputs})
        defs[f"model{own}"] = either("object", section, either("array", listed, {"type": "string", **word}))


def _layers(alone: Schema, listed: Schema, own: str) -> Schema:
    found = either("array", listed, alone)
    if not own:
        return found
    # over the chain of the spec that it extends, a map reaches entries by name
    by_name = {"type": "object", "propertyNames": {"pattern": OWN_NAME}}
    return {"if": by_name, "then": {"additionalProperties": ref("free")}, "else": found}


def _inputs() -> Schema:
    sizes = {"type": "array", "items": opened({"type": ["integer", "null"], "minimum": 1})}
    shape = about("Sizes without the batch axis; `null` is not known.", opened(sizes))
    dtype = about("What its numbers are.", opened({"enum": sorted(DTYPES)}))
    declared = either("array", sizes, mapping({"shape": shape, "dtype": dtype}, "null"))
    names = {"pattern": INPUT_NAME}
    return {"type": "object", "minProperties": 1, "propertyNames": names, "additionalProperties": opened(declared)}


def _outputs() -> Schema:
    one = opened(ref("reference"))
    by_name = {"minProperties": 1, "propertyNames": {"pattern": f"^{NAME}$"}, "additionalProperties": one}
    return either("object", by_name, either("array", {"minItems": 1, "items": one}, ref("reference")))
