"""K323: how much of a picture a place of the last map sees."""

import pytest

END = "\n- GlobalAveragePooling2D\n- Dense: 2"
CONV = "Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu}"


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        # 1 + 2 + 2 = 5
        (f"- {{{CONV}, repeat: 2}}", "[6, 6, 1]", "sees 5×5 of an input of 6×6, and all are pooled"),
        (f"- {{{CONV}, repeat: 2}}", "[5, 5, 1]", None),
        (f"- {{{CONV}, repeat: 2}}", "[5, 6, 1]", "sees 5×5 of an input of 5×6, and all are pooled"),
        # 1 + 2·1, pooled 2 more places at step 1, then 2·2: 1 + 2 + 1 + 4 = 8
        (f"- {CONV}\n- MaxPooling2D\n- {CONV}", "[9, 9, 1]", "sees 8×8 of an input of 9×9, and all are pooled"),
        (f"- {CONV}\n- MaxPooling2D\n- {CONV}", "[8, 8, 1]", None),
        # 1 + 2 · 30 = 61 > 20 · 3, and 20 · 4 = 80
        (f"- {{{CONV}, repeat: 30}}", "[3, 3, 1]", "sees 61×61, over 20 times the input of 3×3"),
        (f"- {{{CONV}, repeat: 30}}", "[4, 4, 1]", None),
        (f"- {{{CONV}, repeat: 30}}", "[3, 61, 1]", "sees 61×61, over 20 times the input of 3×61"),
    ],
)
def test_borders(find, layers, shape, message):
    found = find("K323", layers + END, shape)
    assert [problem.severity for problem in found] == (["hint"] if message else [])
    assert all(problem.message.endswith(message) for problem in found)


@pytest.mark.parametrize(
    "between",
    [
        "BatchNormalization",
        "Dropout: 0.2",
        "Dense: 8",
        f"branches: [[], [{{{CONV}}}]]\n  merge: Concatenate",
        "squeeze_excite: 0.25",
    ],
    ids=["normalization", "dropout", "a dense layer on each place", "branches", "a gate"],
)
def test_what_lies_between_the_last_convolution_and_the_pooling(find, between):
    (problem,) = find("K323", f"- {CONV}\n- {between}{END}", "[8, 8, 1]")
    assert "of an input of 8×8" in problem.message


def test_of_several_branches_the_one_that_sees_most(find):
    wide = "Conv2D: {filters: 4, kernel_size: 7, padding: same}"
    (problem,) = find("K323", f"- branches: [[{{{CONV}}}], [{{{wide}}}]]{END}", "[9, 9, 1]")
    assert "sees 7×7" in problem.message


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (f"- {CONV}\n- Flatten\n- Dense: 2", "[8, 8, 1]"),
        (f"- {CONV}", "[8, 8, 1]"),
        ("- Conv1D: {filters: 4, kernel_size: 3}\n- GlobalMaxPooling1D\n- Dense: 2", "[50, 8]"),
        (f"- {CONV}{END}", "[null, null, 1]"),
        (
            "- Conv2D: {filters: 8, kernel_size: 4, strides: 4}\n- MultiHeadAttention: {num_heads: 2, key_dim: 4}"
            f"\n  from: [previous, previous]{END}",
            "[16, 16, 1]",
        ),
        (f"- Dense: 4{END}", "[8, 8, 1]"),
        (f"- branches: [[{{{CONV}}}], [{{Permute: [2, 1, 3]}}]]{END}", "[8, 8, 1]"),
        (f"- {CONV}\n- squeeze_excite: 0.25\n- {{{CONV}, repeat: 3}}{END}", "[8, 8, 1]"),
    ],
    ids=[
        "flattened",
        "a map",
        "words",
        "any size",
        "attention",
        "no convolution",
        "something else beside it",
        "a gate's pooling",
    ],
)
def test_is_silent(said, layers, shape):
    assert said("K323", layers, shape) == []


def test_the_channels_may_come_first(find):
    layers = "- Conv2D: {filters: 4, kernel_size: 3, data_format: channels_first}\n- GlobalAveragePooling2D: {data_format: channels_first}"
    (problem,) = find("K323", layers, "[1, 9, 8]")
    assert "sees 3×3 of an input of 9×8" in problem.message
