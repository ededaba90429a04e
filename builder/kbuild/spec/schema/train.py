"""The `train` and `tune` sections."""

from typing import Any

from kbuild.spec.phases import KEYS as PHASE
from kbuild.spec.schema.calls import Callable, bare, needs, one_of
from kbuild.spec.schema.sections import properties, section, switched
from kbuild.spec.schema.values import Defs, Schema, about, either, mapping, opened, ref
from kbuild.spec.signature import identifiers
from kbuild.spec.train import SCHEDULES, Budget, Checkpoint, EarlyStopping, Execution, TensorBoard, Train
from kbuild.spec.tune import Tune
from kbuild.spec.tune_section import KEYS

_OFF = {"enum": [None, False]}
_BOOLEAN = {"type": "boolean"}
_PATTERNS = {"items": opened({"type": "string"}), "minItems": 1}
_AMOUNT = {"type": "number", "exclusiveMinimum": 0}
_ABOUT = {
    "optimizer": "An optimizer of Keras: `adam`, `{Adam: 1e-3}`.",
    "loss": "`auto`, a loss, or a map by output.",
    "loss_weights": "Numbers by output.",
    "metrics": "A list of metrics, or lists by output.",
    "epochs": "How many times to go through the training part.",
    "schedule": "How the learning rate changes.",
    "early_stopping": "When to stop.",
    "class_weight": "`balanced`, or numbers by class name.",
    "precision": "What the layers compute in.",
    "callbacks": "Calls of `keras.callbacks`.",
    "tensorboard": "What goes into the event files.",
    "health": "Whether gradients, dead units and the gap to validation are watched.",
    "checkpoint": "How often all that training depends on is saved, and how many checkpoints are kept.",
    "execution": "How the training step is run.",
    "budget": "What the network may cost at most.",
    "accumulate": "Steps whose gradients are averaged before the weights change.",
    "distribute": "`data_parallel` shares each batch among all devices.",
    "trainable": "By entry: `true`, `false`, or patterns of the layers in it that learn in this phase.",
    "phases": "Parts of the training, one after the other: each is laid over `train`, and the weights go on.",
    "repeats": "How many times to train, each with the next seed: a set of runs, with mean and standard deviation.",
    "bootstrap": "Train on as many examples drawn with replacement from the training part, other ones for each seed.",
    "seed": "Of the split, the initial weights, the order and the noise.",
    "deterministic": "The same bits on the same machine, slower.",
    "threads": "Threads that share an operation on a CPU; all cores where it is left out.",
}
_SEARCH = {
    "oracle": "What decides on the next trial: `{BayesianOptimization: {max_trials: 30}}`.",
    "objective": "What is to be best: `val_accuracy`.",
    "executions_per_trial": "Trainings of each trial.",
    "parallel": "Trials at the same time.",
    "budget": "Trials outside of it are never trained.",
    "timeout": "How long a trial may take: `10 minutes`.",
    "seed": "Of the search; that of `train` unless it is given.",
}


def train(callable: Callable, defs: Defs) -> None:
    """Define `train`, as a spec may give it that extends another."""
    loss, metric = (_words(callable, namespace) for namespace in ("losses", "metrics"))
    known = properties(Train, defs)
    special = {
        "optimizer": _optimizer(callable),
        "loss": _by_output(_word("losses", ["auto", None, *loss]), _word("losses", [None, *loss])),
        "metrics": _by_output(*[_several(_word("metrics", [None, *metric]), needs(callable, "metrics"))] * 2),
        "schedule": _schedule(callable, defs),
        "callbacks": _several(_word("callbacks", [None, False, *bare(callable, "callbacks")])),
        "early_stopping": switched(EarlyStopping, defs, "boolean", "null"),
        "tensorboard": switched(TensorBoard, defs, "boolean", "null"),
        "checkpoint": switched(Checkpoint, defs, "boolean", "null"),
        "budget": switched(Budget, defs, "boolean", "null"),
        "accumulate": {"if": {"type": "integer"}, "then": {"minimum": 1}, "else": _OFF},
        "distribute": {"enum": ["none", "data_parallel", None, False]},
        "trainable": mapping({}, "null") | {"additionalProperties": opened(either("array", _PATTERNS, _BOOLEAN))},
        "execution": either("string", {"const": "auto"}, switched(Execution, defs, "boolean", "null")),
    }
    known |= {name: _offering(schema, defs) for name, schema in special.items()}
    known = {name: about(_ABOUT.get(name, ""), schema) for name, schema in known.items()}
    defs["phase"] = mapping({name: known[name] for name in PHASE}, "null")
    known["phases"] = about(_ABOUT["phases"], opened(either("array", {"items": opened(ref("phase"))}, _OFF)))
    defs["train"] = mapping({name: schema for name, schema in known.items() if name != "trainable"}, "boolean", "null")


def _offering(schema: Schema, defs: Defs) -> Schema:
    """The schema opened, its keys in sight: below a key that is still empty an editor looks behind no `if`."""
    bare = {key: part for key, part in schema.items() if key != "description"}
    calls = defs.get(str(schema.get("$ref", "")).removeprefix("#/$defs/"), schema)
    return {**({"properties": calls["properties"]} if "properties" in calls else {}), **opened(bare)}


def train_needs(callable: Callable) -> Schema:
    """What `train` must say where no other spec lies below."""
    schedule = needs(callable, "schedules")
    piecewise = {"if": ref("arguments"), "then": {"required": ["at", "values"]}, "else": {"type": "string"}}
    rate = {"if": ref("arguments"), "then": {"properties": {"learning_rate": schedule}}, "else": schedule}
    return {
        "properties": {
            "optimizer": {**needs(callable, "optimizers"), "additionalProperties": rate},
            "metrics": needs(callable, "metrics"),
            "schedule": {"properties": {**schedule["properties"], "piecewise": piecewise}},
        }
    }


def _optimizer(callable: Callable) -> Schema:
    names = bare(callable, "optimizers")
    return _word("optimizers", [*names, *sorted({name.lower() for name in names} - set(names))])


def _words(callable: Callable, namespace: str) -> list[str]:
    """The words that Keras takes for an object of a family, and the names of those that need no arguments."""
    words = sorted(word for word in identifiers(namespace) if not word[:1].isupper())
    return [*words, *bare(callable, namespace)]


def _word(namespace: str, words: list[Any]) -> Schema:
    """A call, or a word that stands for one."""
    return ref(f"calls.{namespace}", **{"if": {"type": "object"}, "else": {"enum": words}})


def _several(one: Schema, needed: Schema | None = None) -> Schema:
    """One, or a list, which is never laid over another: what its calls need stands in it."""
    item = {**one, "allOf": [needed]} if needed else one
    return either("array", {"items": opened(item)}, one)


def _by_output(alone: Schema, one: Schema) -> Schema:
    """The same for all, or a map by output."""
    by_name = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[^A-Z]"}}
    return {"if": by_name, "then": {"additionalProperties": opened(one)}, "else": alone}


def _schedule(callable: Callable, defs: Defs) -> Schema:
    """One of kbuild's own or of Keras's, by its name."""
    words: list[Any] = [None, False]
    for name, model in SCHEDULES.items():
        made = section(model, defs)
        if not made.pop("required", None):
            words.append(name)
        defs[f"schedule.{name}"] = {**made, "type": ["object", "null"]}
    targets = {name: f"schedule.{name}" for name in SCHEDULES} | dict(callable.of("schedules"))
    return {**one_of(targets), "if": {"type": "object"}, "else": {"enum": [*words, *bare(callable, "schedules")]}}


def tune(callable: Callable, defs: Defs) -> None:
    """Define `tune`."""
    direction = {"name": {"type": "string"}, "direction": {"enum": ["auto", "min", "max"]}}
    limits = {**dict.fromkeys(("params", "flops", "hours"), _AMOUNT), "memory": {"type": ["number", "string"]}}
    special: dict[str, Schema] = {
        "oracle": _word("oracles", bare(callable, "oracles")),
        "objective": {**mapping(direction, "string"), "required": ["name"]},
        "budget": mapping(limits, "null"),
    }
    known = {**properties(Tune, defs), **{key: _offering(made, defs) for key, made in special.items()}}
    content = {key: about(_SEARCH[key], {k: v for k, v in known[key].items() if k != "default"}) for key in KEYS}
    defs["tune"] = mapping(content, "boolean", "null")
