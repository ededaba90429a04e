import keras
import numpy as np

from kbuild.model.layers import ClassToken


def test_puts_one_vector_before_every_sequence(rng):
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(ClassToken("ones")(x))
    np.testing.assert_array_equal(y, np.concatenate([np.ones((2, 1, 3)), x], axis=1))


def test_mask_grows_by_a_step_that_counts():
    mask = np.array([[True, False, True]])
    grown = keras.ops.convert_to_numpy(ClassToken().compute_mask(np.zeros((1, 3, 2)), keras.ops.array(mask)))
    assert grown.tolist() == [[True, True, False, True]]
    assert ClassToken().compute_mask(np.zeros((1, 3, 2)), None) is None


def test_unknown_length_stays_unknown():
    assert ClassToken()(keras.Input((None, 3))).shape == (None, None, 3)
