"""Operations against TensorFlow's profiler, which counts those of a frozen graph, and against arithmetic by hand."""

import io
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import several, small, some

from kbuild.plan.cost import cost_of
from kbuild.plan.shapes import shapes_of
from kbuild.spec.call import Call


@pytest.fixture(scope="session")
def profiled():
    """(class, arguments, input shapes) → what TensorFlow's profiler says of one example."""
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def flops(name, args, inputs):
        layer = getattr(keras.layers, name)(**args)
        given = [keras.Input(shape, batch_size=1) for shape in inputs]
        model = keras.Model(given, layer(*given))
        traced = tf.function(lambda *tensors: model(list(tensors)))
        function = traced.get_concrete_function(*[tf.TensorSpec((1, *shape)) for shape in inputs])
        graph = convert_variables_to_constants_v2(function).graph
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        with redirect_stdout(io.StringIO()):
            done = tf.compat.v1.profiler.profile(graph, options={**options, "output": "none"})
        return done.total_float_ops

    return flops


def ours(name, args, inputs, kwinputs=None, namespace="layers"):
    found = cost_of(name, args, inputs, shapes_of(name, args, inputs, kwinputs, namespace), kwinputs, namespace).flops
    assert found is not None, name
    return found


@st.composite
def products(draw):
    """Layers whose operations the profiler counts all: products, biases, pooling, softmax."""
    kind = draw(st.sampled_from(["Dense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Max"]))
    bias = some(draw, use_bias=st.booleans())
    if kind == "Dense":
        softmax = some(draw, activation=st.just("softmax"))
        return kind, {"units": draw(st.integers(2, 5)), **bias, **softmax}, [(draw(small),)]
    shape = (draw(st.integers(4, 9)), draw(st.integers(4, 9)), draw(st.sampled_from([2, 4])))
    window = some(draw, strides=st.integers(1, 2), padding=st.sampled_from(["valid", "same"]))
    if kind == "Max":
        return f"{draw(st.sampled_from(['Max', 'Average']))}Pooling2D", {"pool_size": draw(small), **window}, [shape]
    args = {"kernel_size": draw(small), **window, **bias}
    if kind != "DepthwiseConv2D":
        args["filters"] = draw(st.sampled_from([2, 4]))
    if kind == "Conv2D":
        args |= some(draw, activation=st.just("softmax"))
    elif kind == "Conv2DTranspose":
        # the profiler takes the outgoing map for the incoming one times the strides, which holds for `same`
        args["padding"] = "same"
    else:
        args |= some(draw, depth_multiplier=small)
    return kind, args, [shape]


def test_products_are_those_of_the_profiler(profiled):
    """Over random arguments and shapes: equal."""

    @several
    @given(products())
    def agree(case):
        assert ours(*case) == profiled(*case), case

    agree()


def test_vit_b16_is_what_torchvision_documents():
    """17.56 billion multiply–adds on 224 × 224 (torchvision, `ViT_B_16_Weights`); ours has norms and softmax too."""
    places = [(197, 768)]
    block = (
        2 * ours("LayerNormalization", {}, places)
        + ours("MultiHeadAttention", {"num_heads": 12, "key_dim": 64}, places * 2)
        + ours("Dense", {"units": 3072, "activation": "gelu"}, places)
        + ours("Dense", {"units": 768}, [(197, 3072)])
        + 2 * ours("Add", {}, [places * 2])
    )
    patches = ours("Conv2D", {"filters": 768, "kernel_size": 16, "strides": 16}, [(224, 224, 3)])
    total = patches + 12 * block + ours("Dense", {"units": 1000}, [(768,)])
    assert 1 <= total / (2 * 17.56e9) < 1.01


@pytest.mark.parametrize(
    ("name", "args", "inputs", "flops"),
    [
        # 4 gates of 3 units over 2 + 3 numbers with biases, then 9 for each unit; 5 times
        ("LSTM", {"units": 3}, [(5, 2)], 5 * (12 * (2 * 5 + 1) + 9 * 3)),
        # `reset_after` has two biases
        ("GRU", {"units": 3}, [(5, 2)], 5 * (9 * (2 * 5 + 2) + 8 * 3)),
        ("SimpleRNN", {"units": 3, "use_bias": False}, [(5, 2)], 5 * (3 * 10 + 3)),
        ("Bidirectional", {"layer": Call("layers", "SimpleRNN", {"units": 3})}, [(5, 2)], 2 * 5 * (3 * 11 + 3)),
        ("TimeDistributed", {"layer": Call("layers", "Dense", {"units": 3})}, [(5, 2)], 5 * 3 * 5),
        # 4 gates of 2 filters over 3 × 3 places of 1 + 2 channels, on a map of 4 × 4; 5 times
        ("ConvLSTM2D", {"filters": 2, "kernel_size": 3}, [(5, 6, 6, 1)], 5 * 16 * 2 * (4 * (2 * 9 * 3 + 1) + 9)),
        ("Attention", {}, [[(3, 4), (5, 4)]], 15 * (2 * 4 + 5) + 3 * 4 * 2 * 5),
        ("AdditiveAttention", {}, [[(3, 4), (5, 4)]], 15 * (4 * 4 + 5) + 3 * 4 * 2 * 5),
        ("MaxPooling2D", {"pool_size": 3, "strides": 2}, [(9, 9, 2)], 9 * 4 * 4 * 2),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2}, [(4, 4, 8)], 2 * 2 * 4 * (2 * 9 * 4 + 1)),
        ("Dot", {"axes": 1}, [[(7, 2), (7, 3)]], 2 * 7 * 6),
        ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 4]}, [(3, 5)], 2 * 3 * 5 * 4),
        ("BatchNormalization", {}, [(4, 4, 8)], 2 * 128),
        ("LayerNormalization", {"center": False}, [(4, 8)], 6 * 32),
        ("GlobalAveragePooling2D", {}, [(4, 4, 8)], 128),
        ("UpSampling2D", {"interpolation": "bilinear"}, [(2, 2, 3)], 7 * 48),
        ("Average", {}, [[(8,), (8,), (8,)]], 24),
        ("Dropout", {"rate": 0.5}, [(8,)], 0),
        ("Flatten", {}, [(4, 4)], 0),
    ],
)
def test_by_hand(name, args, inputs, flops):
    assert ours(name, args, inputs) == flops


@pytest.mark.parametrize(
    ("name", "args", "inputs", "flops"),
    [
        ("matmul", {}, [(3, 4), (4, 5)], 2 * 3 * 4 * 5),
        ("einsum", {"subscripts": "bth,bsh->bts"}, [(3, 4), (5, 4)], 2 * 3 * 5 * 4),
        ("dot_product_attention", {}, [(3, 2, 4), (5, 2, 4), (5, 2, 4)], 24 + 30 * (2 * 4 + 5) + 24 * 2 * 5),
        ("max_pool", {"pool_size": 2}, [(4, 4, 3)], 4 * 12),
        ("mean", {"axis": 1}, [(3, 4)], 12),
        ("softmax", {}, [(3, 4)], 60),
        ("multiply", {"x2": 0.5}, [(3, 4)], 12),
        ("reshape", {"newshape": [-1, 12]}, [(3, 4)], 0),
        ("split", {"indices_or_sections": 2, "axis": -1}, [(3, 4)], 0),
    ],
)
def test_operations_by_hand(name, args, inputs, flops):
    assert ours(name, args, inputs, namespace="ops") == flops
