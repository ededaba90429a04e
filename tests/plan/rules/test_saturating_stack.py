"""K311: how deep a stack of sigmoids or tanhs may be, and what does not count."""

import pytest

END = "\n- Dense: {units: 10, activation: softmax}"


def stack(count, layer="Dense: {units: 8, activation: sigmoid}"):
    return f"- {{{layer}, repeat: {count}}}{END}"


@pytest.mark.parametrize(
    ("count", "severity"), [(3, []), (4, ["hint"]), (8, ["hint"]), (9, ["warning"]), (12, ["warning"])]
)
def test_counts_sigmoids(said, count, severity):
    assert [found for found, _ in said("K311", stack(count))] == severity


@pytest.mark.parametrize(("count", "severity"), [(5, []), (6, ["hint"]), (9, ["hint"])])
def test_counts_tanhs(said, count, severity):
    assert [found for found, _ in said("K311", stack(count, "Dense: {units: 8, activation: tanh}"))] == severity


def test_says_what_is_left_of_a_gradient(find):
    (problem,) = find("K311", stack(5))
    assert problem.message.startswith("5 hidden layers in a row have a sigmoid")
    assert "leave 0.001 of a gradient" in problem.message  # 4⁻⁵ = 0.00098


def test_the_last_layer_is_not_hidden(said):
    assert said("K311", "- {Dense: {units: 8, activation: sigmoid}, repeat: 4}") == []
    assert said("K311", "- {Dense: {units: 8, activation: sigmoid}, repeat: 5}") == [("hint", "sigmoid")]


@pytest.mark.parametrize(
    "between",
    ["Dropout: 0.2", "Reshape: [8]", "ActivityRegularization"],
)
def test_what_changes_no_value_is_seen_through(said, between):
    layers = f"- chain: [{{Dense: {{units: 8, activation: sigmoid}}}}, {{{between.replace('ActivityRegularization', 'ActivityRegularization: {l2: 0.1}')}}}]\n  repeat: 5{END}"
    assert said("K311", layers) == [("hint", "sigmoid")]


def test_an_activation_may_be_a_layer(said):
    assert said("K311", f"- chain: [{{Dense: 8}}, {{Activation: sigmoid}}]\n  repeat: 5{END}") == [("hint", "Dense")]
    assert said("K311", f"- chain: [{{Dense: 8}}, ops.sigmoid]\n  repeat: 5{END}") == [("hint", "Dense")]


def test_convolutions_and_pooling_count_with_dense_layers(said):
    layers = """
- chain:
    - Conv2D: {filters: 8, kernel_size: 3, padding: same, activation: sigmoid}
    - AveragePooling2D: 2
  repeat: 3
- Flatten
- {Dense: {units: 8, activation: sigmoid}, repeat: 2}"""
    assert said("K311", layers + END, "[32, 32, 3]") == [("hint", "sigmoid")]


@pytest.mark.parametrize(
    "layers",
    [
        "- {Dense: {units: 8, activation: relu}, repeat: 9}",
        "- chain: [{Dense: 8}, BatchNormalization, {Activation: sigmoid}]\n  repeat: 9",
        "- chain: [{Dense: {units: 8, activation: sigmoid}}, BatchNormalization]\n  repeat: 9",
        "- chain: [{Dense: {units: 8, activation: sigmoid}}, {Dense: {units: 8, activation: relu}}]\n  repeat: 9",
        "- chain: [{Dense: {units: 8, activation: sigmoid}}, {Dense: {units: 8, activation: tanh}}]\n  repeat: 2",
        "- Dense: 8\n- branches: [[], [{Dense: {units: 8, activation: sigmoid}}]]\n  merge: Add\n  repeat: 9",
        "- Dense: 8\n- branches: [[], [{Dense: {units: 8, activation: sigmoid}}]]\n  merge: Multiply\n  repeat: 9",
        "- Reshape: [8, 8]\n- {LSTM: {units: 8, return_sequences: true}, repeat: 9}\n- Flatten",
    ],
    ids=["relu", "normalized", "normalized after", "mixed", "two sorts", "residual", "gates", "recurrent"],
)
def test_is_silent(said, layers):
    assert said("K311", layers + END) == []


def test_a_gate_at_the_end_of_a_run_does_not_count(said):
    gated = "- {Dense: {units: 64, activation: sigmoid}, repeat: 4}\n- {Multiply: null, from: [input, previous]}"
    assert said("K311", gated + END) == []


def test_a_run_is_told_once_at_its_first_layer(find):
    layers = "\n".join(f"- Dense: {{units: {8 + n}, activation: sigmoid}}" for n in range(6))
    (problem,) = find("K311", layers + END)
    assert problem.span.line == 6
    assert problem.message.startswith("6 ")
