"""K329: what cuDNN's kernel does not have."""

import pytest


@pytest.mark.parametrize(
    ("layer", "listed"),
    [
        ("LSTM: {units: 4, activation: relu}", "`activation: relu`"),
        ("GRU: {units: 4, recurrent_activation: hard_sigmoid}", "`recurrent_activation: hard_sigmoid`"),
        ("LSTM: {units: 4, recurrent_dropout: 0.2}", "`recurrent_dropout: 0.2`"),
        ("LSTM: {units: 4, unroll: true}", "`unroll: true`"),
        ("LSTM: {units: 4, use_bias: false}", "`use_bias: false`"),
        ("GRU: {units: 4, reset_after: false}", "`reset_after: false`"),
        ("LSTM: {units: 4, activation: null}", "`activation: null`"),
        ("LSTM: {units: 4, activation: {LeakyReLU: 0.2}}", "`activation: LeakyReLU`"),
        ("Bidirectional: {LSTM: {units: 4, activation: relu}}", "`activation: relu`"),
        ("LSTM: {units: 4, unroll: true, activation: relu}", "`unroll: true` and `activation: relu`"),
    ],
)
def test_lists_what_keeps_it_off(find, layer, listed):
    (problem,) = find("K329", f"- {layer}\n- Dense: 2", "[5, 3]")
    assert problem.severity == "hint"
    assert problem.message.startswith(f"{listed} keeps ")


@pytest.mark.parametrize(("activation", "grows"), [("relu", True), ("selu", True), ("sigmoid", False)])
def test_says_what_may_grow(find, activation, grows):
    (problem,) = find("K329", f"- LSTM: {{units: 4, activation: {activation}}}\n- Dense: 2", "[5, 3]")
    assert ("without bound" in problem.message) is grows


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM: 4",
        "LSTM: {units: 4, activation: tanh, dropout: 0.2, recurrent_dropout: 0}",
        "GRU: {units: 4, reset_after: true, unroll: false}",
        "SimpleRNN: {units: 4, activation: relu}",
        "Bidirectional: {LSTM: 4}",
    ],
)
def test_is_silent(said, layer):
    assert said("K329", f"- {layer}\n- Dense: 2", "[5, 3]") == []
