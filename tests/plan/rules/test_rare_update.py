"""K349: gradients that are awaited for longer than an epoch, a phase or the run."""

import pytest


# 120 examples in batches of 32: four steps an epoch
@pytest.mark.parametrize(
    ("train", "found"),
    [
        ("{epochs: 3, accumulate: 4}", []),
        ("{epochs: 3, accumulate: 5}", ["warning"]),
        ("{epochs: 3, accumulate: 12}", ["warning"]),
        ("{epochs: 3, accumulate: 13}", ["error"]),
        ("{accumulate: 8, phases: [{epochs: 2}, {epochs: 2}]}", ["warning"]),
        ("{accumulate: 8, phases: [{epochs: 1}, {epochs: 3}]}", ["error"]),
        ("{accumulate: 8, phases: [{epochs: 1, accumulate: 1}, {epochs: 3}]}", ["warning"]),
    ],
)
def test_borders(tell, train, found):
    text = f"data: {{source: iris}}\nmodel: [{{Dense: 3}}]\ntrain: {train}"
    assert [severity for severity, _ in tell("K349", text)] == found


def test_steps_of_data_that_are_not_known(tell):
    text = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 1}]}\ntrain: {loss: mse, accumulate: 9000}"
    assert tell("K349", text) == []
