"""Every class of `keras.layers` that can stand in a spec has a rule, and its numbers are those of the built layer."""

import re

import pytest

from kbuild.plan.cost.table import RULES
from kbuild.spec.call import Call
from kbuild.spec.signature import names, signature

EXCEPTIONS = {
    "Input": "no entry of a chain",
    "InputLayer": "no entry of a chain",
    "Lambda": "runs code, which may have weights",
    "JaxLayer": "runs code, which may have weights",
    "FlaxLayer": "runs code, which may have weights",
    "TorchModuleWrapper": "runs code, which may have weights",
    "TFSMLayer": "loads a file, which may have weights",
}
"""Classes without a rule, and why."""


def classes() -> list[str]:
    found = {name: signature("layers", name) for name in names("layers")}
    return [name for name, each in found.items() if name not in EXCEPTIONS and each and not each.abstract]


DENSE, CELL = Call("layers", "Dense", {"units": 3}), Call("layers", "LSTMCell", {"units": 3})
ARGS = {
    "Activation": {"activation": "relu"},
    "CategoryEncoding": {"num_tokens": 4},
    "CenterCrop": {"height": 4, "width": 4},
    "Discretization": {"bin_boundaries": [0.0, 1.0]},
    "Dot": {"axes": 1},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": [None, 4], "bias_axes": "d"},
    "Embedding": {"input_dim": 5, "output_dim": 3},
    "GroupNormalization": {"groups": 2},
    "GroupQueryAttention": {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2},
    "HashedCrossing": {"num_bins": 4},
    "Hashing": {"num_bins": 4},
    "IntegerLookup": {"vocabulary": [1, 2]},
    "MaxNumBoundingBoxes": {"max_number": 3},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "Permute": {"dims": [2, 1]},
    "Pipeline": {"layers": [DENSE, DENSE]},
    "PositionEmbedding": {"length": 8},
    "RNN": {"cell": [CELL, CELL]},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomPosterization": {"factor": 4},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "RepeatVector": {"n": 2},
    "Rescaling": {"scale": 2.0},
    "Reshape": {"target_shape": [-1]},
    "Resizing": {"height": 4, "width": 4},
    "ReversibleEmbedding": {"input_dim": 5, "output_dim": 3, "tie_weights": False},
    "STFTSpectrogram": {"frame_length": 4, "frame_step": 2, "fft_length": 8},
    "ScheduledDropout": {"rate": 0.5},
    "SpectralNormalization": {"layer": Call("layers", "Dense", {"units": 3, "lora_rank": 1})},
    "StackedRNNCells": {"cells": [CELL, Call("layers", "GRUCell", {"units": 2})]},
    "StringLookup": {"vocabulary": ["a", "b"]},
    "ApplicationPreprocessing": {"application": "ResNet50"},
    "Bidirectional": {"layer": Call("layers", "GRU", {"units": 3, "trainable": False})},
    "TimeDistributed": {"layer": Call("layers", "BatchNormalization")},
}  # fmt: skip
REQUIRED = {
    "units": 3, "filters": 4, "kernel_size": 2, "pool_size": 2, "output_size": 1, "rate": 0.5, "stddev": 0.1,
    "factor": 0.1, "value_range": [0, 255],
}  # fmt: skip
"""Arguments that a class requires, unless `ARGS` has the class."""


MERGING = {
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Attention",
    "AdditiveAttention", "Sampling", "AddLoss",
}  # fmt: skip


def inputs_of(name: str) -> list[object]:
    if name in MERGING:
        return [[(6, 4), (6, 4)]]
    if name in ("MultiHeadAttention", "GroupQueryAttention"):
        return [(6, 4), (6, 4)]
    if name.endswith(("Cell", "Cells")):
        return [(4,), [(3,), (3,)]]
    if name.startswith("ConvLSTM"):
        return [(3, *[6] * int(name[-2]), 4)]
    rank = re.search(r"(\d)D", name)
    if rank:
        return [(*[6] * int(rank[1]), 4)]
    if "Image" in bases(name):
        return [(8, 8, 3)]
    if name in ("RepeatVector", "CategoryEncoding", "MelSpectrogram"):
        return [(4096,) if name == "MelSpectrogram" else (4,)]
    return [(6, 4)]


def bases(name: str) -> str:
    found = signature("layers", name)
    return " ".join(found.bases) if found else ""


@pytest.mark.parametrize("name", classes())
def test_a_class_has_a_rule(name):
    assert name in RULES["layers"]


@pytest.mark.parametrize("namespace", RULES)
def test_a_rule_names_what_there_is(namespace):
    assert set(RULES[namespace]) - set(names(namespace)) == set()


@pytest.mark.parametrize("name", sorted(EXCEPTIONS))
def test_an_exception_is_one(name):
    assert name in names("layers")
    assert name not in RULES["layers"]


NO_TENSOR = {
    "CutMix": "takes pictures with labels",
    "MixUp": "takes pictures with labels",
    "MaxNumBoundingBoxes": "takes pictures with boxes",
    "HashedCrossing": "takes a pair of columns of texts or whole numbers",
    "Hashing": "takes texts or whole numbers",
    "IntegerLookup": "takes whole numbers",
    "StringLookup": "takes texts",
    "TextVectorization": "takes texts",
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"), "takes its states too"),
}
"""Classes that cannot be applied to a tensor of numbers: they are built on the shape alone."""


@pytest.mark.parametrize("name", classes())
def test_its_numbers_are_those_of_keras(count, name):
    found = signature("layers", name)
    required = (
        {p.name: REQUIRED[p.name] for p in found.parameters if p.required and p.name in REQUIRED} if found else {}
    )
    args = ARGS.get(name, required)
    for more in ({}, {"trainable": False}):
        if not more or any(p.name == "trainable" for p in (found.parameters if found else ())):
            assert count(name, {**args, **more}, inputs_of(name), build=name in NO_TENSOR)
