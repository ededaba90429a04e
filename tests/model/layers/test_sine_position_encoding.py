import keras
import numpy as np
import pytest

from kbuild.model.layers import SinePositionEncoding


@pytest.mark.parametrize(("features", "wavelength"), [(8, 10000), (7, 50)])
def test_is_the_formula_of_the_paper(features, wavelength, rng):
    x = rng.normal(size=(2, 40, features)).astype("float32")
    expected = np.zeros((40, features))
    for place in range(40):
        for i in range(features):
            angle = place / wavelength ** (2 * (i // 2) / features)
            expected[place, i] = np.sin(angle) if i % 2 == 0 else np.cos(angle)
    y = keras.ops.convert_to_numpy(SinePositionEncoding(wavelength)(x))
    np.testing.assert_allclose(y, x + expected, atol=1e-5)


def test_takes_sequences_of_any_length(rng):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, SinePositionEncoding()(inputs))
    assert model(rng.normal(size=(2, 30, 4))).shape == (2, 30, 4)


def test_refuses_what_is_no_sequence():
    with pytest.raises(ValueError, match=r"must be \(batch, time, features\)"):
        SinePositionEncoding()(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="`max_wavelength` must be positive"):
        SinePositionEncoding(0)
