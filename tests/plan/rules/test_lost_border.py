"""K322: places that no window sees."""

import pytest

END = "\n- Flatten\n- Dense: 2"


@pytest.mark.parametrize(
    ("layer", "shape", "lost"),
    [
        ("MaxPooling2D", "[7, 7, 1]", "the last row of 7 and the last column of 7"),
        ("MaxPool2D: 2", "[8, 7, 1]", "the last column of 7"),
        ("AveragePooling2D: 3", "[8, 9, 1]", "the last 2 rows of 8"),
        ("MaxPooling1D: 4", "[11, 1]", "the last 3 steps of 11"),
        ("MaxPooling3D: 2", "[4, 5, 4, 1]", "the last row of 5"),
        ("MaxPooling2D: {pool_size: 3, strides: 2}", "[8, 8, 1]", "the last row of 8 and the last column of 8"),
        ("Conv2D: {filters: 2, kernel_size: 3, strides: 2}", "[8, 9, 1]", "the last row of 8"),
        ("Conv2D: {filters: 2, kernel_size: 3, strides: 3}", "[10, 9, 1]", "the last row of 10"),
        ("MaxPooling2D: {pool_size: 2, data_format: channels_first}", "[1, 7, 8]", "the last row of 7"),
    ],
)
def test_says_what_is_lost(find, layer, shape, lost):
    (problem,) = find("K322", f"- {layer}{END}", shape)
    assert problem.severity == "hint"
    assert problem.message.endswith(f"sees {lost}")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("MaxPooling2D", "[8, 8, 1]"),
        ("MaxPooling2D: {pool_size: 2, padding: same}", "[7, 7, 1]"),
        ("MaxPooling2D: {pool_size: 3, strides: 2}", "[7, 9, 1]"),
        ("Conv2D: {filters: 2, kernel_size: 5}", "[7, 7, 1]"),
        ("Conv2D: {filters: 2, kernel_size: 1, strides: 2}", "[8, 8, 1]"),
        ("GlobalMaxPooling2D", "[7, 7, 1]"),
        ("ZeroPadding2D: [[0, 1], [0, 1]]\n- Conv2D: {filters: 2, kernel_size: 3, strides: 2}", "[7, 7, 1]"),
        ("ZeroPadding2D: 1\n- MaxPooling2D: 2", "[7, 7, 1]"),
    ],
    ids=["fits", "same", "overlaps and fits", "stride 1", "gaps on purpose", "the whole map", "zeros", "zeros around"],
)
def test_is_silent(said, layer, shape):
    assert said("K322", f"- {layer}{END}", shape) == []


def test_what_is_lost_beyond_the_zeros_is_told(find):
    (problem,) = find("K322", "- ZeroPadding2D: [[0, 1], [0, 0]]\n- MaxPooling2D: 4" + END, "[5, 8, 1]")
    assert problem.message.endswith("sees the last 2 rows of 6")


def test_an_unknown_size_is_not_guessed(said):
    assert said("K322", "- MaxPooling2D\n- GlobalMaxPooling2D", "[null, 8, 1]") == []
