"""K320: widths of a dense net."""

import pytest


@pytest.mark.parametrize(
    ("inputs", "widths", "outputs", "reason"),
    [
        (13, [26], 3, "not under twice the inputs (26)"),
        (13, [25], 3, "not between 3 and 13"),
        (13, [2], 3, "not between 3 and 13"),
        (13, [8, 9], 3, "wider than the 8 before it"),
        (13, [8, 30], 3, "not under twice the inputs (26) and wider than the 8 before it"),
        (13, [13], 3, None),
        (13, [12, 6], 3, None),
        (13, [8, 8], 3, None),
        (13, [3], 3, None),
        (3, [20], 40, "not under twice the inputs (6)"),
    ],
)
def test_rules(find, inputs, widths, outputs, reason):
    found = find("K320", f"- mlp: {widths}\n- Dense: {outputs}", f"[{inputs}]")
    if reason is None:
        assert found == []
    else:
        (problem,) = found
        assert problem.severity == "hint"
        assert f": {reason}; " in problem.message


def test_the_thumb_is_two_thirds_of_the_inputs_and_the_outputs(find):
    (problem,) = find("K320", "- Dense: {units: 2000, activation: relu}\n- Dense: 10", "[784]")
    assert problem.message.endswith("a rule of thumb is ⅔ · 784 + 10 = 533")
    assert "`dense` has 2000 units between 784 inputs and 10 outputs" in problem.message


def test_counts_inputs_after_flattening(find):
    (problem,) = find("K320", "- Flatten\n- mlp: [200]\n- Dense: {units: 1, activation: sigmoid}", "[8, 8]")
    assert "between 64 inputs and 1 output:" in problem.message


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- mlp: [500, 8, 500]\n- Dense: 20", "[20]"),
        ("- Dense: 4", "[20]"),
        ("- Conv1D: {filters: 400, kernel_size: 3}\n- Flatten\n- Dense: 400\n- Dense: 4", "[20, 1]"),
        ("- Dense: 500\n- Dense: 4", "[5, 20]"),
        ("- branches: [[], [{Dense: 500}, ReLU, {Dense: 20}]]\n  merge: Add\n- Dense: 4", "[20]"),
    ],
    ids=["autoencoder", "no hidden layer", "convolution", "on sequences", "residual"],
)
def test_is_silent(said, layers, shape):
    assert said("K320", layers, shape) == []


def test_names_the_first_only(find):
    assert (
        len(
            find(
                "K320",
                "- Dense: {units: 90, activation: relu}\n- Dense: {units: 95, activation: relu}\n- Dense: 3",
                "[9]",
            )
        )
        == 1
    )
