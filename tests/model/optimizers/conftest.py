"""Least squares by hand: the same steps that `fit` takes, in NumPy and float64."""

import keras
import numpy as np
import pytest


class LeastSquares:
    """mean (X·w - y)², with one weight per column."""

    def __init__(self, rng):
        self.x = rng.normal(size=(32, 5)).astype("float32")
        self.y = (self.x @ np.array([3.0, -2.0, 0.5, 0.0, 1.0]) + 0.1 * rng.normal(size=32)).astype("float32")
        self.start = rng.normal(size=5).astype("float32")

    def gradient(self, w):
        return 2 / len(self.y) * self.x.astype("float64").T @ (self.x.astype("float64") @ w - self.y)

    def fitted(self, optimizer, steps):
        """The weights after `steps` full batches with Keras; in the compiled step of whichever backend runs."""
        inputs = keras.Input((5,))
        model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
        model.set_weights([self.start[:, None]])
        model.compile(optimizer, "mse")
        model.fit(self.x, self.y[:, None], batch_size=32, epochs=steps, shuffle=False, verbose=0)
        return model.get_weights()[0][:, 0]


@pytest.fixture
def squares(rng):
    return LeastSquares(rng)
