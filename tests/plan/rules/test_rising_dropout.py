"""K317: rates that rise while layers narrow."""

import pytest

END = "\n- Dense: {units: 2, activation: softmax}"


@pytest.mark.parametrize(
    "layers",
    [
        "- mlp: {units: [32, 16], dropout: [0.2, 0.5]}",
        "- mlp: {units: [32, 32], dropout: [0.2, 0.3]}",
        "- mlp: {units: [32, 16], dropout: [0.2, 0.5], norm: BatchNormalization}",
    ],
)
def test_fires(find, layers):
    (problem,) = find("K317", layers + END)
    assert problem.severity == "hint"
    assert problem.message.startswith("`mlp-chain-1-dropout` drops 0.")


@pytest.mark.parametrize(
    "layers",
    [
        "- mlp: {units: [32, 16], dropout: [0.5, 0.2]}",
        "- mlp: {units: [32, 16], dropout: 0.3}",
        "- mlp: {units: [16, 32], dropout: [0.2, 0.5]}",
        "- mlp: {units: [32, 16], dropout: [0, 0.5]}",
        "- mlp: {units: [32, 16], dropout: [0.5, 0]}",
        "- Dense: 32\n- Dropout: 0\n- Dense: 16\n- Dropout: 0.5",
        "- Dropout: 0.1\n- Dense: 32\n- ReLU\n- Dropout: 0.5",
        "- mlp: [32]\n- Dense: 16\n- ReLU\n- Dropout: 0.5",
    ],
    ids=["falls", "one rate", "wider", "first none", "last none", "first 0", "on the input", "once"],
)
def test_is_silent(said, layers):
    assert said("K317", layers + END) == []


def test_convolutions_are_not_compared(said):
    layers = "- conv_pool: 8\n- Dropout: 0.25\n- Flatten\n- Dense: {units: 16, activation: relu}\n- Dropout: 0.5"
    assert said("K317", layers + END, "[8, 8, 1]") == []
