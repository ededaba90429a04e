"""Sampling: the stochastic layer of a variational autoencoder, with its loss."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class Sampling(keras.layers.Layer):
    """Draws from a normal distribution and adds its divergence to the loss (Kingma & Welling, arXiv:1312.6114).

    In training the output is mean + exp(log_var / 2)·ε with ε ~ N(0, 1) (section 2.4), otherwise the mean, so that
    predictions do not change from call to call. The loss is KL = -½ Σ (1 + log_var - mean² - exp(log_var)), summed over
    the latent axes and averaged over the batch (appendix B), times `kl_weight`; it is added in evaluation too.

    Args:
        kl_weight: factor of the loss; β of the β-VAE.
        seed: of the noise.

    Input: `[mean, log_var]`, each (batch, …). Output: (batch, …).
    """

    def __init__(self, kl_weight=1.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if kl_weight < 0:
            raise ValueError(f"`kl_weight` must not be negative. Received: kl_weight={kl_weight}")
        self.kl_weight = kl_weight
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        """No weights; refuses anything but two tensors of one shape."""
        if len(input_shape) != 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(f"the inputs must be `[mean, log_var]`. Received: shape={input_shape}")
        if tuple(input_shape[0]) != tuple(input_shape[1]):
            raise ValueError(f"`mean` and `log_var` must have one shape. Received: shapes={input_shape}")

    def call(self, inputs, training=False):
        """A draw in training, the mean otherwise."""
        mean, log_var = inputs
        self.add_loss(self.kl_weight * _divergence(mean, log_var))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(log_var / 2) * noise

    def compute_output_shape(self, input_shape):
        """That of the mean."""
        return tuple(input_shape[0])

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "kl_weight": self.kl_weight, "seed": self.seed}


def _divergence(mean, log_var):
    mean, log_var = ops.cast(mean, "float32"), ops.cast(log_var, "float32")
    terms = 1 + log_var - ops.square(mean) - ops.exp(log_var)
    return ops.mean(-0.5 * ops.sum(terms, axis=tuple(range(1, len(mean.shape)))))
