import keras
import numpy as np
import pytest

from kbuild.model.layers import PositionEmbedding


def test_adds_the_first_vectors(rng):
    layer = PositionEmbedding(10)
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(layer(x))
    vectors = keras.ops.convert_to_numpy(layer.embeddings)
    assert vectors.shape == (10, 3)
    np.testing.assert_allclose(y, x + vectors[:4], rtol=1e-6)


def test_takes_sequences_of_any_length_up_to_its_own(rng):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, PositionEmbedding(10)(inputs))
    assert model.output.shape == (None, None, 3)
    for time in (1, 10):
        assert model(rng.normal(size=(2, time, 3))).shape == (2, time, 3)


def test_refuses_what_is_too_long():
    with pytest.raises(ValueError, match="the input has 11 steps, more than `length`=10"):
        PositionEmbedding(10)(np.zeros((1, 11, 3)))
    with pytest.raises(ValueError, match="`length` must be a positive integer"):
        PositionEmbedding(0)
    with pytest.raises(ValueError, match=r"must be \(batch, time, features\)"):
        PositionEmbedding(10)(np.zeros((1, 11)))
