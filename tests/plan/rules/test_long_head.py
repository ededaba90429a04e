"""K318: dense layers after convolutions."""

import pytest

END = "\n- Dense: {units: 10, activation: softmax}"


def test_the_third_hidden_layer_is_one_too_many(find):
    layers = "- conv_pool: 8\n- Flatten\n- Dense: {units: 64, activation: relu}\n- Dense: {units: 32, activation: relu}"
    assert find("K318", layers + END, "[8, 8, 1]") == []
    (problem,) = find("K318", layers + "\n- Dense: {units: 16, activation: relu}" + END, "[8, 8, 1]")
    assert problem.message == "3 hidden dense layers (64, 32, 16) after the convolutions; VGG has 2, ResNet none"
    assert problem.span.line == 10


@pytest.mark.parametrize("pooled", ["Flatten", "GlobalAveragePooling2D", "GlobalMaxPool2D"])
def test_however_it_becomes_a_vector(said, pooled):
    assert said("K318", f"- residual: 8\n- {pooled}\n- mlp: [64, 32, 16]{END}", "[8, 8, 1]") == [("hint", "mlp")]


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Flatten\n- mlp: [64, 32, 16, 8]", "[8, 8]"),
        ("- vgg_head: 64", "[8, 8, 3]"),
        ("- conv_pool: 8\n- vgg_head: 64", "[8, 8, 3]"),
    ],
    ids=["no convolution", "VGG without any", "VGG"],
)
def test_is_silent(said, layers, shape):
    assert said("K318", layers + END, shape) == []


def test_a_decoder_is_no_head(said):
    layers = "- conv_pool: 8\n- Flatten\n- mlp: [64, 8, 64]\n- Dense: 128\n- Reshape: [4, 4, 8]"
    assert said("K318", layers + "\n- Conv2D: {filters: 1, kernel_size: 3, padding: same}", "[8, 8, 1]") == []
