"""K321: fewer units than classes."""

import pytest

END = "\n- Dense: {units: 10, activation: softmax}"


@pytest.mark.parametrize(("units", "severity"), [(1, "warning"), (2, "hint"), (9, "hint"), (10, None), (64, None)])
def test_borders(said, units, severity):
    found = said("K321", f"- Dense: {{units: {units}, activation: relu}}{END}")
    assert found == ([(severity, str(units))] if severity else [])


def test_the_narrowest_of_all_that_come_before(find):
    (problem,) = find("K321", "- mlp: {units: [9, 3, 8], dropout: 0.2}" + END)
    assert "`mlp-chain-1-dense` has 3 units before the 10 classes of the output `output`" in problem.message


def test_one_unit_is_written_in_the_singular(find):
    (problem,) = find("K321", "- Dense: {units: 1, activation: tanh}" + END)
    assert "has 1 unit before the 10 classes" in problem.message
    assert problem.help == "give it 10 or more"


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Dense: {units: 4, activation: relu}\n- Dense: {units: 10, activation: sigmoid}", "[64]"),
        ("- Dense: {units: 4, activation: relu}\n- Dense: 10", "[64]"),
        ("- Dense: {units: 1, activation: relu}\n- Dense: {units: 2, activation: softmax}", "[64]"),
        ("- Dense: {units: 4, activation: relu}\n- Dense: {units: 10, activation: softmax}", "[7, 64]"),
        ("- Dense: {units: 10, activation: softmax}", "[4]"),
        (f"- residual: 4\n- squeeze_excite: 0.25\n- GlobalAveragePooling2D{END}", "[8, 8, 4]"),
    ],
    ids=["many may be true", "no classes", "two classes", "at each step", "few features", "squeeze and excite"],
)
def test_is_silent(said, layers, shape):
    assert said("K321", layers, shape) == []


def test_logits_are_known_from_the_data(said):
    top = "data: {source: digits}"
    assert said("K321", "- Flatten\n- Dense: {units: 4, activation: relu}\n- Dense: 10", "[8, 8, 1]", top) == [
        ("hint", "4")
    ]
