"""K351: `trainable: false` as an argument of what holds its weights in layers inside."""

import pytest

CALLS = [
    ("MultiHeadAttention", "{num_heads: 2, key_dim: 2@}", ", from: {query: input, value: input}"),
    ("Bidirectional", "{layer: {GRU: 2}@}", ""),
    ("TimeDistributed", "{layer: {Dense: 2}@}", ""),
]
END = "\n- Flatten\n- Dense: 2"


@pytest.mark.parametrize(("name", "arguments", "more"), CALLS)
def test_the_key_beside_the_call_freezes_and_the_argument_does_not(find, name, arguments, more):
    (problem,) = find("K351", f"- {{{name}: {arguments.replace('@', ', trainable: false')}{more}}}{END}", "[4, 3]")
    assert problem.severity == "error"
    assert problem.message.startswith("`trainable: false` as an argument leaves ")
    assert find("K351", f"- {{{name}: {arguments.replace('@', '')}, trainable: false{more}}}{END}", "[4, 3]") == []
    assert find("K351", f"- {{{name}: {arguments.replace('@', ', trainable: true')}{more}}}{END}", "[4, 3]") == []


@pytest.mark.parametrize(
    "call",
    [
        "Dense: {units: 2, trainable: false}",
        "BatchNormalization: {trainable: false}",
        "LSTM: {units: 2, trainable: false}",
    ],
)
def test_what_has_its_weights_itself_is_frozen_by_the_argument(find, call):
    assert find("K351", f"- {{{call}}}{END}", "[4, 3]") == []
