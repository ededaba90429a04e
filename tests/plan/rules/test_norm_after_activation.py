"""K313: batch normalization after an activation."""

import pytest


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ("- Dense: {units: 8, activation: relu}\n- BatchNormalization", "relu"),
        ("- Dense: 8\n- LeakyReLU\n- BatchNormalization", "leakyrelu"),
        ("- Dense: 8\n- Activation: gelu\n- BatchNormalization", "gelu"),
        ("- Dense: 8\n- ops.silu\n- BatchNormalization", "silu"),
    ],
)
def test_fires(find, layers, name):
    (problem,) = find("K313", f"{layers}\n- Dense: 2")
    assert problem.severity == "hint"
    assert f"after the {name} of" in problem.message
    assert problem.span.line == 5 + len(layers.split("\n"))


@pytest.mark.parametrize(
    "layers",
    [
        "- Dense: 8\n- BatchNormalization\n- ReLU",
        "- Dense: {units: 8, activation: relu}\n- LayerNormalization",
        "- Dense: {units: 8, activation: relu}\n- Dropout: 0.1\n- BatchNormalization",
        "- {Dense: {units: 8, activation: relu}, name: a}\n- BatchNormalization\n- {Add: null, from: [a, previous]}",
    ],
    ids=["before", "another norm", "something between", "also used elsewhere"],
)
def test_is_silent(said, layers):
    assert said("K313", f"{layers}\n- Dense: 2") == []
