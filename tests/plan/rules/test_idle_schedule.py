"""K347: times that do not come before the run ends."""

import pytest


def fires(tell, schedule, epochs=10):
    text = f"data: {{source: iris}}\nmodel: [{{Dense: 3}}]\ntrain: {{epochs: {epochs}, schedule: {schedule}}}"
    found = tell("K347", text)
    assert {severity for severity, _ in found} <= {"warning"}
    return len(found)


# 120 examples in batches of 32: four steps an epoch
@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        ("{cosine: {warmup: 9 epochs}}", 0),
        ("{cosine: {warmup: 10 epochs}}", 1),
        ("{cosine: {warmup: 39 steps}}", 0),
        ("{linear: {warmup: 40 steps}}", 1),
        ("{one_cycle: {warmup: 99%}}", 0),
        ("{one_cycle: {warmup: 100%}}", 1),
        ("{plateau: {warmup: 12 epochs}}", 1),
        ("{step: {every: 9 epochs}}", 0),
        ("{step: {every: 10 epochs}}", 1),
        ("{step: {every: 12 epochs, warmup: 11 epochs}}", 2),
        ("{piecewise: {at: [5 epochs, 9 epochs], values: [0.1, 0.01, 0.001]}}", 0),
        ("{piecewise: {at: [5 epochs, 10 epochs, 11 epochs], values: [0.1, 0.01, 0.001, 1e-4]}}", 2),
        ("{exponential: {every: 20 epochs}}", 0),
        ("{CosineDecay: {initial_learning_rate: 0.1, decay_steps: 100000}}", 0),
    ],
)
def test_borders(tell, schedule, count):
    assert fires(tell, schedule) == count


def test_steps_of_data_that_are_not_known(tell):
    text = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 1}]}\ntrain: {loss: mse, schedule: {cosine: {warmup: 9000 steps}}}"
    assert tell("K347", text) == []
