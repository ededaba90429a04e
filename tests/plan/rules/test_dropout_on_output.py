"""K315: answers that are dropped."""

import pytest


@pytest.mark.parametrize(
    "layers",
    [
        "- Dense: 8\n- Dropout: 0.2",
        "- Dense: 8\n- Dropout: 0.2\n- Softmax",
        "- Dense: 8\n- Softmax\n- Dropout: 0.2",
        "- Dense: 8\n- Dropout: 0.2\n- Reshape: [2, 4]",
        "- Dense: 8\n- {Dropout: 0.2}\n- Activation: linear",
    ],
)
def test_fires(said, layers):
    assert said("K315", layers) == [("warning", "Dropout")]


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Dropout: 0.2\n- Dense: 8", "[4]"),
        ("- Dense: 8\n- Dropout: 0", "[4]"),
        ("- Conv2D: {filters: 4, kernel_size: 3}\n- GlobalAveragePooling2D\n- Dropout: 0.2", "[8, 8, 1]"),
        ("- Dropout: 0.2", "[4]"),
        ("- {Dense: 4, name: a}\n- Dropout: 0.2\n- {Add: null, from: [a, previous]}", "[4]"),
        ("- LSTM: 8\n- Dropout: 0.2", "[4, 2]"),
    ],
    ids=["before", "none", "pooled features", "nothing learned", "a residual", "a state"],
)
def test_is_silent(said, layers, shape):
    assert said("K315", layers, shape) == []


def test_names_the_output_and_the_layer(find):
    layers = "- {Dense: 8, name: a}\n- {Dense: 2, name: score}\n- {Dropout: 0.25, name: chance}\n- {Dense: 2, from: a, name: other}"
    (problem,) = find("K315", layers, end="  outputs: [chance, other]")
    assert problem.message == "`chance` drops 25% of the output `chance`"
    assert problem.help == "put it before `score`"
