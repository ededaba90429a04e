"""K319: where the parameters are."""

import pytest

END = "\n- Dense: {units: 10, activation: softmax}"
CONV = "- Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu}"


def test_says_both_numbers(find):
    (problem,) = find("K319", f"{CONV}\n- Flatten\n- Dense: {{units: 100, activation: relu}}{END}", "[8, 8, 1]")
    # 3·3·1·4 + 4 = 40; 256·100 + 100 = 25,700; 100·10 + 10 = 1,010; pooled 4·100 + 100 = 500
    assert problem.message == (
        "`dense` holds 25,700 of 26,750 parameters (96%); after global average pooling it would have 500"
    )
    assert problem.help == "write `GlobalAveragePooling2D` in place of `Flatten`"


def test_in_one_dimension(find):
    layers = "- Conv1D: {filters: 4, kernel_size: 3, activation: relu}\n- Flatten\n- Dropout: 0.3"
    (problem,) = find("K319", layers + END, "[50, 2]")
    assert problem.help == "write `GlobalAveragePooling1D` in place of `Flatten`"


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("- Flatten\n- Dense: {units: 100, activation: relu}", "[8, 8, 1]"),
        (f"{CONV}\n- GlobalAveragePooling2D\n- Dense: {{units: 100, activation: relu}}", "[8, 8, 1]"),
        ("- Conv2D: {filters: 64, kernel_size: 3, padding: same, activation: relu}\n- Flatten", "[2, 2, 16]"),
        (f"{CONV}\n- MaxPooling2D: 8\n- Flatten\n- Dense: {{units: 1000, activation: relu}}\n- Dense: 1", "[8, 8, 1]"),
    ],
    ids=["no convolution", "pooled", "less than half", "one place"],
)
def test_is_silent(said, layers, shape):
    assert said("K319", layers + END, shape) == []


def test_is_silent_where_something_has_an_unknown_cost(said):
    assert said("K319", f"{CONV}\n- Flatten\n- Dense: 100{END}", "[null, null, 1]") == []
