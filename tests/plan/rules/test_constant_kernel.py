"""K325: kernels of one number."""

import pytest

END = "\n- Dense: {units: 2, activation: softmax}"


def dense(initializer, activation="tanh", more=""):
    return f"- Dense: {{units: 8, activation: {activation}, kernel_initializer: {initializer}{more}}}"


@pytest.mark.parametrize(
    ("layers", "severities"),
    [
        (dense("zeros", "relu"), ["warning"]),
        (dense("Zeros", "relu6"), ["warning"]),
        (dense("{Constant: 0.0}", "relu"), ["warning"]),
        (dense("zeros", "relu", ", bias_initializer: ones"), ["hint"]),
        (dense("zeros", "relu", ", use_bias: false"), ["warning"]),
        (dense("zeros", "gelu"), ["hint"]),
        (dense("ones", "relu"), ["hint"]),
        (dense("{Constant: 0.1}", "tanh"), ["hint"]),
        (dense("ones") + "\n" + dense("{Constant: 2}"), ["warning", "hint"]),
        (dense("zeros") + "\n" + dense("zeros"), ["warning", "hint"]),
        ("- Dense: {units: 8, kernel_initializer: zeros}\n- BatchNormalization\n- ReLU", ["warning"]),
    ],
)
def test_what_becomes_of_it(said, layers, severities):
    assert [severity for severity, _ in said("K325", layers + END)] == severities


def test_the_first_of_two_stays_equal_even_if_the_second_is_the_output(find):
    (problem,) = find("K325", dense("ones") + "\n- Dense: {units: 2, activation: softmax, kernel_initializer: ones}")
    assert problem.severity == "warning"
    assert problem.message.endswith("the units of `dense` stay equal")


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (dense("he_normal", "relu"), "[64]"),
        (dense("identity"), "[64]"),
        (dense("random_uniform"), "[64]"),
        ("- Dense: {units: 1, activation: tanh, kernel_initializer: ones}", "[64]"),
        ("- {Dense: {units: 8, activation: relu, kernel_initializer: zeros}, trainable: false}", "[64]"),
        ("- DepthwiseConv2D: {kernel_size: 3, depthwise_initializer: ones}\n- Flatten", "[8, 8, 3]"),
        ("- Dense: {units: 8, bias_initializer: ones}", "[64]"),
    ],
    ids=["random", "identity", "random by name", "one unit", "frozen", "one kernel a channel", "bias"],
)
def test_is_silent(said, layers, shape):
    assert said("K325", layers + END, shape) == []


def test_zeros_at_the_end_of_a_residual_branch_and_at_the_output_are_known_starts(said):
    branch = "{Dense: {units: 64, activation: relu}}, {Dense: {units: 64, kernel_initializer: zeros}}"
    layers = f"- branches: [[], [{branch}]]\n  merge: Add\n- ReLU"
    assert said("K325", layers + END) == []
    assert said("K325", "- Dense: {units: 2, activation: softmax, kernel_initializer: zeros}") == []
