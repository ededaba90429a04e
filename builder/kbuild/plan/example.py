"""Signature → an entry that shows it: the arguments that it needs, an input that it fits, tried with `check`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kbuild.plan.check import check
from kbuild.plan.plan import Shape
from kbuild.spec.allow import may_stand
from kbuild.spec.argument import label
from kbuild.spec.block import head_example
from kbuild.spec.calls import required
from kbuild.spec.load import load
from kbuild.spec.names import snake_case
from kbuild.spec.signature import Signature, identifiers
from kbuild.spec.spec import Block
from kbuild.text.node import plain
from kbuild.text.problem import SpecError
from kbuild.text.read import read
from kbuild.text.source import Source
from kbuild.text.write import write

VALUES: Mapping[str, Any] = {
    "units": 8, "filters": 8, "kernel_size": 3, "pool_size": 2, "output_size": 2, "num_heads": 2, "key_dim": 4,
    "head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2, "input_dim": 1000, "output_dim": 16, "length": 10,
    "rate": 0.2, "stddev": 0.1, "steps": 1000, "scale": "${1 / 255}", "factor": 0.1, "height_factor": 0.1,
    "width_factor": 0.1, "height": 6, "width": 6, "n": 3, "dims": [2, 1], "axes": 1, "target_shape": [4, 4],
    "equation": "abc,cd->abd", "output_shape": [None, 8], "activation": "relu", "application": "ResNet50",
    "max_number": 4, "layer": {"Dense": 8}, "cell": {"LSTMCell": 8}, "cells": [{"LSTMCell": 8}, {"LSTMCell": 8}],
    "layers": [{"Rescaling": 2.0}, "RandomFlip"], "optimizer": {"Adam": 0.001}, "inner_optimizer": {"Adam": 0.001},
    "initial_learning_rate": 0.001, "decay_steps": 1000, "first_decay_steps": 1000, "decay_rate": 0.9,
    "boundaries": [1000, 2000], "values": [0.1, 0.01, 0.001], "num_classes": 10, "target_class_ids": [0],
    "precision": 0.9, "recall": 0.9, "sensitivity": 0.9, "specificity": 0.9, "include_top": False, "weights": None,
}  # fmt: skip
"""Argument → a value that shows what it is for."""
OF_OPERATIONS: Mapping[str, Any] = {
    "axis": -1, "x_min": 0.0, "x_max": 1.0, "dtype": "float32", "newshape": [-1, 4, 4], "shape": [-1, 4, 4],
    "repeats": 2, "indices_or_sections": 2, "q": 0.5, "k": 3, "shift": 1, "fill_value": 0.0, "num_classes": 10,
    "pad_width": [[0, 0], [1, 1]], "block_size": 2, "source": 1, "destination": 2, "axis1": 1, "axis2": 2,
    "threshold": 0.5, "default_value": 0.0, "kth": 2, "bins": [0.0, 0.5, 1.0], "max_val": 1.0, "indices": 0,
    "sequence_length": 4, "sequence_stride": 2, "fft_length": 4, "kernel_size": 3, "pool_size": 2, "output_size": 2,
    "axes": -1, "subscripts": "bi,bj->bij", "pattern": "b (h w) -> b h w",
}  # fmt: skip
"""The same of operations, where names mean other things."""
ALSO: Mapping[str, Mapping[str, Any]] = {
    "Bidirectional": {"layer": {"LSTM": 8}},
    "Normalization": {"mean": 0.0, "variance": 1.0},
    "Discretization": {"bin_boundaries": [0.0, 1.0]},
    "CategoryEncoding": {"num_tokens": 10},
    "GroupNormalization": {"groups": 4},
    "RandomPosterization": {"factor": 4},
    "RandomFlip": {"mode": "horizontal"},
}
"""What an example of one call says beside, or in place of, `VALUES`."""
_TENSORS = (16,), (10, 4), (8, 8, 3), (8, 8, 8, 2), (10,)
_BY_RANK = {"1D": (10, 4), "2D": (8, 8, 3), "3D": (8, 8, 8, 2)}
_FITTING: Mapping[str, tuple[int, ...]] = {
    "ConvLSTM1D": (4, 8, 3),
    "ConvLSTM2D": (4, 8, 8, 3),
    "ConvLSTM3D": (4, 8, 8, 8, 2),
    "MelSpectrogram": (16000,),
    "STFTSpectrogram": (16000, 1),
    "dot_product_attention": (10, 2, 4),
}
_PHOTO = (224, 224, 3)
_SECTION: Mapping[str, tuple[str, str]] = {
    "optimizers": ("train", "optimizer"),
    "schedules": ("train", "schedule"),
    "losses": ("train", "loss"),
    "metrics": ("train", "metrics"),
    "callbacks": ("train", "callbacks"),
    "oracles": ("tune", "oracle"),
}
"""Namespace → the key of which section its calls stand at."""
_BY_DEFAULT = frozenset({"optimizers", "initializers", "regularizers", "constraints"})
"""Namespaces whose examples show the first argument, be it needed or not."""
_ARGUMENT = {
    "activations": "activation",
    "initializers": "kernel_initializer",
    "regularizers": "kernel_regularizer",
    "constraints": "kernel_constraint",
}
"""Namespace → the argument of a layer that its calls stand at."""


@dataclass(frozen=True, slots=True)
class Example:
    """An entry of a chain, or a part of a section, that `check` takes.

    Args:
        text: as a spec writes it; no line break at the end.
        inputs: by name, the shapes that it was tried with; empty for a section.
        output: the shape that comes out of an entry; None if it is not known.
    """

    text: str
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    output: Shape = None


@dataclass(frozen=True, slots=True)
class _Try:
    """An entry with the inputs to try it with."""

    entry: Any
    shape: tuple[int, ...] = (16,)
    names: tuple[str, ...] = ("x",)
    dtype: str = "float32"


def example(found: Signature) -> Example | None:
    """An entry that shows a call; None if it is refused, or if none was found that passes."""
    if not may_stand(found):
        return None
    if found.namespace in _SECTION:
        return _in_section(found)
    if found.namespace in _ARGUMENT:
        return _first([_Try({"Dense": {"units": 8, _ARGUMENT[found.namespace]: _word(found)}})])
    made = _first(_tries(found))
    # of an operation whose shapes no rule knows, nothing says that the example means anything
    return None if made and made.output is None and found.namespace == "ops" else made


def block_example(block: Block) -> Example | None:
    """The example that a block's file gives, with an input that it fits."""
    entry = plain(read(Source("example", head_example(block))))
    return _first(_Try(entry, shape) for shape in ((16,), (10, 32), (8, 8, 32)))


def _first(tries: Iterable[_Try]) -> Example | None:
    """The first that passes and changes the shape, else the first that passes with a shape that is known."""
    passed: list[Example] = []
    for given in tries:
        made = _checked(given)
        if made is not None and made.output is not None and made.output not in made.inputs.values():
            return made
        passed += [made] if made is not None else []
    return next((made for made in passed if made.output is not None), passed[0] if passed else None)


def _tries(found: Signature) -> Iterator[_Try]:
    """Entries and inputs, the likeliest first."""
    if found.name.endswith(("Cell", "Cells")):
        yield _Try({"RNN": {"cell": {found.name: _short(found, _arguments(found))}}}, (10, 4))
        return
    for count in _counts(found):
        # inputs fill the first parameters of an operation, or all that it takes beyond those
        filled = count if found.namespace == "ops" and not found.rest else 0
        names = ("x",) if count == 1 else ("a", "b", "c")[:count]
        beside = {} if count == 1 else {"from": list(names)}
        for arguments in _several(found, filled):
            entry = {label(found): _short(found, arguments, filled), **beside}
            for dtype in ("int32", "float32") if _words(found) else ("float32", "int32"):
                yield from (_Try(entry, shape, names, dtype) for shape in _shapes(found))


def _several(found: Signature, filled: int) -> Iterator[dict[str, Any]]:
    """Arguments to try: those that are needed; for an operation then the axis too, which keeps examples apart."""
    arguments = _arguments(found, filled)
    if None in arguments.values() and found.namespace != "applications":
        return
    yield arguments
    names = [parameter.name for parameter in found.parameters[filled:]]
    if found.namespace == "ops" and "axis" in names and "axis" not in arguments:
        yield {**arguments, "axis": -1}


def _words(found: Signature) -> bool:
    """Whether its input are numbers of words or classes."""
    return found.name in {"Embedding", "ReversibleEmbedding", "CategoryEncoding"}


def _counts(found: Signature) -> tuple[int, ...]:
    """How many inputs to try."""
    if found.rest:
        return (2,)
    if found.namespace == "ops":
        needed = [parameter.name for parameter in found.parameters if parameter.required]
        return (1,) if set(needed[1:]) <= set(OF_OPERATIONS) else (2, 3)
    tensors = sum(parameter.required for parameter in found.call)
    return (2,) if "Merge" in found.bases or tensors == 2 else (3,) if tensors == 3 else (1, 2)


def _shapes(found: Signature) -> tuple[tuple[int, ...], ...]:
    if found.namespace == "applications":
        return (_PHOTO, (331, 331, 3))
    if _words(found):
        return ((10,),)
    if any("ImagePreprocessing" in base for base in found.bases):
        return (_BY_RANK["2D"],)
    if found.name in _FITTING:
        return (_FITTING[found.name],)
    rank = next((shape for word, shape in _BY_RANK.items() if word in found.name), None)
    likely = [rank] if rank else [(10, 4)] if found.namespace == "ops" else []
    return (*likely, *(shape for shape in _TENSORS if shape not in likely))


def _arguments(found: Signature, filled: int = 0) -> dict[str, Any]:
    """The arguments that an example writes: those that are required, less those that inputs fill."""
    also = ALSO.get(found.name, {})
    taken = {parameter.name for parameter in found.parameters[:filled]}
    names = [*(name for name in required(found) if name not in taken), *also]
    values = OF_OPERATIONS if found.namespace == "ops" else VALUES
    return {name: also.get(name, values.get(name)) for name in names}


def _short(found: Signature, arguments: dict[str, Any], filled: int = 0) -> Any:
    """A lone value where one argument is written and it is the first; nothing where there is none."""
    first = found.parameters[filled].name if found.positional > filled else ""
    if list(arguments) == [first]:
        return arguments[first]
    return arguments or None


def _word(found: Signature) -> Any:
    """What stands in a section or at an argument: a string where Keras takes one, else a call."""
    word = snake_case(found.name)
    if found.namespace in {"activations", "initializers", "losses"} and word in identifiers(found.namespace):
        return word
    arguments = _arguments(found)
    first = found.parameters[0] if found.positional else None
    if not arguments and first and found.namespace in _BY_DEFAULT and isinstance(first.default, int | float):
        arguments = {first.name: first.default}
    if found.namespace == "oracles" and any(parameter.name == "max_trials" for parameter in found.parameters):
        arguments |= {"max_trials": 30}
    if not arguments and found.namespace in _SECTION:
        return found.name
    return {found.name: _short(found, arguments)}


def _in_section(found: Signature) -> Example | None:
    section, key = _SECTION[found.namespace]
    word = _word(found)
    if None in _arguments(found).values():
        return None
    part: Any = {section: {key: [word] if found.namespace in {"metrics", "callbacks"} else word}}
    if found.name == "SwapEMAWeights":
        # it swaps in what the optimizer keeps
        part = {section: {"optimizer": {"Adam": {"use_ema": True}}, **part[section]}}
    # a loss of probabilities wants an output that gives some
    heads = [{"Dense": {"units": 8, "activation": name}} for name in ("linear", "softmax", "sigmoid")]
    passes = any(_checked(_Try(head), part) for head in heads)
    return Example(write(part).rstrip()) if passes else None


def _checked(given: _Try, beside: Mapping[str, Any] | None = None) -> Example | None:
    """The example, if `check` has no error with it; `beside` are sections of the spec that it stands in."""
    inputs = {name: {"shape": list(given.shape), "dtype": given.dtype} for name in given.names}
    spec: Any = {"kbuild": 1, "model": {"inputs": inputs, "layers": [given.entry]}, **(beside or {})}
    try:
        plan = check(load(write(spec))).plan
    except SpecError:
        return None
    outputs = list(plan.outputs.values())
    shapes = dict.fromkeys(given.names, given.shape)
    return Example(_text(given.entry), shapes, plan.shape(outputs[0]) if outputs else None)


def _text(entry: Any) -> str:
    """`- Flatten`, `- Dense: 8`: what needs no argument is a name alone."""
    alone = isinstance(entry, dict) and len(entry) == 1 and None in entry.values()
    return write([*entry] if alone else [entry]).rstrip()
