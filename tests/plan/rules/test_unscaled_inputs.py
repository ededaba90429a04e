"""K338: what scales inputs on the way to the first weights, and what does not."""

import numpy as np
import pytest

END = "Flatten, {Dense: {units: 10, activation: softmax}}"


def said(tell, model, data="{source: cifar10}", *roots):
    return [severity for severity, _ in tell("K338", f"data: {data}\nmodel: {model}", *roots)]


@pytest.mark.parametrize(
    "chain",
    [
        "Flatten, {Dense: 10}",
        "{Conv2D: {filters: 8, kernel_size: 3, activation: relu}}",
        "MaxPooling2D, {Dropout: 0.2}, {ZeroPadding2D: 1}, {DepthwiseConv2D: 3}, ReLU",
        "{RandomFlip: horizontal}, {Resizing: {height: 8, width: 8}}, {Conv2D: {filters: 8, kernel_size: 3}}, ReLU",
        "{Reshape: [32, 96]}, {LSTM: 8}",
        "{Reshape: [32, 96]}, {TimeDistributed: {layer: {Dense: 8}}}",
        "{Conv2D: {filters: 8, kernel_size: 3, activation: sigmoid}}, BatchNormalization",
        "{ResNet50: {include_top: false, weights: null}}",
        "{EfficientNetV2B0: {include_top: false, weights: null, include_preprocessing: false}}",
    ],
)
def test_bytes_reach_the_weights(tell, chain):
    assert said(tell, f"[{chain}, {END}]") == ["warning"]


@pytest.mark.parametrize(
    "chain",
    [
        '{Rescaling: "${1 / 255}"}',
        "{ops.multiply: 0.01}",
        "BatchNormalization",
        "LayerNormalization",
        # a normalization behind linear weights takes their scale out again
        "{Conv2D: {filters: 8, kernel_size: 3}}, BatchNormalization, ReLU",
        "{Conv2D: {filters: 8, kernel_size: 3, activation: relu}}, BatchNormalization",
        "{EfficientNetB0: {include_top: false, weights: null}}",
        "{EfficientNetV2B0: {include_top: false, weights: null}}",
        "{ConvNeXtTiny: {include_top: false, weights: null}}",
        "{MobileNetV3Small: {include_top: false, weights: null}}",
    ],
)
def test_what_scales(tell, chain):
    assert said(tell, f"[{chain}, {END}]") == []


@pytest.mark.parametrize("preprocess", ['[{Rescaling: "${1 / 255}"}]', "[{Rescaling: 0.01}, Flatten]"])
def test_preprocess_scales(tell, preprocess):
    assert said(tell, f"[{END}]", f"{{source: cifar10, preprocess: {preprocess}}}") == []


def test_the_preprocessing_of_an_application(tell):
    model = "[{MobileNetV2: {include_top: false, weights: null}}, GlobalAveragePooling2D, {Dense: 10}]"
    assert said(tell, model) == ["warning"]
    assert said(tell, model, "{source: cifar10, preprocess: auto}") == []


@pytest.mark.parametrize(
    "name",
    [
        "EfficientNetB0",
        "MobileNetV2",
        *(
            pytest.param(name, marks=pytest.mark.full)
            for name in (
                "EfficientNetV2B0",
                "ConvNeXtTiny",
                "MobileNetV3Small",
                "ResNet50",
                "ResNet50V2",
                "VGG16",
                "Xception",
            )
        ),
    ],
)
def test_an_application_that_scales_inside_is_known(name):
    """Those whose `preprocess_input` does nothing are those that begin with a Rescaling."""
    import keras

    from kbuild.plan.rules.unscaled_inputs import _scales
    from kbuild.spec.call import Call

    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(96, 96, 3))
    first = [(type(layer).__name__, layer.name) for layer in model.layers[:3]]
    inside = any(kind in {"Rescaling", "Normalization"} or "prestem" in name for kind, name in first)
    assert _scales(Call("applications", name, {"include_top": False, "weights": None})) is inside


def test_how_large_decides_how_grave(tell):
    assert said(tell, "[{Dense: 3}]", "{source: wine}") == ["warning"]
    assert said(tell, f"[{END}]", "{source: digits}") == ["hint"]
    assert said(tell, "[{Dense: 3}]", "{source: iris}") == []
    assert said(tell, "[{Dense: 1}]", "{source: diabetes}") == []


def test_numbers_of_words_belong_into_an_embedding(tell):
    end = "GlobalAveragePooling1D, {Dense: {units: 1, activation: sigmoid}}"
    assert said(tell, f"[{{Embedding: {{input_dim: 20000, output_dim: 8}}}}, {end}]", "{source: imdb}") == []
    assert said(tell, "[{Dense: 8}, ReLU, {Dense: 1}]", "{source: imdb}") == ["warning"]


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((28, 28), "uint8", ["warning"]),
        ((8, 8, 1), "uint8", ["warning"]),
        ((1, 8, 8), "uint8", ["warning"]),
        ((8, 8, 17), "uint8", []),  # planes of a board
        ((100, 4), "uint8", []),  # letters of a genome
        ((784,), "uint8", []),
        ((28, 28), "float32", []),
    ],
)
def test_bytes_of_a_file_count_if_they_look_like_pictures(tell, tmp_path, shape, dtype, expected):
    np.savez(tmp_path / "a.npz", x=np.zeros((40, *shape), dtype), y=np.arange(40) % 10)
    found = said(tell, f"[{END}]", "{source: {npz: a.npz, x: x, y: y}, split: {stratify: false}}", tmp_path)
    assert found == expected


def test_bytes_that_were_read_tell_their_range(tmp_path):
    from kbuild.data.load import load as read
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    np.savez(tmp_path / "a.npz", x=np.arange(40 * 64, dtype="uint8").reshape(40, 8, 8) % 2, y=np.arange(40) % 10)
    spec = load(f"kbuild: 1\ndata: {{source: {{npz: a.npz, x: x, y: y}}}}\nmodel: [{END}]\n", data_roots=[tmp_path])
    assert "K338" in {problem.code for problem in check(spec).problems}
    assert "K338" not in {problem.code for problem in check(spec, read(spec.data, 0).header).problems}


def test_what_a_table_joins_is_normalized(tell, tmp_path):
    rows = "".join(f"{i * 1000},{i % 7},{i % 2}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("a,b,y\n" + rows)
    data = "{source: {csv: t.csv, target: y}}"
    assert said(tell, "[{Dense: {units: 1, activation: sigmoid}}]", data, tmp_path) == []
    own = """
        inputs: {a: {shape: [1]}, rest: {}}
        layers: [{Dense: 4, from: a}, {Concatenate: null, from: [previous, rest]}, {Dense: {units: 1, activation: sigmoid}}]
    """
    assert said(tell, f"\n{own}", data, tmp_path) == ["warning"]
