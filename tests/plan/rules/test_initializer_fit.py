"""K324: initializers that were written, and the activation they are for."""

import pytest

END = "\n- Dense: {units: 2, activation: softmax}"


@pytest.mark.parametrize(
    ("initializer", "activation", "better"),
    [
        ("glorot_uniform", "relu", "he_normal"),
        ("GlorotNormal", "swish", "he_normal"),
        ("lecun_normal", "leaky_relu", "he_normal"),
        ("he_normal", "tanh", "glorot_uniform"),
        ("HeUniform", "sigmoid", "glorot_uniform"),
        ("{HeNormal: {seed: 1}}", "tanh", "glorot_uniform"),
        ("he_normal", "selu", "lecun_normal"),
        ("he_normal", "relu", None),
        ("glorot_uniform", "tanh", None),
        ("lecun_normal", "selu", None),
        ("lecun_normal", "tanh", None),
        ("he_normal", "linear", None),
        ("random_normal", "relu", None),
        ("orthogonal", "tanh", None),
        ("{VarianceScaling: {scale: 2.0}}", "relu", None),
    ],
)
def test_pairs(find, initializer, activation, better):
    layer = f"Dense: {{units: 8, activation: {activation}, kernel_initializer: {initializer}}}"
    found = find("K324", f"- {layer}\n- BatchNormalization{END}")
    assert [problem.help for problem in found] == ([f"write `kernel_initializer: {better}`"] if better else [])


def test_the_default_is_never_reported(said):
    assert said("K324", "- Dense: {units: 8, activation: relu}" + END) == []


def test_the_activation_may_be_a_layer_and_a_normalization_between_makes_it_harmless(said):
    dense = "- Dense: {units: 8, kernel_initializer: glorot_normal}"
    assert said("K324", f"{dense}\n- ReLU{END}") == [("hint", "glorot_normal")]
    assert said("K324", f"{dense}\n- BatchNormalization\n- ReLU{END}") == []


def test_every_kernel_of_a_separable_convolution(said):
    layer = "- SeparableConv1D: {filters: 4, kernel_size: 3, activation: relu, depthwise_initializer: glorot_uniform, pointwise_initializer: lecun_uniform}"
    assert said("K324", f"{layer}\n- Flatten{END}", "[8, 2]") == [("hint", "glorot_uniform"), ("hint", "lecun_uniform")]
