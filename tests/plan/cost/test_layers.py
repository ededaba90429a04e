"""The numbers of every rule against the built layer: trainable and not, over random arguments and input shapes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAYERS, Case, several

from kbuild.spec.call import Call
from kbuild.spec.signature import signature

SWITCHES = {
    "use_bias", "center", "scale", "rms_scaling", "renorm", "use_scale", "use_gate", "reset_after", "tie_weights",
    "unit_forget_bias", "trainable",
}  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "lora_rank": st.sampled_from([None, 1, 2]),
    "activation": st.sampled_from(["relu", "gelu", "softmax", Call("layers", "PReLU"), Call("layers", "ReLU")]),
    "bias_axes": st.sampled_from([None, "c", "d", "y", "bd"]),
    "shared_axes": st.sampled_from([None, [1], [1, 2], [-1]]),
    "attention_axes": st.sampled_from([None, [1]]),
    "dropout": st.just(0.5),
    "units": st.integers(1, 4),
}


def varied(draw: st.DrawFn, name: str, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with some that change which weights there are; so for layers inside."""
    found = signature("layers", name)
    out = {key: inside(draw, value) for key, value in args.items()}
    for parameter in found.parameters if found else ():
        if parameter.name in VALUES and name != "Activation" and not draw(st.integers(0, 2)):
            out[parameter.name] = draw(VALUES[parameter.name])
        if parameter.name in SWITCHES and not draw(st.integers(0, 2)):
            out[parameter.name] = draw(st.booleans())
    if "Cell" in name or name in ("SimpleRNN", "GRU", "LSTM") or name.startswith("ConvLSTM"):
        # these apply theirs to every step, inside their cell
        out.pop("activation", None)
    return out


def inside(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, Call):
        return Call("layers", value.name, varied(draw, value.name, dict(value.args)))
    return [inside(draw, item) for item in value] if isinstance(value, list) else value


@st.composite
def variations(draw: st.DrawFn, family: str) -> Case:
    name, args, inputs, kwinputs = draw(LAYERS[family][0]())
    return name, varied(draw, name, args), inputs, kwinputs


@pytest.mark.parametrize("family", LAYERS)
def test_numbers_are_those_of_keras(count, family):
    """Where Keras refuses the call there is nothing to compare."""
    accepted = []

    @several
    @given(variations(family))
    def agree(case: Case) -> None:
        accepted.append(count(*case))

    agree()
    assert sum(accepted) * 10 >= len(accepted), f"{sum(accepted)} of {len(accepted)} calls were compared"


def test_the_argument_trainable_freezes_the_layers_own_weights_only():
    """Those of layers inside are trained by a model all the same."""
    import keras

    from kbuild.plan.cost import cost_of

    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3, trainable=False)(inputs, inputs))
    learned = sum(int(keras.ops.size(weight)) for weight in model.trainable_weights)
    args = {"num_heads": 2, "key_dim": 3, "trainable": False}
    assert cost_of("MultiHeadAttention", args, [(5, 4), (5, 4)], ((5, 4),)).trainable == learned == 118


@pytest.mark.parametrize(
    ("name", "args", "inputs"),
    [
        ("BatchNormalization", {"renorm": True, "axis": 1}, [(6, 4)]),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2}, [(6, 6, 8)]),
        ("Conv2D", {"filters": 4, "kernel_size": [3, 1], "lora_rank": 2, "data_format": "channels_first"}, [(8, 6, 6)]),
        ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal"}, [(None, 8)]),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "data_format": "channels_first"}, [(8, 6, 6)]),
        ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "depth_multiplier": 2, "use_bias": False}, [(None, 8)]),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": 3}, [(6, 6, 8)]),
        ("Embedding", {"input_dim": 7, "output_dim": 4, "lora_rank": 2}, [(None,)]),
        ("ReversibleEmbedding", {"input_dim": 7, "output_dim": 4, "tie_weights": False}, [(3,)]),
        ("LayerNormalization", {"axis": [1, 2], "center": False}, [(6, 4)]),
        ("LayerNormalization", {"rms_scaling": True}, [(6, 4)]),
        ("Normalization", {"axis": [1, 2]}, [(6, 4)]),
        ("Normalization", {"axis": None}, [(6, 4)]),
        ("Normalization", {"mean": 1.0, "variance": 2.0}, [(6, 4)]),
        ("PReLU", {"shared_axes": [1, 2]}, [(None, None, 4)]),
        ("GRU", {"units": 3, "reset_after": False}, [(None, 4)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 5, "output_shape": [2, 3]}, [(6, 4), (7, 8)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "use_gate": True, "use_bias": False}, [(6, 4), (7, 4)]),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": [2]}, [(5, 6, 4), (5, 7, 4)]),
        ("Attention", {"use_scale": True, "score_mode": "concat"}, [[(6, 4), (7, 4)]]),
        ("STFTSpectrogram", {"frame_length": 4, "fft_length": 8, "mode": "real"}, [(32, 2)]),
        ("SpectralNormalization", {"layer": Call("layers", "Conv2DTranspose", {"filters": 2, "kernel_size": 3})}, [(6, 6, 4)]),
        ("SpectralNormalization", {"layer": Call("layers", "DepthwiseConv2D", {"kernel_size": 3})}, [(6, 6, 4)]),
        ("Dense", {"units": 3, "activation": Call("layers", "PReLU")}, [(6, 4)]),
    ],
)  # fmt: skip
def test_what_changes_the_weights(count, name, args, inputs):
    """Arguments that are rare among random ones."""
    assert count(name, args, inputs)
