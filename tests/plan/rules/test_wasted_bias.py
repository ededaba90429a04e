"""K312: biases before a batch normalization."""

import pytest

CONV = "Conv2D: {filters: 16, kernel_size: 3}"


@pytest.mark.parametrize(
    ("layers", "shape", "count"),
    [
        (f"- {CONV}\n- BatchNormalization", "[8, 8, 3]", "16"),
        ("- Dense: 32\n- BatchNormalization", "[8]", "32"),
        ("- DepthwiseConv2D: 3\n- BatchNormalization", "[8, 8, 5]", "5"),
        ("- Conv2DTranspose: {filters: 7, kernel_size: 3}\n- BatchNormalization", "[8, 8, 5]", "7"),
        ("- SeparableConv1D: {filters: 9, kernel_size: 3}\n- BatchNormalization", "[8, 5]", "9"),
        (f"- {CONV}\n- BatchNormalization: {{axis: 3}}", "[8, 8, 3]", "16"),
        ("- TimeDistributed: {layer: {Dense: 6}}\n- BatchNormalization", "[8, 5]", "6"),
    ],
)
def test_fires_with_the_number(find, layers, shape, count):
    (problem,) = find("K312", f"{layers}\n- ReLU", shape)
    assert problem.severity == "hint"
    assert f", {count} numbers that learn nothing" in problem.message


@pytest.mark.parametrize(
    "layers",
    [
        "- Conv2D: {filters: 16, kernel_size: 3, use_bias: false}\n- BatchNormalization",
        f"- {CONV}\n- LayerNormalization",
        "- Conv2D: {filters: 16, kernel_size: 3, activation: relu}\n- BatchNormalization",
        f"- {CONV}\n- BatchNormalization: {{axis: 1}}",
        f"- {CONV}\n- ReLU\n- BatchNormalization",
        f"- {{{CONV}, name: a}}\n- BatchNormalization\n- {{Add: null, from: [a, previous]}}",
    ],
    ids=["no bias", "another norm", "activation within", "another axis", "activation between", "also used elsewhere"],
)
def test_is_silent(said, layers):
    assert said("K312", f"{layers}\n- Flatten", "[8, 8, 3]") == []


def test_points_at_the_bias_that_was_written(said):
    top = "vars: {bias: true}"
    assert said("K312", "- Dense: {units: 8, use_bias: $bias}\n- BatchNormalization", top=top) == [("hint", "true")]
    assert said("K312", "- Dense: {units: 8, use_bias: true}\n- BatchNormalization") == [("hint", "true")]


def test_the_blocks_of_the_library_have_none(said):
    layers = "- residual: 8\n- bottleneck: 8\n- mb_conv: 8\n- dense_block: 2\n- Flatten\n- mlp: {units: [8], norm: BatchNormalization}"
    assert said("K312", layers, "[8, 8, 3]") == []
    assert said("K312", "- bottleneck: {filters: 8, bias: true}", "[8, 8, 3]") == [("hint", "true")]
