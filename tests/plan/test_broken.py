"""Broken networks, each with the place that a person would change: ⟦…⟧ marks it in the spec."""

import numpy as np
import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError

IMAGE = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [28, 28, 1]}}\n  layers:\n"
GRAY = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [28, 28]}}\n  layers:\n"
ROW = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [8]}}\n  layers:\n"
WORDS = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [20]}}\n  layers:\n"
STEPS = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [20, 6]}}\n  layers:\n"
DIGITS = "kbuild: 1\ndata: {source: digits}\n"

BROKEN = {
    "a channel axis is missing": (
        GRAY + "    - ⟦Conv2D⟧: {filters: 8, kernel_size: 3}\n",
        "K207", "needs (rows, columns, channels) but gets (28, 28)", "Reshape: [28, 28, 1]",
    ),
    "a convolution after Flatten": (
        IMAGE + "    - Flatten\n    - ⟦Conv2D⟧: {filters: 8, kernel_size: 3}\n",
        "K207", "gets (784,)", "in front of `flatten`",
    ),
    "a kernel larger than the map": (
        IMAGE + "    - MaxPooling2D: 14\n    - ⟦Conv2D⟧: {filters: 8, kernel_size: 5}\n",
        "K207", "(2 - 5) // 1 + 1 = -2", "padding: same",
    ),
    "pooled once too often": (
        IMAGE + "    - {⟦MaxPooling2D⟧: null, repeat: 5}\n",
        "K207", "spans 2 rows, but gets only 1", "pool less",
    ),
    "valid convolutions in a repeat": (
        IMAGE + "    - {⟦Conv2D⟧: {filters: 8, kernel_size: 7}, repeat: 6}\n",
        "K207", "(4 - 7) // 1 + 1", "padding: same",
    ),
    "a dilated kernel": (
        IMAGE + "    - ⟦Conv2D⟧: {filters: 8, kernel_size: 3, dilation_rate: 16}\n",
        "K207", "16 * (3 - 1) + 1 = 33", "`dilation_rate`",
    ),
    "strides and dilation": (
        IMAGE + "    - ⟦Conv2D⟧: {filters: 8, kernel_size: 3, dilation_rate: 2, strides: 2}\n",
        "K207", "`strides` or `dilation_rate`", "set one of them to 1",
    ),
    "groups that do not divide": (
        IMAGE + "    - ⟦Conv2D⟧: {filters: 8, kernel_size: 3, groups: 2}\n",
        "K207", "1 input channels into 2 groups", "must divide 1",
    ),
    "stacked LSTMs": (
        STEPS + "    - LSTM: 8\n    - ⟦LSTM⟧: 8\n",
        "K207", "needs (time, features) but gets (8,)", "return_sequences: true",
    ),
    "stacked GRUs in a repeat": (
        STEPS + "    - {⟦GRU⟧: 8, repeat: 2}\n",
        "K207", "needs (time, features) but gets (8,)", "return_sequences: true",
    ),
    "attention after a recurrent layer": (
        STEPS + "    - LSTM: 8\n    - {⟦MultiHeadAttention⟧: {num_heads: 2, key_dim: 4}, from: {query: previous, value: previous}}\n",
        "K207", "needs (time, features) but gets (8,)", "return_sequences: true",
    ),
    "token ids into an LSTM": (
        WORDS + "    - ⟦LSTM⟧: 8\n",
        "K207", "needs (time, features) but gets (20,)", "Embedding",
    ),
    "token ids into a convolution": (
        WORDS + "    - ⟦Conv1D⟧: {filters: 8, kernel_size: 3}\n",
        "K207", "needs (steps, channels) but gets (20,)", "Embedding",
    ),
    "an embedding of what is embedded": (
        WORDS + "    - Embedding: {input_dim: 9, output_dim: 4}\n    - Embedding: {input_dim: 9, output_dim: 4}\n    - ⟦LSTM⟧: 8\n",
        "K207", "gets (20, 4, 4)", "TimeDistributed",
    ),
    "branches that shrink differently": (
        IMAGE + "    - ⟦branches⟧:\n        - [{Conv2D: {filters: 8, kernel_size: 3}}, ReLU]\n        - [{Conv2D: {filters: 8, kernel_size: 5}}, ReLU]\n",
        "K207", "on axis 1 they have 26 and 24", "padding: same",
    ),
    "a residual with other channels": (
        IMAGE + "    - Conv2D: {filters: 8, kernel_size: 3, padding: same}\n    - branches:\n        - [{Conv2D: {filters: 16, kernel_size: 3, padding: same}}, BatchNormalization]\n        - []\n      merge: ⟦Add⟧\n",
        "K207", "cannot merge (28, 28, 16) and (28, 28, 8): 16 against 8", "kernel 1",
    ),
    "a residual with strides": (
        IMAGE + "    - Conv2D: {filters: 8, kernel_size: 3, padding: same}\n    - branches:\n        - [{Conv2D: {filters: 8, kernel_size: 3, strides: 2, padding: same}}]\n        - []\n      merge: ⟦Add⟧\n",
        "K207", "cannot merge (14, 14, 8) and (28, 28, 8): 14 against 28", "strides",
    ),
    "two inputs of other ranks": (
        "kbuild: 1\nmodel:\n  inputs: {image: {shape: [8, 8, 3]}, meta: {shape: [4]}}\n  layers:\n    - {Conv2D: {filters: 4, kernel_size: 3}, from: image, name: c}\n    - {⟦Concatenate⟧: null, from: [c, meta]}\n",
        "K207", "needs inputs with equally many axes but gets (6, 6, 4) and (4,)", "Flatten",
    ),
    "a skip of a U-Net": (
        "kbuild: 1\nmodel:\n  inputs: {x: {shape: [30, 30, 3]}}\n  layers:\n    - {Conv2D: {filters: 4, kernel_size: 3, padding: same}, name: skip}\n    - MaxPooling2D: 4\n    - UpSampling2D: 4\n    - {⟦Concatenate⟧: null, from: [previous, skip]}\n",
        "K207", "28 and 30", "ZeroPadding2D",
    ),
    "an Add of one": (
        ROW + "    - Dense: 8\n    - ⟦Add⟧\n",
        "K207", "needs a list of inputs but gets one tensor", "from: [a, b]",
    ),
    "a Dense of two": (
        ROW + "    - {Dense: 8, name: a}\n    - {⟦Dense⟧: 8, from: [a, x]}\n",
        "K207", "takes one input but gets 2", "Concatenate",
    ),
    "a dot along other axes": (
        ROW + "    - {Dense: 4, name: a}\n    - {⟦Dot⟧: {axes: 1}, from: [a, x]}\n",
        "K207", "4 and 8 places", "axes count the batch",
    ),
    "three blocks deep": (
        "kbuild: 1\nblocks:\n  inner:\n    params: {f: $required}\n    layers:\n      - Conv2D: {filters: $f, kernel_size: 3, padding: same}\n      - {⟦Add⟧: null, from: [input, previous]}\n  middle: [{inner: 4}]\n  outer: [{middle: null, repeat: 2}]\nmodel:\n  inputs: {x: {shape: [8, 8, 3]}}\n  layers: [outer]\n",
        "K207", "3 against 4", "kernel 1",
    ),
    "in a repeat of a user's block": (
        "kbuild: 1\nblocks:\n  down: [{Conv2D: {filters: 4, kernel_size: 3, padding: same}}, {⟦MaxPooling2D⟧: 3}]\nmodel:\n  inputs: {x: {shape: [20, 20, 1]}}\n  layers:\n    - {down: null, repeat: 3}\n",
        "K207", "spans 3 rows, but gets only 2", "pool less",
    ),
    "a shipped block on a row": (
        ROW + "    - Dense: 16\n    - ⟦residual⟧: 8\n",
        "K207", "`Conv2D` needs (rows, columns, channels) but gets (16,)", "Reshape",
    ),
    "a shipped block used too deep": (
        "kbuild: 1\nblocks:\n  body: [{⟦conv_pool⟧: [8, 8, 8, 8]}]\nmodel:\n  inputs: {x: {shape: [8, 8, 1]}}\n  layers: [body]\n",
        "K207", "`MaxPooling2D` spans 2 rows, but gets only 1", "pool less",
    ),
    "a transformer on token ids": (
        WORDS + "    - ⟦transformer_encoder⟧: {heads: 2, ff: 8}\n",
        "K207", "`MultiHeadAttention` needs (time, features) but gets (20,)", "Embedding",
    ),
    "heads that do not divide": (
        STEPS + "    - ⟦GroupQueryAttention⟧: {head_dim: 2, num_query_heads: 3, num_key_value_heads: 2}\n      from: {query: x, value: x}\n",
        "K207", "cannot share 2 key and value heads among 3 query heads", "must divide 3",
    ),
    "values and keys of other lengths": (
        "kbuild: 1\nmodel:\n  inputs: {q: {shape: [5, 4]}, v: {shape: [7, 4]}, k: {shape: [6, 4]}}\n  layers:\n    - {⟦MultiHeadAttention⟧: {num_heads: 2, key_dim: 4}, from: {query: q, value: v, key: k}}\n",
        "K207", "(7, 4) and (6, 4)", "pairs",
    ),
    "used again for another size": (
        ROW + "    - {Dense: 4, name: enc}\n    - {Dense: 6, from: x, name: other}\n    - {reuse: ⟦enc⟧, from: other}\n    - {Add: null, from: [enc, previous]}\n",
        "K216", "was made for 8 features and gets 6", "same size",
    ),
    "a block used again on a smaller map": (
        IMAGE + "    - {chain: [{⟦Conv2D⟧: {filters: 1, kernel_size: 15}}], name: enc}\n    - {reuse: enc, from: enc}\n",
        "K207", "(14 - 15) // 1 + 1 = 0", "padding: same",
    ),
    "in a block under TimeDistributed": (
        "kbuild: 1\nblocks:\n  frame: [{Conv2D: {filters: 4, kernel_size: 3}}, {⟦Conv2D⟧: {filters: 4, kernel_size: 9}}]\nmodel:\n  inputs: {x: {shape: [5, 10, 10, 1]}}\n  layers:\n    - TimeDistributed: {layer: frame}\n",
        "K207", "(8 - 9) // 1 + 1 = 0", "padding: same",
    ),
    "TimeDistributed without a time": (
        ROW + "    - ⟦TimeDistributed⟧: {Dense: 4}\n",
        "K207", "needs (time, …)", "leave the wrapper out",
    ),
    "a layer under TimeDistributed": (
        STEPS + "    - ⟦TimeDistributed⟧: {Conv2D: {filters: 4, kernel_size: 3}}\n",
        "K207", "`Conv2D` needs (rows, columns, channels) but gets (6,)", "",
    ),
    "a target shape of other values": (
        IMAGE + "    - Flatten\n    - ⟦Reshape⟧: [14, 14, 1]\n",
        "K207", "784 values are not 14 * 14 * 1 = 196", "must multiply to 784",
    ),
    "a permutation of too many axes": (
        IMAGE + "    - ⟦Permute⟧: [2, 1]\n",
        "K207", "orders 2 axes but its input (28, 28, 1) has 3", "every axis but the batch",
    ),
    "a repeat of what is no row": (
        IMAGE + "    - ⟦RepeatVector⟧: 3\n",
        "K207", "needs (features,) but gets (28, 28, 1)", "Flatten",
    ),
    "cropped away": (
        IMAGE + "    - ⟦Cropping2D⟧: 14\n",
        "K207", "28 - 14 - 14 = 0", "cut less",
    ),
    "a normalization of the batch axis": (
        IMAGE + "    - ⟦BatchNormalization⟧: {axis: 0}\n",
        "K207", "cannot have the batch as its `axis`", "-1",
    ),
    "groups of a normalization": (
        IMAGE + "    - Conv2D: {filters: 24, kernel_size: 3}\n    - ⟦GroupNormalization⟧\n",
        "K207", "24 channels into 32 groups", "groups: 24",
    ),
    "positions for too few steps": (
        STEPS + "    - ⟦PositionEmbedding⟧: 10\n",
        "K207", "has 10 places but gets 20 steps", "at least 20",
    ),
    "a state of another size": (
        STEPS + "    - {GRU: {units: 3, return_state: true}, name: enc, outputs: [_, h]}\n    - {⟦GRU⟧: 5, from: {sequences: x, initial_state: enc.h}}\n",
        "K207", "initial state of (5,) but gets (3,)", "as many units",
    ),
    "joined without an axis": (
        ROW + "    - {Dense: 8, name: a}\n    - {⟦ops.concatenate⟧: null, from: [a, x]}\n",
        "K207", "without `axis` joins along axis 0, the batch", "axis: -1",
    ),
    "stacked without an axis": (
        ROW + "    - {Dense: 8, name: a}\n    - {⟦ops.stack⟧: null, from: [a, x]}\n",
        "K207", "puts its new axis in front of the batch", "axis: 1",
    ),
    "a mean of all": (
        IMAGE + "    - ⟦ops.mean⟧\n    - Dense: 4\n",
        "K207", "without `axis` takes the examples of a batch together", "axis: [1, 2, 3]",
    ),
    "a mean over the batch as output": (
        IMAGE + "    - Dense: 4\n    - ⟦ops.max⟧: {axis: [0, 1]}\n",
        "K207", "over axis [0, 1] takes the examples", "axis 0 is the batch",
    ),
    "reshaped without the batch": (
        ROW + "    - ⟦ops.reshape⟧: [4, 2]\n    - ops.multiply: 2.0\n    - LSTM: 4\n",
        "K207", "leaves no axis for the batch", "Reshape: [4, 2]",
    ),
    "reshaped into the batch": (
        IMAGE + "    - ⟦ops.reshape⟧: [-1, 28]\n    - Dense: 4\n",
        "K207", "makes 28 rows of each example", "Reshape",
    ),
    "a broadcast that does not fit": (
        ROW + "    - {Dense: 4, name: a}\n    - {⟦ops.add⟧: null, from: [a, x]}\n",
        "K207", "4 against 8", "equal or 1",
    ),
    "an equation of other sizes": (
        STEPS + "    - {Dense: 4, name: a}\n    - {ops.einsum: ⟦\"bth,bsh->bts\"⟧, from: [a, x]}\n",
        "K207", "axis `h` of `bth,bsh->bts` has 4 in one operand and 6 in another", "",
    ),
    "units for other classes": (
        DIGITS + "model: [Flatten, {⟦Dense⟧: {units: 9, activation: softmax}}]\n",
        "K220", "9 units and the data have 10 classes", "10 units",
    ),
    "a Dense on an image": (
        DIGITS + "model: [{Dense: {units: 32, activation: relu}}, {⟦Dense⟧: {units: 10, activation: softmax}}]\n",
        "K222", "is [8, 8, 10] for each example and its label is one number", "Flatten",
    ),
    "a sequence as output": (
        "kbuild: 1\ndata: {source: digits, preprocess: [{Reshape: [8, 8]}]}\nmodel:\n  - LSTM: {units: 8, return_sequences: true}\n  - ⟦Dense⟧: {units: 10, activation: softmax}\n",
        "K222", "is [8, 10] for each example", "leave `return_sequences` out",
    ),
    "a gate for other channels": (
        IMAGE + "    - {Conv2D: {filters: 8, kernel_size: 3}, name: c}\n    - GlobalAveragePooling2D\n    - Dense: {units: 4, activation: sigmoid}\n    - {⟦Multiply⟧: null, from: [c, previous]}\n",
        "K207", "8 against 4", "channels 8 values",
    ),
    "a map for labels of another size": (
        "kbuild: 1\ndata: {source: {npz: seg.npz, x: x, y: y}}\nmodel:\n  - MaxPooling2D\n  - ⟦Conv2D⟧: {filters: 5, kernel_size: 1, activation: softmax}\ntrain: {loss: sparse_categorical_crossentropy}\n",
        "K222", "is [4, 4, 5] for each example and its label is [8, 8]", "[8, 8] places",
    ),
    "a number where a block walks a list": (
        ROW + "    - mlp: ⟦3⟧\n",
        "K105", "`units` of the block `mlp` takes a list, not `3`", "mlp: [3]",
    ),
    "a size that nobody knows": (
        "kbuild: 1\nmodel:\n  inputs: {x: {shape: [null, null, 3]}}\n  layers:\n    - Dense: ⟦\"${input_shape[0]}\"⟧\n",
        "K124", "a size that is not known here", "model.inputs",
    ),
}  # fmt: skip


def marked(text: str) -> tuple[str, int, int, str]:
    """A spec without its mark; line and column of the mark, and what it marks."""
    start, stop = text.index("⟦"), text.index("⟧")
    line = text.count("\n", 0, start) + 1
    return text.replace("⟦", "").replace("⟧", ""), line, start - text.rfind("\n", 0, start), text[start + 1 : stop]


def errors(text: str) -> tuple[Problem, ...]:
    try:
        return tuple(problem for problem in check(load(text)).problems if problem.severity == "error")
    except SpecError as error:
        return tuple(problem for problem in error.problems if problem.severity == "error")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_network_is_told_where_a_person_would_change_it(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "seg.npz" in BROKEN[name][0]:
        np.savez("seg.npz", x=np.zeros((6, 8, 8, 3), "float32"), y=np.zeros((6, 8, 8), "int32"))
    text, code, message, help = BROKEN[name]
    spec, line, column, _ = marked(text)
    found = errors(spec)
    assert found, "nothing is wrong with it"
    first = found[0]
    assert (first.code, first.span.line, first.span.column) == (code, line, column), first
    assert message in first.message
    assert help in (first.help or "")
    assert len(found) == 1, "one mistake, told once"


FINE = {
    "a penalty": "    - {ops.mean: null, name: penalty}\n    - {AddLoss: null, from: [x, penalty]}\n",
    "a scaled penalty": "    - ops.mean\n    - Rescaling: 0.5\n    - {AddLoss: null, from: [x, previous]}\n",
    "statistics of the batch": "    - {ops.std: {axis: 0}, name: s}\n    - {ops.divide: null, from: [x, s]}\n    - Dense: 3\n",
    "folded and unfolded": "    - ops.reshape: [-1, 4]\n    - Dense: 4\n    - ops.reshape: [-1, 8]\n    - Dense: 3\n",
    "two views as one batch": "    - {ops.concatenate: {axis: 0}, from: [x, x]}\n    - Dense: 4\n    - ops.split: {indices_or_sections: 2, axis: 0}\n",
    "repeated and taken apart": "    - ops.repeat: {repeats: 3, axis: 0}\n    - ops.split: {indices_or_sections: 3, axis: 0}\n    - Dense: 3\n",
}


@pytest.mark.parametrize("name", FINE)
def test_the_batch_may_be_taken_where_its_rows_come_back(name):
    assert errors(ROW + FINE[name]) == ()


def test_each_incoming_branch_is_shown_with_what_gave_it_its_shape():
    spec, *_ = marked(BROKEN["branches that shrink differently"][0])
    notes = [(note.message, note.span.line) for note in errors(spec)[0].related]
    assert notes == [
        ("branch 1: `conv2d` gives (26, 26, 8), handed on by `re_lu`", 6),
        ("branch 2: `conv2d_1` gives (24, 24, 8), handed on by `re_lu_1`", 7),
    ]


def test_of_many_inputs_those_that_differ_are_shown():
    body = "".join(f"    - {{Dense: {4 if i == 8 else 5}, from: x, name: n{i}}}\n" for i in range(10))
    names = ", ".join(f"n{i}" for i in range(10))
    notes = [note.message for note in errors(ROW + body + f"    - {{Add: null, from: [{names}]}}\n")[0].related]
    assert len(notes) == 6
    assert "input 9: `n8` gives (4,)" in notes


def test_the_trail_passes_over_what_keeps_the_shape():
    body = "    - Dense: 4\n    - ReLU\n    - BatchNormalization\n    - Dropout: 0.2\n    - Conv2D: {filters: 3, kernel_size: 3}\n"
    notes = [note.message for note in errors(ROW + body)[0].related]
    assert notes == ["the input `x` is (8,)", "`dense` gives (4,)"]


def test_what_follows_from_a_mistake_is_not_told_again():
    """The block's sizes are unknown only because the entry above it is wrong."""
    found = errors(
        IMAGE + "    - Conv2D: {filters: 4, kernel_size: 40}\n    - squeeze_excite\n    - self_attention: 2\n"
    )
    assert [problem.code for problem in found] == ["K207"]


def test_a_size_that_nobody_knows_says_where_it_is_open():
    found = errors(marked(BROKEN["a size that nobody knows"][0])[0])
    assert [note.message for note in found[0].related] == ["the input `x` is (?, ?, 3)"]
