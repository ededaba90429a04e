"""Which calls a spec may make.

A spec is untrusted input: nothing in it may run code, load foreign files or open the network.
"""

import re

from kbuild.spec.signature import Signature

_RUNS = "it runs code"
_LOADS = "it loads foreign files"
REFUSED: dict[tuple[str, str], str] = {
    ("layers", "Lambda"): _RUNS,
    ("layers", "JaxLayer"): _RUNS,
    ("layers", "FlaxLayer"): _RUNS,
    ("layers", "TorchModuleWrapper"): _RUNS,
    ("layers", "TFSMLayer"): _LOADS,
    ("callbacks", "LambdaCallback"): _RUNS,
    ("callbacks", "RemoteMonitor"): "it opens the network",
    ("callbacks", "OrbaxCheckpoint"): "it writes where it is told",
}
"""Refused without --trust, and why. What can be told from a signature is told from it, in `reason`."""

INSTEAD: dict[tuple[str, str], str] = {
    ("callbacks", "BackupAndRestore"): "leave it out: kbuild keeps the last model itself",
    ("callbacks", "CSVLogger"): "leave it out: kbuild writes `history.csv` itself",
    ("callbacks", "CallbackList"): "write the callbacks themselves: `train.callbacks` is that list",
    ("callbacks", "History"): "leave it out: kbuild keeps the history itself",
    ("callbacks", "LearningRateScheduler"): "write `train.schedule`",
    ("callbacks", "ModelCheckpoint"): "leave it out: kbuild keeps the best and the last model itself",
    ("callbacks", "ProgbarLogger"): "leave it out: kbuild shows the progress itself",
    ("callbacks", "TensorBoard"): "write `train.tensorboard`, which works on every backend",
}
"""Refused always, and what to write instead."""

NO_ENTRY = frozenset({"Input", "InputSpec", "InputLayer"})
"""Among the layers, and declared under `model.inputs`."""

STRING_LAYERS = frozenset(
    {"StringLookup", "TextVectorization", "Hashing", "HashedCrossing", "IntegerLookup", "FeatureSpace"}
)
"""Layers that need TensorFlow's strings on every backend: kbuild encodes in the data pipeline instead (language.md
6).
"""

_NAMED = re.compile(r"(f|fn|func|function|.*_(fn|fun|func|function))s?\Z")
_CALLABLE = re.compile(r"\b(callable|a function|python function|function to)\b", re.IGNORECASE)


def reason(signature: Signature) -> str | None:
    """Why this call is refused without --trust; None if it may be made."""
    known = REFUSED.get((signature.namespace, signature.name))
    if known:
        return known
    if signature.namespace == "layers" and signature.name in STRING_LAYERS:
        return "it needs TensorFlow's strings; name the column under `data.source.features`, and kbuild encodes it"
    if signature.namespace in {"losses", "metrics"} and takes_functions(signature):
        return _RUNS
    if signature.namespace == "ops" and takes_functions(signature):
        return "it takes a function"
    return None


def may_stand(signature: Signature, trust: bool = False) -> bool:
    """Whether a spec may call it at all: it is not abstract, no input, not refused."""
    if signature.abstract or (signature.namespace == "layers" and signature.name in NO_ENTRY):
        return False
    return (signature.namespace, signature.name) not in INSTEAD and (trust or reason(signature) is None)


def takes_functions(signature: Signature) -> bool:
    """Whether a required parameter is a function, as the documentation of the installed Keras says."""
    return any(
        _NAMED.match(parameter.name) or _CALLABLE.search(signature.documented.get(parameter.name, ""))
        for parameter in signature.parameters
        if parameter.required
    )
