"""K310: two layers that are one."""

import pytest

FIRES = {
    "dense": ("- Dense: 64\n- Dense: 10", "[64]"),
    "a middle as wide as one end": ("- Dense: 32\n- Dense: 32", "[64]"),
    "dropout, normalization and a linear activation between": (
        "- Dense: 64\n- Dropout: 0.5\n- BatchNormalization\n- Activation: linear\n- Dense: 10",
        "[64]",
    ),
    "an activation that is null": ("- Dense: {units: 64, activation: null}\n- Dense: 10", "[64]"),
    "convolutions": (
        "- Conv2D: {filters: 16, kernel_size: 3}\n- Conv2D: {filters: 16, kernel_size: 3}",
        "[28, 28, 3]",
    ),
    "a convolution by its second name": (
        "- Convolution2D: {filters: 16, kernel_size: 3}\n- Convolution2D: {filters: 16, kernel_size: 3}",
        "[28, 28, 3]",
    ),
    "mean pooling between": (
        "- Conv2D: {filters: 16, kernel_size: 3}\n- AveragePooling2D: 2\n- Conv2D: {filters: 16, kernel_size: 3}",
        "[28, 28, 3]",
    ),
    "flattened": ("- Conv2D: {filters: 16, kernel_size: 3}\n- Flatten\n- Dense: 10", "[28, 28, 1]"),
    "flattened, and dropped": (
        "- Conv2D: {filters: 16, kernel_size: 3}\n- Flatten\n- Dropout: 0.2\n- Dense: 10",
        "[28, 28, 1]",
    ),
    "transposed": (
        "- Conv2DTranspose: {filters: 16, kernel_size: 3}\n- Conv2DTranspose: {filters: 8, kernel_size: 3}",
        "[7, 7, 8]",
    ),
    "separable": (
        "- SeparableConv2D: {filters: 16, kernel_size: 3}\n- SeparableConv2D: {filters: 16, kernel_size: 3}",
        "[28, 28, 3]",
    ),
    "patches that are projected no narrower than what follows": (
        "- Conv2D: {filters: 48, kernel_size: 4, strides: 4}\n- Dense: 32",
        "[28, 28, 3]",
    ),
    "at each step in time": (
        "- TimeDistributed: {layer: {Dense: 64}}\n- TimeDistributed: {layer: {Dense: 10}}",
        "[5, 64]",
    ),
}

SILENT = {
    "an activation": ("- Dense: {units: 64, activation: relu}\n- Dense: 10", "[64]"),
    "an activation of its own": ("- Dense: 64\n- BatchNormalization\n- LeakyReLU\n- Dense: 10", "[64]"),
    "an activation of ops": ("- Dense: 64\n- ops.relu\n- Dense: 10", "[64]"),
    "the last layer": ("- Dense: {units: 64, activation: relu}\n- Dense: 64", "[64]"),
    "a linear bottleneck": ("- Dense: 8\n- Dense: 64", "[64]"),
    "a normalization of each example": ("- Dense: 64\n- LayerNormalization\n- Dense: 10", "[64]"),
    "maximum pooling": (
        "- Conv2D: {filters: 16, kernel_size: 3}\n- MaxPooling2D\n- Conv2D: {filters: 16, kernel_size: 3}",
        "[28, 28, 3]",
    ),
    "the maximum over the map": (
        "- Conv2D: {filters: 16, kernel_size: 3}\n- GlobalMaxPooling2D\n- Dense: 10",
        "[28, 28, 3]",
    ),
    "a projection before mean pooling": ("- Dense: 64\n- GlobalAveragePooling1D\n- Dense: 10", "[5, 64]"),
    "a depthwise convolution after": (
        "- Conv2D: {filters: 16, kernel_size: 1}\n- DepthwiseConv2D: 3\n- Conv2D: {filters: 16, kernel_size: 1}",
        "[28, 28, 8]",
    ),
    "groups": (
        "- Conv2D: {filters: 16, kernel_size: 3, groups: 8}\n- Conv2D: {filters: 16, kernel_size: 1}",
        "[28, 28, 8]",
    ),
    "a kernel in two parts": (
        "- Conv2D: {filters: 16, kernel_size: [1, 7]}\n- Conv2D: {filters: 16, kernel_size: [7, 1]}",
        "[28, 28, 8]",
    ),
    "an inverted residual's end and the next one's beginning": (
        "- Conv2D: {filters: 16, kernel_size: 1}\n- BatchNormalization\n- Conv2D: {filters: 96, kernel_size: 1}",
        "[28, 28, 32]",
    ),
    "a reduction that is cheaper than the whole kernel": (
        "- Conv2D: {filters: 32, kernel_size: 1}\n- Conv2D: {filters: 32, kernel_size: 3}",
        "[28, 28, 256]",
    ),
    "a filter in two ranks": (
        "- Conv2D: {filters: 8, kernel_size: 3}\n- Conv2D: {filters: 64, kernel_size: 1}",
        "[28, 28, 3]",
    ),
    "a quantized code's two convolutions": (
        "- Conv2D: {filters: 4, kernel_size: 1}\n- Conv2D: {filters: 64, kernel_size: 3}",
        "[28, 28, 4]",
    ),
    "patches that are projected": (
        "- Conv2D: {filters: 40, kernel_size: 4, strides: 4}\n- Dense: 64",
        "[28, 28, 3]",
    ),
    "two channels kept of many, flattened": (
        "- Conv2D: {filters: 2, kernel_size: 1}\n- Flatten\n- Dense: 361",
        "[19, 19, 64]",
    ),
    "learned upsampling": (
        "- Conv2DTranspose: {filters: 16, kernel_size: 2, strides: 2}\n- Conv2D: {filters: 16, kernel_size: 3}",
        "[7, 7, 16]",
    ),
    "learned upsampling that is wide": (
        "- Conv2DTranspose: {filters: 32, kernel_size: 3, strides: 2}\n- Conv2D: {filters: 16, kernel_size: 3}",
        "[7, 7, 16]",
    ),
    "narrower than both ends": (
        "- Conv2D: {filters: 8, kernel_size: 3}\n- Conv2D: {filters: 64, kernel_size: 3}",
        "[7, 7, 64]",
    ),
    "perhaps narrower than both ends": (
        "- MobileNetV2: {include_top: false, weights: null, pooling: avg}\n- Dense: 64\n- Dense: 128",
        "[96, 96, 3]",
    ),
    "scores that are enlarged": (
        "- Conv2D: {filters: 21, kernel_size: 1}\n- Conv2DTranspose: {filters: 21, kernel_size: 64, strides: 32}",
        "[7, 7, 512]",
    ),
    "another axis": ("- Dense: 64\n- Permute: [2, 1]\n- Dense: 10", "[5, 64]"),
    "a path that branches": ("- {Dense: 64, name: a}\n- Dense: 64\n- {Add: null, from: [a, previous]}", "[64]"),
    "a recurrent layer": ("- Dense: 64\n- LSTM: 10", "[5, 64]"),
}


@pytest.mark.parametrize(("layers", "shape"), FIRES.values(), ids=FIRES)
def test_fires(find, layers, shape):
    (problem,) = find("K310", layers, shape)
    assert problem.severity == "warning"
    assert problem.span.line == 6


@pytest.mark.parametrize(("layers", "shape"), SILENT.values(), ids=SILENT)
def test_is_silent(said, layers, shape):
    assert said("K310", layers, shape) == []


def test_is_silent_where_the_first_is_an_output_too(said):
    layers = "- {Dense: 64, name: a}\n- {Dense: 10, name: b}"
    assert len(said("K310", layers)) == 1
    assert said("K310", layers, end="  outputs: [a, b]") == []


def test_fires_on_an_input_of_unknown_size_where_no_size_could_be_meant(said):
    layers = "- MobileNetV2: {include_top: false, weights: null, pooling: avg}\n- Dense: 64\n- Dense: 10"
    assert said("K310", layers, "[96, 96, 3]") == [("warning", "Dense")]


def test_says_which_two(find):
    (problem,) = find("K310", "- {Dense: 48, name: wide}\n- Dense: 10")
    assert problem.message == "`wide` (48) has no activation before `dense` (10): the two are one linear map"
    assert [(related.message, related.span.line) for related in problem.related] == [("the next layer", 7)]


def test_stands_where_a_person_would_change_it(said):
    assert said("K310", "- mlp: {units: [64, 32], activation: linear}\n- Dense: 10") == [("warning", "mlp")]
    assert said("K310", "- {Dense: 64, repeat: 3}\n- Dense: 10") == [("warning", "Dense")]


def test_in_a_block_of_ones_own_shows_its_use(find):
    top = "blocks:\n  pair: [{Dense: 64}, {Dense: 32}]"
    (problem,) = find("K310", "- pair\n- ReLU", top=top)
    assert problem.span.line == 3
    assert [related.message for related in problem.related] == ["the next layer", "the block is used here"]
