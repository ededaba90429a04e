"""K327: activations of activations."""

import pytest

END = "\n- Dense: {units: 2, activation: softmax}"


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ("tanh", "Activation: tanh", "warning"),
        ("sigmoid", "Activation: sigmoid", "warning"),
        ("relu", "Activation: sigmoid", "warning"),
        ("sigmoid", "Softmax", "warning"),
        ("softmax", "Softmax", "warning"),
        ("relu", "ReLU", "hint"),
        ("relu", "ops.relu", "hint"),
        ("relu", "ReLU: 6", None),
        ("leaky_relu", "LeakyReLU", None),
        ("relu", "ReLU: {negative_slope: 0.1}", None),
        ("relu", "Activation: linear", None),
        ("relu", "Softmax", None),
        ("linear", "Softmax", None),
        ("tanh", "ReLU", None),
        ("softmax", "Softmax: {axis: 1}", None),
    ],
)
def test_pairs_between_layers(said, first, second, severity):
    layers = f"- Reshape: [8, 8]\n- Dense: {{units: 4, activation: {first}}}\n- {second}\n- Flatten"
    assert [found for found, _ in said("K327", layers + END)] == ([severity] if severity else [])


@pytest.mark.parametrize(("classes", "most"), [(2, "0.73"), (10, "0.23"), (1000, "0.0027")])
def test_two_softmaxes_at_an_output_are_an_error(find, classes, most):
    (problem,) = find("K327", f"- Dense: {{units: {classes}, activation: softmax}}\n- Softmax")
    assert problem.severity == "error"
    assert problem.message.endswith(f"none of {classes} classes gets more than {most}")
    assert problem.span.line == 7


def test_a_block_that_ends_with_one(said):
    assert said("K327", "- mlp: [16]\n- ReLU" + END) == [("hint", "ReLU")]
    assert said("K327", "- residual: 8\n- ReLU\n- Flatten" + END, "[8, 8, 8]") == [("hint", "ReLU")]


def test_is_silent_where_the_first_is_used_elsewhere_too(said):
    layers = "- {Dense: {units: 4, activation: relu}, name: a}\n- ReLU\n- {Add: null, from: [a, previous]}"
    assert said("K327", layers + END) == []
