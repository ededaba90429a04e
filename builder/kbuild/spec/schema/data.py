"""The `data` section."""

from kbuild.spec.data import Csv, Data, Images, Npz, Python, Split, Texts
from kbuild.spec.data_section import LIKE
from kbuild.spec.schema.calls import Callable, bare
from kbuild.spec.schema.sections import properties, section, switched
from kbuild.spec.schema.values import INPUT_NAME, Defs, Schema, about, either, mapping, opened, ref
from kbuild.spec.section import Section

_KINDS: dict[str, type[Section]] = {"npz": Npz, "csv": Csv, "text": Texts, "python": Python}
_LATER = {
    "tfrecord": "TensorFlow record files; this version of kbuild does not read them.",
    "tfds": "A set of TensorFlow Datasets; this version of kbuild does not read it.",
}


def data(callable: Callable, defs: Defs, sources: tuple[str, ...]) -> None:
    """Define `data` and `data.own`, which differ in the blocks that their chains know.

    Args:
        sources: the data sets that have names; empty for any.
    """
    _sources(defs)
    known = properties(Data, defs)
    named = {"enum": list(sources)} if sources else {"type": "string"}
    source = opened(either("object", ref("source"), named))
    known["source"] = about("Where examples come from: a set by name, or files.", source)
    known["split"] = about("Parts of the data that are kept from training.", opened(_split(defs)))
    layer = opened(ref("calls.layers", **{"if": {"type": "object"}, "else": {"enum": bare(callable, "layers")}}))
    defs["augment"] = either("array", {"items": layer}, layer)
    augment = _by_input(ref("augment"), ref("augment"))
    known["augment"] = about("Layers for training only, before `preprocess`.", augment)
    for own in ("", ".own"):
        chain = ref(f"chain{own}")
        preprocess = _by_input(chain, {"if": {"const": "auto"}, "else": chain})
        known["preprocess"] = about(
            "Layers that become part of the model; `auto` is the application's own.", preprocess
        )
        defs[f"data{own}"] = mapping(dict(known), "boolean", "null")


def _split(defs: Defs) -> Schema:
    """`validation` may be null, so that `folds` can be laid over a base that has a validation part."""
    found = switched(Split, defs, "boolean")
    size = found["properties"]["validation"]
    size["else"] = {**size["else"], "type": ["number", "null"]}
    # folds are the validation parts
    alone = {"properties": {"validation": {"type": ["null", "string", "object"]}}}
    together = [
        {"if": {"required": ["fold"]}, "then": {"required": ["folds"]}},
        {"if": {"required": ["folds"]}, "then": alone},
    ]
    return {**found, "not": {"const": True}, "allOf": together}


def _by_input(chain: Schema, alone: Schema) -> Schema:
    """A chain, a map of chains by input, or nothing."""
    names = {"pattern": f"^(?!(chain|branches|reuse)$){INPUT_NAME.removeprefix('^')}"}
    inputs = {"type": "object", "minProperties": 1, "propertyNames": names}
    nothing = {"if": {"enum": [False, None]}, "else": alone}
    return {"if": inputs, "then": {"additionalProperties": chain}, "else": nothing}


def _sources(defs: Defs) -> None:
    """Define `source`, a map with one of the keys that name a kind."""
    for kind, model in _KINDS.items():
        defs[f"source.{kind}"] = section(model, defs)
    for kind, other in LIKE.items():
        model = defs[f"source.{other}"]
        keys = {(kind if key == other else key): value for key, value in model["properties"].items()}
        defs[f"source.{kind}"] = {**model, "properties": keys, "required": [kind]}
    defs["source.images"] = _images(defs)
    for kind, said in _LATER.items():
        defs[f"source.{kind}"] = {"type": "object", "description": said}
    kinds = [*_KINDS, *LIKE, "images", *_LATER]
    defs["source"] = {
        "type": "object",
        "properties": {kind: {"description": defs[f"source.{kind}"].get("description", "")} for kind in kinds},
        "allOf": [{"if": {"required": [kind]}, "then": ref(f"source.{kind}")} for kind in kinds],
        "anyOf": [{"required": [kind]} for kind in kinds],
    }


def _images(defs: Defs) -> Schema:
    """The model has the folders of its parts beside its options; a spec has them under `images`."""
    found = section(Images, defs)
    options = found["properties"]
    folders = mapping({part: options.pop(part) for part in ("train", "validation", "test")})
    images = opened(either("object", folders, {"type": "string"}))
    found["properties"] = {"images": about("A folder, or one for each part.", images), **options}
    return {**found, "required": ["images"]}


def source_needs() -> Schema:
    """What a source needs where no other spec lies below."""
    folders = {"type": "object", "not": ref("open")}
    return {"properties": {"images": {"if": folders, "then": {"required": ["train"]}}}}
