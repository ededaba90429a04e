"""K326: softmax where a hidden activation should be."""

import pytest

END = "\n- Dense: {units: 10, activation: softmax}"


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Dense: {units: 32, activation: softmax}", "[64]"),
        ("- Dense: {units: 10, activation: softmax}", "[64]"),
        ("- Dense: 32\n- Softmax", "[64]"),
        ("- Dense: 32\n- BatchNormalization\n- Activation: softmax\n- Dropout: 0.2", "[64]"),
    ],
)
def test_fires(find, layers, shape):
    (problem,) = find("K326", layers + END, shape)
    assert problem.severity == "warning"
    assert problem.span.line == 6
    assert "numbers that sum to 1" in problem.message


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Dense: {units: 32, activation: relu}", "[64]"),
        ("- Dense: {units: 9, activation: softmax}", "[64]"),
        ("- {Dense: {units: 64, activation: softmax}, name: gate}\n- {Multiply: null, from: [gate, input]}", "[64]"),
        ("- MultiHeadAttention: {num_heads: 2, key_dim: 4}\n  from: [previous, previous]\n- Flatten", "[7, 8]"),
        ("- Conv2D: {filters: 4, kernel_size: 1, activation: softmax}\n- GlobalAveragePooling2D", "[8, 8, 3]"),
    ],
    ids=["relu", "a mixture of topics", "a gate", "attention", "a vote of places"],
)
def test_is_silent(said, layers, shape):
    assert said("K326", layers + END, shape) == []


def test_is_silent_where_it_is_an_output_too(said):
    layers = "- {Dense: {units: 32, activation: softmax}, name: kind}\n- {Dense: 3, name: score}"
    assert len(said("K326", layers)) == 1
    assert said("K326", layers, end="  outputs: [kind, score]") == []
