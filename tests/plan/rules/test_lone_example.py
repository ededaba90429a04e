"""K344: one example in the last batch, and a normalization over the batch."""

import pytest

MODEL = "model: [{Dense: 8}, NORM, ReLU, {Dense: {units: 3, activation: softmax}}]"


def said(tell, size, norm="BatchNormalization", test=0.04):
    data = f"data: {{source: iris, batch_size: {size}, split: {{validation: 0.1, test: {test}}}}}\n"
    return [severity for severity, _ in tell("K344", data + MODEL.replace("NORM", norm))]


@pytest.mark.parametrize(
    ("size", "fires"), [(8, True), (32, True), (64, True), (16, True), (7, False), (129, False), (1, False), (9, False)]
)
def test_129_examples(tell, size, fires):
    assert said(tell, size) == ["hint"] * fires
    assert (129 % size == 1) is fires


def test_other_normalizations_do_not_mind(tell):
    assert said(tell, 8, "LayerNormalization") == []


def test_pixels_are_compared_with_each_other(tell):
    text = """
        data: {source: digits, batch_size: 4, split: {validation: 100, test: 100}}
        model: [{Conv2D: {filters: 4, kernel_size: 3}}, BatchNormalization, ReLU, GlobalAveragePooling2D, NORM {Dense: 10}]
    """
    assert 1597 % 4 == 1
    assert tell("K344", text.replace("NORM", "")) == []
    assert tell("K344", text.replace("NORM", "BatchNormalization,"))[0][0] == "hint"
