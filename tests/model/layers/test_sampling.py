import keras
import numpy as np
import pytest

from kbuild.model.layers import Sampling


def _divergence(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) of an example, mean over examples (arXiv:1312.6114, appendix B)."""
    return np.mean(-0.5 * np.sum(1 + log_var - mean**2 - np.exp(log_var), axis=1))


def test_gives_the_mean_outside_training_and_draws_in_training():
    mean = np.repeat([[1.0, -2.0]], 20000, axis=0).astype("float32")
    log_var = np.repeat(np.log([[0.25, 4.0]]), 20000, axis=0).astype("float32")
    layer = Sampling()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer([mean, log_var])), mean)
    drawn = keras.ops.convert_to_numpy(layer([mean, log_var], training=True))
    np.testing.assert_allclose(drawn.mean(0), [1, -2], atol=0.06)
    np.testing.assert_allclose(drawn.std(0), [0.5, 2.0], rtol=0.03)


@pytest.mark.parametrize("training", [True, False])
def test_adds_the_divergence_to_the_loss(training, rng):
    mean, log_var = rng.normal(size=(2, 6, 3)).astype("float32")
    layer = Sampling(0.5)
    layer([mean, log_var], training=training)
    (loss,) = layer.losses
    np.testing.assert_allclose(float(loss), 0.5 * _divergence(mean, log_var), rtol=1e-5)


def test_refuses_anything_but_two_tensors_of_one_shape():
    with pytest.raises(ValueError, match=r"the inputs must be `\[mean, log_var\]`"):
        Sampling()(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="must have one shape"):
        Sampling()([np.zeros((2, 3)), np.zeros((2, 1))])
    with pytest.raises(ValueError, match="`kl_weight` must not be negative"):
        Sampling(-1)
