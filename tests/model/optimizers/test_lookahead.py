import keras
import numpy as np
import pytest

from kbuild.model.optimizers import Lookahead


def _reference(squares, steps, rate, period, slow_step):
    """arXiv:1907.08610, algorithm 1, around plain gradient descent."""
    slow = fast = squares.start.astype("float64")
    for t in range(1, steps + 1):
        fast = fast - rate * squares.gradient(fast)
        if t % period == 0:
            slow = slow + slow_step * (fast - slow)
            fast = slow
    return fast


@pytest.mark.parametrize(("period", "slow_step", "steps"), [(6, 0.5, 24), (6, 0.5, 27), (5, 0.8, 20), (1, 0.25, 20)])
def test_steps_are_those_of_the_paper(period, slow_step, steps, squares):
    found = squares.fitted(Lookahead(keras.optimizers.SGD(0.05), period, slow_step), steps)
    np.testing.assert_allclose(found, _reference(squares, steps, 0.05, period, slow_step), rtol=1e-4, atol=1e-5)


def test_weights_loaded_after_build_are_where_it_starts(squares):
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    model.compile(Lookahead(keras.optimizers.SGD(0.05), 3), "mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([squares.start[:, None]])
    model.fit(squares.x, squares.y[:, None], batch_size=32, epochs=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], _reference(squares, 6, 0.05, 3, 0.5), rtol=1e-4)


def test_learning_rate_is_that_of_the_inner_optimizer():
    optimizer = Lookahead(keras.optimizers.Adam(1e-3))
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == float(optimizer.learning_rate) == 0.25
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.9)
    optimizer.learning_rate = schedule
    assert float(optimizer.learning_rate) == 0.5


def test_accumulated_gradients_count_as_one_step(squares):
    inner = keras.optimizers.SGD(0.05, gradient_accumulation_steps=2)
    found = squares.fitted(Lookahead(inner, 3, 0.5), 18)
    np.testing.assert_allclose(found, _reference(squares, 9, 0.05, 3, 0.5), rtol=1e-4, atol=1e-5)


def test_takes_an_optimizer_by_name():
    assert isinstance(Lookahead("adam").inner_optimizer, keras.optimizers.Adam)


def test_refuses_what_makes_no_slow_step():
    with pytest.raises(ValueError, match=r"`sync_period` must be a positive integer. Received: sync_period=0"):
        Lookahead("adam", 0)
    with pytest.raises(ValueError, match=r"`slow_step` must be above 0 and at most 1. Received: slow_step=1.5"):
        Lookahead("adam", slow_step=1.5)
