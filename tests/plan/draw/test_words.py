"""Numbers, shapes and calls in few characters."""

import pytest

from kbuild.plan.draw import words
from kbuild.plan.draw.sizes import width


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "?"),
        (0, "0"),
        (999, "999"),
        (1_000, "1.00 k"),
        (1_338, "1.34 k"),
        (9_995, "10.0 k"),
        (41_000, "41.0 k"),
        (99_950, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (8_215_000_000, "8.21 G"),
        (10**12, "1.00 T"),
        (10**22, "10000 E"),
    ],
)
def test_three_figures_and_a_unit(value, text):
    assert words.scaled(value) == text


def test_bytes():
    assert [words.size(n) for n in (None, 0, 640, 94_350_848)] == ["?", "0 B", "640 B", "94.4 MB"]


def test_numbers_shares_and_shapes():
    assert [words.number(n) for n in (None, 0, 1234567)] == ["?", "0", "1,234,567"]
    assert [words.share(*pair) for pair in ((1, 8), (0, 8), (0, 0), (None, 8), (1, None), (1, 10**6))] == [
        "12.5 %", "", "", "?", "?", "< 0.1 %",
    ]  # fmt: skip
    assert [words.shape(s) for s in (None, (), (4,), (None, 3))] == ["?", "()", "(4,)", "(?, 3)"]
    assert [words.grid(s) for s in (None, (), (4,), (None, 3))] == ["?", "1", "4", "?×3"]
    assert [words.window(s) for s in ((7, 7), (3, 9), (None, None), (3,))] == ["7", "3×9", "all", "3"]


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("Dense: 512", "Dense(512)"),
        ("Dense: {units: 10, activation: softmax, use_bias: true}", "Dense(10, softmax)"),
        ("Conv2D: {filters: 8, kernel_size: [1, 7], padding: same, use_bias: false}", "Conv2D(8, 1×7, same, no bias)"),
        ("Conv2D: {filters: 8, kernel_size: 3, strides: 1, padding: valid}", "Conv2D(8, 3)"),
        ("Conv2D: {filters: 8, kernel_size: 3, strides: 2}", "Conv2D(8, 3, strides=2)"),
        ("MaxPooling2D: 2", "MaxPooling2D"),
        ("MaxPooling2D: 3", "MaxPooling2D(3)"),
        ("BatchNormalization: {momentum: 0.9, epsilon: 1e-5}", "BatchNormalization(momentum=0.9, epsilon=1e-05)"),
        ("Concatenate: {axis: 1}, from: [x, x]", "Concatenate(axis=1)"),
        ("Concatenate: {axis: -1}, from: [x, x]", "Concatenate"),
        ("LSTM: {units: 3, return_sequences: true}", "LSTM(3, return_sequences)"),
        ("Bidirectional: {LSTM: 3}", "Bidirectional(LSTM(3))"),
        ("Dense: {units: 2, kernel_regularizer: {L2: 1e-4}}", "Dense(2, kernel_regularizer=L2(0.0001))"),
        ("ops.multiply: 0.5", "ops.multiply(0.5)"),
        ("Reshape: [2, 2]", "Reshape([2, 2])"),
    ],
)
def test_a_call_is_told_briefly(plan, written, short):
    entry = f"- {{{written}}}" if not written.startswith("ops") else f"- {written}"
    text = f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [{SHAPE.get(written.split(':')[0], '8, 8, 4')}]}}}}\n"
    found = plan(f"{text}  layers:\n    {entry}\n")
    assert words.short(found.steps[-1].call) == short


SHAPE = {"LSTM": "5, 4", "Bidirectional": "5, 4", "Reshape": "4", "Concatenate": "4, 4"}


def test_a_block_in_a_wrapper_is_told_by_its_size(plan):
    found = plan(
        "kbuild: 1\nblocks: {pair: {layers: [{Dense: 2}, ReLU]}}\n"
        "model: {inputs: {x: {shape: [3, 4]}}, layers: [{TimeDistributed: {layer: {pair: null}}}]}\n"
    )
    assert words.short(found.steps[0].call) == "TimeDistributed(<2 layers>)"


def test_wide_letters_are_wider():
    assert width("iiii", 10) < width("nnnn", 10) < width("WWWW", 10)
    assert width("Dense", 12, bold=True) > width("Dense", 12)
    assert width("漢", 10) == 10
