"""InstanceNormalization: each channel of each example, normalized over its places."""

import keras
from keras import initializers, ops, regularizers


@keras.saving.register_keras_serializable(package="kbuild")
class InstanceNormalization(keras.layers.Layer):
    """Normalizes every channel of every example over space or time (Ulyanov et al., arXiv:1607.08022, eq. 4).

    y = gamma·(x - mean) / √(variance + epsilon) + beta, with mean and variance over all axes but batch and channels.

    Args:
        axis: the axis of the channels.
        epsilon: added to the variance.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer: as for `BatchNormalization`.

    Input and output shape: (batch, …, channels) with at least one axis between. A mask passes through, and does not
    change the statistics.
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-5,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(axis, int) or axis == 0:
            raise ValueError(f"`axis` must be an integer other than 0, the batch. Received: axis={axis}")
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.supports_masking = True

    def build(self, input_shape):
        """Make gamma and beta."""
        rank = len(input_shape)
        if rank < 3:
            raise ValueError(f"the input must have an axis between batch and channels. Received: shape={input_shape}")
        axis = self.axis % rank if -rank <= self.axis < rank else 0
        if axis == 0:
            raise ValueError(f"the input has no channel axis {self.axis}. Received: shape={input_shape}")
        self.reduced = [index for index in range(1, rank) if index != axis]
        self.broadcast = [1] * rank
        self.broadcast[axis] = channels = input_shape[axis]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=(channels,),
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                name="gamma",
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                shape=(channels,),
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                name="beta",
                autocast=False,
            )

    def call(self, inputs):
        """The normalized input."""
        # The variance of half-precision numbers overflows.
        x = ops.cast(inputs, "float32")
        mean, variance = ops.moments(x, axes=self.reduced, keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            x = x * ops.reshape(ops.cast(self.gamma, "float32"), self.broadcast)
        if self.beta is not None:
            x = x + ops.reshape(ops.cast(self.beta, "float32"), self.broadcast)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
        }
