"""Receptive fields: where they are told, how they pass through other layers, and where they end."""

import pytest

from kbuild.plan.expand import expand
from kbuild.plan.field import Field, fields
from kbuild.spec.load import load


def found(layers: str, shape: str = "[64, 48, 3]", top: str = "") -> dict[str, Field]:
    body = "".join(f"    {line}\n" for line in layers.strip().split("\n"))
    text = f"kbuild: 1\n{top}model:\n  inputs: {{x: {{shape: {shape}}}}}\n  layers:\n{body}"
    return fields(expand(load(text)))


CONV = "- Conv2D: {filters: 4, kernel_size: 3, padding: same}\n"
LAST = "- {Conv2D: {filters: 4, kernel_size: 3, padding: same}, name: last}\n"


def test_vgg16():
    layers = ""
    for filters, times in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
        conv = f"{{Conv2D: {{filters: {filters}, kernel_size: 3, padding: same, activation: relu}}, repeat: {times}, name: c{filters}}}"
        layers += f"- {{chain: [{conv}, {{MaxPooling2D: {{pool_size: 2, strides: 2}}}}], name: s{layers.count('chain')}, repeat: 1}}\n"
    sizes = {name: field.size[0] for name, field in found(layers, "[224, 224, 3]").items()}
    assert list(sizes.values()) == [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212]


def test_axes_differ():
    layers = "- Conv2D: {filters: 4, kernel_size: [3, 5], strides: [2, 1]}\n- AveragePooling2D: [2, 4]\n"
    assert list(found(layers).values()) == [Field((3, 5), (2, 1)), Field((5, 8), (4, 4))]


def test_channels_first():
    layers = "- Conv2D: {filters: 4, kernel_size: [3, 5], data_format: channels_first}\n"
    assert found(layers, "[3, 64, 48]") == {"conv2d": Field((3, 5), (1, 1))}


def test_dilation_reaches_further():
    assert found("- Conv1D: {filters: 4, kernel_size: 3, dilation_rate: 4}", "[64, 3]") == {"conv1d": Field((9,), (1,))}


@pytest.mark.parametrize(
    "between",
    [
        "BatchNormalization", "ReLU", "{Dropout: 0.2}", "{ZeroPadding2D: 1}", "{GroupNormalization: 2}", "ops.relu",
        "{ops.multiply: 0.5}", "{Dense: 8}", "{Reshape: [64, 48, 4, 1]}", "{chain: [{Permute: [2, 1, 3]}, {Permute: [2, 1, 3]}]}",
        "{Reshape: [1, 64, 48, 4]}", "InstanceNormalization", "LayerScale",
    ],
)  # fmt: skip
def test_what_works_place_by_place_hands_on(between):
    back = "- Reshape: [64, 48, 4]\n" if "Reshape" in between else ""
    assert found(CONV + f"- {between}\n{back}" + LAST)["last"] == Field((5, 5), (1, 1))


def test_where_paths_meet_the_wider_counts_and_a_gate_does_not():
    wide = "[{Conv2D: {filters: 4, kernel_size: 7, padding: same}}]"
    gate = "[GlobalAveragePooling2D, {Reshape: [1, 1, 4]}]"
    layers = CONV + f"- {{branches: [[], {wide}, {gate}], merge: Multiply}}\n" + LAST
    assert found(layers)["last"] == Field((11, 11), (1, 1))


@pytest.mark.parametrize(
    "between",
    ["Flatten\n- {Dense: 96}\n- {Reshape: [4, 4, 6]}", "{GlobalAveragePooling2D: {keepdims: true}}",
     "{ops.mean: {axis: [1, 2], keepdims: true}}"],
)  # fmt: skip
def test_the_whole_input(between):
    assert found(CONV + f"- {between}\n" + LAST)["last"] == Field((None, None), (1, 1))


def test_attention_and_recurrence_see_all_steps():
    after = "- {Conv1D: {filters: 2, kernel_size: 3}, name: last}\n"
    for between in (
        "{MultiHeadAttention: {num_heads: 2, key_dim: 2}, from: [previous, previous]}",
        "{LSTM: {units: 3, return_sequences: true}}",
    ):
        assert found(f"- {between}\n" + after, "[20, 3]")["last"] == Field((None,), (1,))


def test_a_mean_over_channels_leaves_the_places():
    assert found(CONV + "- {ops.mean: {axis: -1, keepdims: true}}\n" + LAST)["last"] == Field((5, 5), (1, 1))


def test_one_axis_of_two():
    layers = "- {ops.mean: {axis: 1, keepdims: true}}\n" + LAST
    assert found(layers)["last"] == Field((None, 3), (1, 1))


def test_time_distributed_slides_within_each_step():
    layers = "- {TimeDistributed: {layer: {Conv2D: {filters: 2, kernel_size: 5, strides: 2}}}, name: a}\n- {TimeDistributed: {layer: cnn}}\n- {Conv3D: {filters: 2, kernel_size: 2}, name: b}"
    top = "blocks: {cnn: [{Conv2D: {filters: 2, kernel_size: 3}}, ReLU]}\n"
    assert found(layers, "[7, 64, 48, 3]", top) == {"a": Field((5, 5), (2, 2)), "b": Field((2, 11, 11), (1, 2, 2))}


@pytest.mark.parametrize(
    ("layer", "jump", "size"),
    [("{UpSampling2D: 2}", 0.5, 5), ("{UpSampling2D: {size: 2, interpolation: bilinear}}", 0.5, 6),
     ("{Conv2DTranspose: {filters: 4, kernel_size: 4, strides: 2}}", 0.5, 6)],
)  # fmt: skip
def test_larger_maps_have_jumps_below_one(layer, jump, size):
    assert found(CONV + f"- {layer}\n" + LAST)["last"] == Field((size - 1, size - 1), (jump, jump))


@pytest.mark.parametrize(
    "layer", ["{Resizing: {height: 32, width: 24}}", "{Reshape: [48, 64, 4]}", "{ops.roll: {shift: 1, axis: 1}}"]
)
def test_what_is_not_known_is_left_out(layer):
    assert "last" not in found(CONV + f"- {layer}\n" + LAST)


def test_shapes_that_are_not_known_are_left_out():
    spec = load("kbuild: 1\ndata: {source: {npz: absent.npz}}\nmodel: [{Conv2D: {filters: 4, kernel_size: 3}}]\n")
    assert fields(expand(spec)) == {}
    assert found(LAST, "[null, null, 3]") == {"last": Field((3, 3), (1, 1))}
