"""K314: the variance that dropout shifts before a batch normalization."""

import pytest

END = "\n- Dense: {units: 2, activation: softmax}"


@pytest.mark.parametrize(
    "layers",
    [
        "- Dropout: 0.5\n- BatchNormalization",
        "- Dropout: 0.5\n- ReLU\n- BatchNormalization",
        "- GaussianDropout: 0.5\n- BatchNormalization",
    ],
)
def test_warns_right_before_it(find, layers):
    (problem,) = find("K314", f"- Dense: 8\n{layers}{END}")
    assert problem.severity == "warning"
    assert problem.span.line == 7
    assert "up to 2 × the variance" in problem.message


@pytest.mark.parametrize(("rate", "severity"), [(0.1, "hint"), (0.49, "hint"), (0.5, "warning"), (0.8, "warning")])
def test_warns_where_the_variance_doubles(said, rate, severity):
    assert said("K314", f"- Dense: 8\n- Dropout: {rate}\n- BatchNormalization{END}") == [(severity, "Dropout")]


def test_through_pooling_too(said):
    layers = "- SpatialDropout2D: 0.5\n- MaxPooling2D\n- BatchNormalization\n- Flatten"
    assert said("K314", layers + END, "[8, 8, 3]") == [("warning", "SpatialDropout2D")]


def test_hints_through_one_layer_with_weights(find):
    (problem,) = find("K314", f"- Dropout: 0.2\n- Dense: 8\n- ReLU\n- BatchNormalization{END}")
    assert problem.severity == "hint"
    assert "through `dense`" in problem.message
    assert "1.25 ×" in problem.message


@pytest.mark.parametrize(
    "layers",
    [
        "- BatchNormalization\n- ReLU\n- Dropout: 0.5",
        "- Dropout: 0\n- BatchNormalization",
        "- AlphaDropout: 0.5\n- BatchNormalization",
        "- Dropout: {rate: 0.2, noise_shape: [null, 1]}\n- BatchNormalization",
        "- StochasticDepth: 0.2\n- BatchNormalization",
        "- Dropout: 0.5\n- LayerNormalization",
        "- Dropout: 0.5\n- LayerNormalization\n- BatchNormalization",
        "- {Dropout: 0.5, name: a}\n- BatchNormalization\n- {Add: null, from: [a, previous]}",
        "- Dropout: 0.5\n- {Dense: {units: 8, activation: relu}, repeat: 2}\n- BatchNormalization",
    ],
    ids=["after", "none", "alpha", "whole examples", "depth", "another", "renewed", "branch", "two layers between"],
)
def test_is_silent(said, layers):
    assert said("K314", f"- Dense: 8\n{layers}{END}") == []


def test_the_library_only_hints(said):
    layers = "- mlp: {units: [16, 8], norm: BatchNormalization, dropout: 0.3}"
    assert said("K314", layers + END) == [("hint", "mlp")]
    assert said("K314", "- mlp: {units: [16, 8], norm: BatchNormalization}" + END) == []


def test_of_two_at_one_place_the_graver_is_told(said):
    top = "blocks:\n  one:\n    params: {dense: $required}\n    layers:\n      - Dropout: 0.5\n"
    top += "      - {Dense: 8, when: $dense}\n      - BatchNormalization"
    layers = f"- {{one: true}}\n- ReLU\n- {{one: false}}{END}"
    assert said("K314", layers, top=top) == [("warning", "Dropout")]
