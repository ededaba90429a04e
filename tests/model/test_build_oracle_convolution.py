"""Convolutional networks of one to three dimensions: a spec against the same network by hand, outputs included."""

import keras
import pytest
from keras import Input, Model, layers

CASES = []


def case(text: str):
    """The network that the decorated function writes by hand."""

    def add(by_hand):
        CASES.append(pytest.param(text, by_hand, id=by_hand.__name__))
        return by_hand

    return add


@case("""
vars: {width: 4, growth: 2}
model:
  inputs: {x: {shape: [24, 3]}}
  layers:
    - Conv1D: {filters: "${width * growth ** i}", kernel_size: 3, padding: causal, dilation_rate: "${2 ** i}"}
      repeat: 3
      name: tcn
    - {Concatenate: null, from: tcn-*}
    - SeparableConv1D: {filters: 6, kernel_size: 3, strides: 2, depth_multiplier: 2}
    - DepthwiseConv1D: {kernel_size: 2}
    - MaxPooling1D
    - UpSampling1D: 3
    - Conv1DTranspose: {filters: 2, kernel_size: 4, strides: 2, padding: same}
    - Cropping1D: 1
    - ZeroPadding1D: [1, 2]
    - GlobalMaxPooling1D: {keepdims: true}
""")
def one_dimension():
    x = y = Input((24, 3), name="x")
    ends = []
    for i in range(3):
        y = layers.Conv1D(4 * 2**i, 3, padding="causal", dilation_rate=2**i)(y)
        ends.append(y)
    y = layers.Concatenate()(ends)
    y = layers.SeparableConv1D(6, 3, strides=2, depth_multiplier=2)(y)
    y = layers.MaxPooling1D()(layers.DepthwiseConv1D(2)(y))
    y = layers.Conv1DTranspose(2, 4, strides=2, padding="same")(layers.UpSampling1D(3)(y))
    y = layers.ZeroPadding1D((1, 2))(layers.Cropping1D(1)(y))
    return Model(x, layers.GlobalMaxPooling1D(keepdims=True)(y))


@case("""
model:
  inputs: {x: {shape: [8, 10, 12, 2]}}
  layers:
    - Conv3D: {filters: 3, kernel_size: [1, 3, 3], strides: [1, 2, 2], activation: elu, groups: 1}
    - AveragePooling3D: {pool_size: [2, 1, 1]}
    - Conv3DTranspose: {filters: 2, kernel_size: 2, strides: 2, output_padding: null}
    - GroupNormalization: 2
    - SpatialDropout3D: 0.3
    - GlobalAveragePooling3D
""")
def three_dimensions():
    x = Input((8, 10, 12, 2), name="x")
    y = layers.Conv3D(3, (1, 3, 3), strides=(1, 2, 2), activation="elu")(x)
    y = layers.AveragePooling3D((2, 1, 1))(y)
    y = layers.GroupNormalization(2)(layers.Conv3DTranspose(2, 2, strides=2)(y))
    return Model(x, layers.GlobalAveragePooling3D()(layers.SpatialDropout3D(0.3)(y)))


@case("""
blocks:
  separable:
    params: {filters: $required, act: {LeakyReLU: {negative_slope: 0.1}}, kernel: [3, 3], bias: false}
    layers:
      - SeparableConv2D:
          filters: $filters
          kernel_size: $kernel
          padding: same
          use_bias: $bias
          depthwise_initializer: {HeNormal: {seed: 3}}
          pointwise_regularizer: {L1L2: {l1: 1e-5, l2: 1e-4}}
          pointwise_constraint: {MaxNorm: {max_value: 2, axis: [0, 1, 2]}}
      - BatchNormalization: {momentum: 0.9, epsilon: 1e-5, scale: false}
      - $act
model:
  inputs: {x: {shape: [16, 16, 3]}}
  layers:
    - separable: 8
    - separable: {filters: 6, act: ReLU, kernel: 5}
    - separable: {filters: 4, act: {PReLU: {shared_axes: [1, 2]}}, bias: true}
    - DepthwiseConv2D: {kernel_size: 3, depth_multiplier: 2, dilation_rate: 2}
    - Resizing: {height: 5, width: 5, interpolation: nearest}
""")
def separable_block():
    def block(x, filters, act, kernel=(3, 3), bias=False):
        x = layers.SeparableConv2D(
            filters, kernel, padding="same", use_bias=bias,
            depthwise_initializer=keras.initializers.HeNormal(seed=3),
            pointwise_regularizer=keras.regularizers.L1L2(1e-5, 1e-4),
            pointwise_constraint=keras.constraints.MaxNorm(2, axis=[0, 1, 2]),
        )(x)  # fmt: skip
        return act(layers.BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False)(x))

    x = Input((16, 16, 3), name="x")
    y = block(x, 8, layers.LeakyReLU(negative_slope=0.1))
    y = block(y, 6, layers.ReLU(), 5)
    y = block(y, 4, layers.PReLU(shared_axes=[1, 2]), bias=True)
    y = layers.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2)(y)
    return Model(x, layers.Resizing(5, 5, interpolation="nearest")(y))


@case("""
blocks:
  down:
    params: {filters: $required}
    outputs: {skip: act}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same}
      - {ReLU: null, name: act}
      - MaxPooling2D
  up:
    inputs: [x, skip]
    params: {filters: $required}
    layers:
      - Conv2DTranspose: {filters: $filters, kernel_size: 2, strides: 2}
      - {Concatenate: null, from: [previous, skip]}
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: relu}
vars: {widths: [4, 8]}
model:
  inputs: {x: {shape: [16, 16, 1]}}
  layers:
    - {down: $f, repeat: {f: $widths}, name: down}
    - Conv2D: {filters: 16, kernel_size: 1}
    - {up: 8, from: [previous, down-1.skip]}
    - {up: 4, from: {skip: down-0.skip, x: previous}}
    - Conv2D: {filters: 1, kernel_size: 1, activation: sigmoid}
""")
def u_net():
    x = y = Input((16, 16, 1), name="x")
    skips = []
    for f in (4, 8):
        y = layers.ReLU()(layers.Conv2D(f, 3, padding="same")(y))
        skips.append(y)
        y = layers.MaxPooling2D()(y)
    y = layers.Conv2D(16, 1)(y)
    for f in (8, 4):
        y = layers.Concatenate()([layers.Conv2DTranspose(f, 2, strides=2)(y), skips.pop()])
        y = layers.Conv2D(f, 3, padding="same", activation="relu")(y)
    return Model(x, layers.Conv2D(1, 1, activation="sigmoid")(y))


@case("""
model:
  inputs: {x: {shape: [12, 12, 4]}}
  layers:
    - branches:
        - []
        - - Conv2D: {filters: 4, kernel_size: 1}
          - branches:
              - [{Conv2D: {filters: 2, kernel_size: [1, 3], padding: same}}]
              - [{Conv2D: {filters: 2, kernel_size: [3, 1], padding: same}}, ReLU]
        - [{AveragePooling2D: {pool_size: 3, strides: 1, padding: same}}]
      merge: Average
    - branches:
        - Conv2D: {filters: 3, kernel_size: 3}
        - [{Cropping2D: 1}]
        - [{MaxPooling2D: {pool_size: 3, strides: 1}}]
      merge: {Concatenate: {axis: -1}}
      name: joined
    - {Dot: {axes: -1, normalize: true}, from: [joined, joined]}
""")
def nested_branches():
    x = Input((12, 12, 4), name="x")
    one = layers.Conv2D(4, 1)(x)
    left = layers.Conv2D(2, (1, 3), padding="same")(one)
    right = layers.ReLU()(layers.Conv2D(2, (3, 1), padding="same")(one))
    both = layers.Concatenate()([left, right])
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    y = layers.Average()([x, both, pooled])
    parts = [layers.Conv2D(3, 3)(y), layers.Cropping2D(1)(y), layers.MaxPooling2D(3, strides=1)(y)]
    joined = layers.Concatenate(axis=-1)(parts)
    return Model(x, layers.Dot(axes=-1, normalize=True)([joined, joined]))


@case("""
blocks:
  gated:
    params: {ratio: 4}
    layers:
      - branches:
          - []
          - - GlobalAveragePooling2D: {keepdims: true}
            - Conv2D: {filters: "${max(1, input_shape[-1] // ratio)}", kernel_size: 1, activation: relu}
            - Conv2D: {filters: "${input_shape[-1]}", kernel_size: 1, activation: sigmoid}
        merge: Multiply
  stage:
    params: {filters: $required, depth: 2, stride: 1}
    layers:
      - branches:
          - - chain:
                - Conv2D: {filters: $filters, kernel_size: 3, padding: same, strides: "${stride if i == 0 else 1}"}
                - {gated: 2, when: "${i > 0}"}
                - ReLU
              repeat: $depth
          - - {Conv2D: {filters: $filters, kernel_size: 1, strides: $stride}, when: "${input_shape[-1] != filters or stride > 1}"}
        merge: Add
model:
  inputs: {x: {shape: [8, 8, 4]}}
  layers:
    - stage: 4
    - {stage: {filters: $filters, depth: $depth, stride: 2}, repeat: {filters: [6, 8], depth: [1, 3]}, name: stage}
    - {GlobalAveragePooling2D: null, from: stage-0}
    - {GlobalAveragePooling2D: null, from: stage}
    - {Concatenate: null, from: [global_average_pooling2d, previous]}
""")
def blocks_in_blocks():
    def gated(x, ratio):
        w = layers.GlobalAveragePooling2D(keepdims=True)(x)
        w = layers.Conv2D(x.shape[-1] // ratio, 1, activation="relu")(w)
        return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(w)])

    def stage(x, filters, depth, stride):
        y = x
        for i in range(depth):
            y = layers.Conv2D(filters, 3, padding="same", strides=stride if i == 0 else 1)(y)
            y = layers.ReLU()(gated(y, 2) if i else y)
        short = x if x.shape[-1] == filters and stride == 1 else layers.Conv2D(filters, 1, strides=stride)(x)
        return layers.Add()([y, short])

    x = Input((8, 8, 4), name="x")
    a = stage(stage(x, 4, 2, 1), 6, 1, 2)
    b = stage(a, 8, 3, 2)
    pooled = [layers.GlobalAveragePooling2D()(a), layers.GlobalAveragePooling2D()(b)]
    return Model(x, layers.Concatenate()(pooled))


@case("""
model:
  inputs: {x: {shape: [64, 64, 3]}}
  layers:
    - {MobileNetV2: {include_top: false, weights: null, alpha: 0.35}, name: net, outputs: {c2: block_3_expand_relu, c3: block_6_expand_relu}, trainable: ["block_16*", Conv_1*]}
    - {GlobalAveragePooling2D: null, from: net.c2, name: a}
    - {GlobalAveragePooling2D: null, from: net.c3, name: b}
    - {GlobalAveragePooling2D: null, from: net, name: c}
    - {Concatenate: null, from: [a, b, c]}
    - Dense: {units: 2, kernel_initializer: {VarianceScaling: {scale: 0.5, mode: fan_out}}}
""")
def application():
    from keras.applications import MobileNetV2

    inner = MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(64, 64, 3))
    for layer in inner.layers:
        layer.trainable = layer.name.startswith(("block_16", "Conv_1"))
    ends = [inner.output, *(inner.get_layer(n).output for n in ("block_3_expand_relu", "block_6_expand_relu"))]
    x = Input((64, 64, 3), name="x")
    c, a, b = Model(inner.input, ends)(x)
    pooled = [layers.GlobalAveragePooling2D()(t) for t in (a, b, c)]
    return Model(x, layers.Dense(2)(layers.Concatenate()(pooled)))


@case("""
model:
  inputs: {x: {shape: [6, 6, 3]}}
  layers:
    - {Conv2D: {filters: 4, kernel_size: 3}, name: first, trainable: false}
    - chain: [{Conv2D: {filters: 5, kernel_size: 3}}, BatchNormalization]
      trainable: false
    - chain:
        - {Dense: 4, name: keep_me}
        - {Dense: 5, name: freeze_me}
      trainable: [keep*]
      name: group
    - Dense: 1
""")
def frozen():
    x = Input((6, 6, 3), name="x")
    y = layers.Conv2D(4, 3, trainable=False)(x)
    y = layers.BatchNormalization(trainable=False)(layers.Conv2D(5, 3, trainable=False)(y))
    y = layers.Dense(5, trainable=False)(layers.Dense(4)(y))
    return Model(x, layers.Dense(1)(y))


@pytest.mark.parametrize(("text", "by_hand"), CASES)
def test_spec_is_the_network_by_hand(text, by_hand, same):
    same(text, by_hand())
