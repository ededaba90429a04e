import keras
import numpy as np
import pytest

from kbuild.model.optimizers import AdaBound


def _reference(squares, rates, final, gamma, amsbound=False, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """arXiv:1902.09843, algorithm 2, with the authors' correction of the averages."""
    w, m, v, largest = squares.start.astype("float64"), np.zeros(5), np.zeros(5), np.zeros(5)
    for t, rate in enumerate(rates, 1):
        gradient = squares.gradient(w)
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        largest = np.maximum(largest, v)
        limit = final * rate / rates[0]
        low, high = limit * (1 - 1 / (gamma * t + 1)), limit * (1 + 1 / (gamma * t))
        step = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) / (np.sqrt(largest if amsbound else v) + epsilon)
        w = w - np.clip(step, low, high) * m
    return w


@pytest.mark.parametrize("amsbound", [False, True])
@pytest.mark.parametrize(("final", "gamma"), [(0.1, 1e-3), (0.02, 0.5)])
def test_steps_are_those_of_the_paper(final, gamma, amsbound, squares):
    found = squares.fitted(AdaBound(0.05, final, gamma, amsbound=amsbound), 25)
    expected = _reference(squares, [0.05] * 25, final, gamma, amsbound)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_the_bounds_follow_a_schedule(squares):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.9)
    found = squares.fitted(AdaBound(schedule, 0.02, 0.5), 25)
    expected = _reference(squares, [0.05 * 0.9**t for t in range(25)], 0.02, 0.5)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_remembers_the_rate_that_belongs_to_the_final_one():
    optimizer = AdaBound(0.01)
    optimizer.learning_rate = 0.001
    again = AdaBound.from_config(optimizer.get_config())
    assert again.base_learning_rate == pytest.approx(0.01)
    assert float(again.learning_rate) == pytest.approx(0.001)


def test_refuses_what_has_no_bounds():
    rising = keras.optimizers.schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=5)
    with pytest.raises(ValueError, match="the learning rate starts at 0, so `base_learning_rate` must be given"):
        AdaBound(rising)
    with pytest.raises(ValueError, match=r"`final_lr` and `gamma` must be positive. Received: final_lr=0, gamma=0.001"):
        AdaBound(final_lr=0)
    with pytest.raises(ValueError, match="must be below 1"):
        AdaBound(beta_1=1.0)
