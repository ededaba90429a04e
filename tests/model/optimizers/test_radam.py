import keras
import numpy as np
import pytest

from kbuild.model.optimizers import RAdam


def _reference(squares, steps, alpha, beta_1, beta_2, epsilon=1e-7, decay=0.0):
    """arXiv:1908.03265, algorithm 2."""
    w, m, v = squares.start.astype("float64"), np.zeros(5), np.zeros(5)
    longest = 2 / (1 - beta_2) - 1
    for t in range(1, steps + 1):
        gradient = squares.gradient(w)
        w = w - alpha * decay * w
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        mean = m / (1 - beta_1**t)
        length = longest - 2 * t * beta_2**t / (1 - beta_2**t)
        if length > 4:
            factor = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            w = w - alpha * np.sqrt(factor) * mean * np.sqrt(1 - beta_2**t) / (np.sqrt(v) + epsilon)
        else:
            w = w - alpha * mean
    return w


@pytest.mark.parametrize(("beta_1", "beta_2"), [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99)])
def test_steps_are_those_of_the_paper(beta_1, beta_2, squares):
    found = squares.fitted(RAdam(0.05, beta_1, beta_2), 25)
    np.testing.assert_allclose(found, _reference(squares, 25, 0.05, beta_1, beta_2), rtol=2e-4, atol=2e-5)


def test_weight_decay_is_decoupled(squares):
    found = squares.fitted(RAdam(0.05, weight_decay=0.1), 25)
    np.testing.assert_allclose(found, _reference(squares, 25, 0.05, 0.9, 0.999, decay=0.1), rtol=2e-4, atol=2e-5)


def test_begins_without_the_variance(squares):
    """The first four steps are plain momentum, so a gradient of another size makes a step of another size."""
    optimizer, sgd = RAdam(0.05, beta_1=0.0), keras.optimizers.SGD(0.05)
    np.testing.assert_allclose(squares.fitted(optimizer, 4), squares.fitted(sgd, 4), rtol=1e-5)


def test_refuses_betas_that_never_forget():
    with pytest.raises(ValueError, match=r"`beta_1` and `beta_2` must be below 1. Received: beta_1=0.9, beta_2=1.0"):
        RAdam(beta_2=1.0)
