"""K328: layers without an effect."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load

END = "\n- Flatten\n- Dense: 2"


@pytest.mark.parametrize(
    ("layer", "shape", "why"),
    [
        ("GlobalAveragePooling2D\n- Flatten\n- Reshape: [1, 3]", "[8, 8, 3]", "its input is flat, (3,)"),
        ("Reshape: [8, 8, 3]", "[8, 8, 3]", "its input has that shape"),
        ("Reshape: [8, -1]", "[8, 3]", "its input has that shape"),
        ("Reshape: [-1, 3]", "[null, 3]", "its input has that shape"),
        ("MaxPooling2D: 1", "[8, 8, 3]", "its windows are 1 wide"),
        ("MaxPool2D: {pool_size: [1, 1], strides: 1}", "[8, 8, 3]", "its windows are 1 wide"),
        ("ZeroPadding2D: 0", "[8, 8, 3]", "it adds or takes 0"),
        ("ZeroPadding2D: [[0, 0], [0, 0]]", "[8, 8, 3]", "it adds or takes 0"),
        ("Cropping1D: 0", "[8, 3]", "it adds or takes 0"),
        ("UpSampling2D: 1", "[8, 8, 3]", "its size is 1"),
        ("Dropout: 0", "[8, 8, 3]", "its rate is 0"),
    ],
)
def test_says_why(find, layer, shape, why):
    (problem,) = find("K328", f"- {layer}{END}", shape)
    assert problem.severity == "hint"
    assert problem.message.endswith(f"changes nothing: {why}")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Reshape: [3, 8]", "[8, 3]"),
        ("MaxPooling2D: {pool_size: 1, strides: 2}", "[8, 8, 3]"),
        ("MaxPooling2D: {pool_size: [1, 2]}", "[8, 8, 3]"),
        ("ZeroPadding2D: [[0, 1], [0, 0]]", "[8, 8, 3]"),
        ("UpSampling2D: [1, 2]", "[8, 8, 3]"),
        ("Dropout: 0.1", "[8, 8, 3]"),
        ("Reshape: [3, -1]", "[null, 3]"),
        ("Identity", "[8, 3]"),
    ],
)
def test_is_silent(said, layer, shape):
    assert said("K328", f"- {layer}\n- ReLU", shape) == []


def test_the_arrow_shorthand_flattens_by_itself():
    text = "kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: 4 -> 3 -> 2}\n"
    assert [problem.code for problem in check(load(text)).problems if problem.code == "K328"] == []
