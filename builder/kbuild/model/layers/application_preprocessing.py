"""ApplicationPreprocessing: the scaling that a model of `keras.applications` was trained with."""

import importlib

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kbuild")
class ApplicationPreprocessing(keras.layers.Layer):
    """Applies the `preprocess_input` of an application, which `data.preprocess: auto` stands for.

    Args:
        application: name of a function of `keras.applications`, such as `ResNet50`.

    Input and output shape: (batch, rows, columns, 3), values 0 to 255 come in; what comes out is the application's own.
    """

    def __init__(self, application, **kwargs):
        super().__init__(**kwargs)
        if application not in dir(keras.applications) or not application[:1].isupper():
            raise ValueError(f"There is no application `{application}` in keras.applications")
        self.application = application

    def call(self, inputs):
        """The scaled pictures."""
        module = importlib.import_module(getattr(keras.applications, self.application).__module__)
        return module.preprocess_input(ops.cast(inputs, self.compute_dtype))

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self):
        """Arguments, for saving."""
        return {**super().get_config(), "application": self.application}
