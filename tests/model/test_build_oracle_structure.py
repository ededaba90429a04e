"""Blocks, repeats, reuse, operations, holes: a spec against the same network by hand, outputs from the same weights included."""

import keras
import pytest
from keras import Input, Model, layers, ops

CASES = []


def case(text: str):
    """The network that the decorated function writes by hand."""

    def add(by_hand):
        CASES.append(pytest.param(text, by_hand, id=by_hand.__name__))
        return by_hand

    return add


@case("""
model:
  inputs: {left: {shape: [8]}, right: {shape: [8]}}
  layers:
    - chain: [{Dense: {units: 6, activation: tanh}}, {Dense: 4}, LayerNormalization]
      name: encoder
      from: left
    - {reuse: encoder, from: right, name: other}
    - {ops.subtract: null, from: [encoder, other]}
    - ops.absolute
    - Dense: {units: 1, activation: sigmoid}
""")
def siamese():
    a, b = Input((8,), name="left"), Input((8,), name="right")
    parts = [layers.Dense(6, activation="tanh"), layers.Dense(4), layers.LayerNormalization()]

    def encode(x):
        for part in parts:
            x = part(x)
        return x

    d = ops.absolute(ops.subtract(encode(a), encode(b)))
    return Model([a, b], layers.Dense(1, activation="sigmoid")(d))


@case("""
blocks:
  unit:
    params: {units: 5}
    inputs: [x, bias]
    layers:
      - {Dense: $units, name: d}
      - {Add: null, from: [d, bias]}
model:
  inputs: {x: {shape: [5]}, y: {shape: [5]}}
  layers:
    - {unit: null, from: [x, y], name: u}
    - {reuse: u, from: {x: previous, bias: x}, name: v}
    - {Dense: 5, repeat: 2, name: stack}
    - {reuse: stack, from: y, name: again}
    - {reuse: stack-0, from: again}
    - {Concatenate: null, from: [v, stack, again, previous]}
""")
def shared_weights():
    x, y = Input((5,), name="x"), Input((5,), name="y")
    d, one, two = layers.Dense(5), layers.Dense(5), layers.Dense(5)
    add = layers.Add()
    u = add([d(x), y])
    v = add([d(u), x])
    stack = two(one(v))
    again = two(one(y))
    return Model([x, y], layers.Concatenate()([v, stack, again, one(again)]))


@case("""
model:
  inputs: {x: {shape: [4, 6]}, scale: {shape: [6]}, index: {shape: [2], dtype: int32}}
  layers:
    - {ops.expand_dims: 1, from: scale, name: wide}
    - {ops.multiply: null, from: [x, wide], name: scaled}
    - ops.multiply: 0.5
    - {ops.transpose: {axes: [0, 2, 1]}, name: turned}
    - {ops.matmul: null, from: [turned, scaled], name: product}
    - {ops.einsum: "bij,bjk->bik", from: [product, turned], name: sums}
    - ops.reshape: [-1, 12, 2]
    - {ops.mean: {axis: 1, keepdims: true}, name: centre}
    - {ops.maximum: 0.1}
    - ops.squeeze: 1
    - {ops.take_along_axis: {axis: 1}, from: [previous, index], name: taken}
    - {ops.add: null, from: [taken, previous], name: added}
    - {ops.stack: {axis: 1}, from: [taken, added], name: stacked}
    - {ops.concatenate: {axis: -1}, from: [stacked, stacked]}
    - {ops.greater: 0, name: positive}
    - {ops.concatenate: {axis: -1}, from: [stacked, stacked], name: twice}
    - {ops.where: null, from: [positive, twice, twice], name: chosen}
  outputs: {y: chosen, s: sums}
""")
def operations():
    x, scale, index = Input((4, 6), name="x"), Input((6,), name="scale"), Input((2,), name="index", dtype="int32")
    scaled = ops.multiply(x, ops.expand_dims(scale, 1))
    turned = ops.transpose(ops.multiply(scaled, 0.5), axes=(0, 2, 1))
    product = ops.matmul(turned, scaled)
    sums = ops.einsum("bij,bjk->bik", product, turned)
    y = ops.mean(ops.reshape(sums, (-1, 12, 2)), axis=1, keepdims=True)
    y = ops.squeeze(ops.maximum(y, 0.1), 1)
    taken = ops.take_along_axis(y, index, axis=1)
    added = ops.add(taken, y)
    stacked = ops.stack([taken, added], axis=1)
    positive = ops.greater(ops.concatenate([stacked, stacked], axis=-1), 0)
    twice = ops.concatenate([stacked, stacked], axis=-1)
    return Model([x, scale, index], {"y": ops.where(positive, twice, twice), "s": sums})


@case("""
vars:
  depth: {$int: [1, 4], default: 2}
  wide: "${depth > 1}"
  act: {$choice: [relu, elu], default: elu}
  units: "${[8, 6, 4]}"
blocks:
  part:
    params: {units: {$int: [3, 9], default: 7}, norm: null}
    layers:
      - Dense: $units
      - $norm
      - {$choice: [ReLU, {LeakyReLU: 0.2}, []], name: act, default: {LeakyReLU: 0.2}}
model:
  inputs: {x: {shape: [10]}}
  layers:
    - {Dense: {units: {$int: [16, 64], step: 2, sampling: log, default: 32}, activation: $act}, repeat: $depth}
    - {Dense: "${units[1]}", when: $wide}
    - {Dense: 99, when: "${not wide}"}
    - {Dropout: {$float: [0.1, 0.5]}, when: {$bool: true}}
    - {part: null, name: a}
    - {part: {norm: BatchNormalization}, repeat: {$int: [2, 3]}, name: b}
    - {$choice: {none: [], two: [{Dense: 3}, Softmax]}, default: two}
""")
def holes():
    x = Input((10,), name="x")
    y = layers.Dense(32, activation="elu")(layers.Dense(32, activation="elu")(x))
    y = layers.Dropout(0.1)(layers.Dense(6)(y))
    y = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(7)(y))
    for _ in range(2):
        y = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(layers.Dense(7)(y)))
    return Model(x, layers.Softmax()(layers.Dense(3)(y)))


@case("""
model:
  inputs: {x: {shape: [6]}, meta: {shape: [3]}}
  layers:
    - {Dense: 4, from: x, name: body}
    - {Dense: 4, from: meta, name: side}
    - {Add: null, from: [body, side], name: joint}
    - {Dense: {units: 2, activation: softmax}, name: digit}
    - {Dense: 1, from: joint, name: parity}
    - Activation: sigmoid
  outputs: [digit, activation]
""")
def several_inputs_and_outputs():
    x, meta = Input((6,), name="x"), Input((3,), name="meta")
    joint = layers.Add()([layers.Dense(4)(x), layers.Dense(4)(meta)])
    digit = layers.Dense(2, activation="softmax")(joint)
    return Model([x, meta], {"digit": digit, "activation": layers.Activation("sigmoid")(layers.Dense(1)(joint))})


@case("""
blocks:
  level:
    params: {units: $required}
    layers:
      - chain:
          - {Dense: $units, name: inner}
          - {Dropout: 0.1, name: drop}
        repeat: 2
        name: pair
      - {Add: null, from: pair-*}
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {level: "${4 + 2 * i}", repeat: 2, name: stage}
    - {Concatenate: null, from: stage-*}
    - {Dense: 3, repeat: 0}
    - []
    - null
    - chain: [{Dense: 2, repeat: 2, name: d}]
      repeat: 2
      name: g
    - {Concatenate: null, from: [g-0.d, g]}
""")
def nested_repeats():
    def level(x, units):
        ends = []
        for _ in range(2):
            x = layers.Dropout(0.1)(layers.Dense(units)(x))
            ends.append(x)
        return layers.Add()(ends)

    x = Input((4,), name="x")
    a = level(x, 4)
    b = level(a, 6)
    y = layers.Concatenate()([a, b])
    first = layers.Dense(2)(layers.Dense(2)(y))
    second = layers.Dense(2)(layers.Dense(2)(first))
    return Model(x, layers.Concatenate()([first, second]))


@case("""
blocks:
  dense_unit:
    params: {growth: 3}
    layers:
      - {Dense: $growth, name: new}
      - {Concatenate: null, from: [input, new]}
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {dense_unit: "${input_shape[-1]}", repeat: 2, name: u}
    - {Dense: "${input_shape[-1] // 2}"}
    - {Dense: 9, when: false, name: gone}
    - {Multiply: null, from: [previous, gone]}
""")
def left_out():
    x = y = Input((4,), name="x")
    for _ in range(2):
        y = layers.Concatenate()([y, layers.Dense(4)(y)])
    y = layers.Dense(2)(y)
    return Model(x, layers.Multiply()([y, y]))


@case("""
model:
  inputs: {x: {shape: [6]}}
  layers:
    - {Dense: {units: 4, kernel_regularizer: l2, bias_initializer: {Constant: 0.5}, kernel_constraint: NonNeg}, name: a}
    - {Dense: {units: 4, activation: {LeakyReLU: 0.3}, kernel_initializer: {RandomNormal: {stddev: 0.2, seed: 1}}}, name: b}
    - Activation: {LeakyReLU: {negative_slope: 0.1}}
    - Dense: 3
    - {GaussianNoise: 0.1}
    - Identity
    - {Dense: {units: 3, activity_regularizer: {L1: 0.1}, dtype: float32}}
    - Rescaling: {scale: "${1 / 4}", offset: -1}
""")
def calls_as_arguments():
    x = Input((6,), name="x")
    y = layers.Dense(
        4, kernel_regularizer="l2", bias_initializer=keras.initializers.Constant(0.5), kernel_constraint="NonNeg"
    )(x)
    y = layers.Dense(4, activation=layers.LeakyReLU(negative_slope=0.3))(y)
    y = layers.Activation(layers.LeakyReLU(negative_slope=0.1))(y)
    y = layers.Identity()(layers.GaussianNoise(0.1)(layers.Dense(3)(y)))
    y = layers.Dense(3, activity_regularizer=keras.regularizers.L1(0.1))(y)
    return Model(x, layers.Rescaling(0.25, -1)(y))


@case("model: 12 -> 8 → 5 -> 3\n")
def arrow():
    x = Input((12,), name="input")
    y = layers.Activation("relu")(layers.Dense(8)(layers.Flatten()(x)))
    y = layers.Activation("relu")(layers.Dense(5)(y))
    return Model(x, layers.Dense(3, activation="softmax")(y))


@case("""
model:
  inputs: {x: {shape: [6]}}
  layers:
    - {Dense: 4, name: mean}
    - {Dense: 4, from: x, name: log_var}
    - {ops.exp: null, from: log_var}
    - {ops.multiply: 2.0, name: double}
    - {ops.subtract: {x1: 1.0}, from: {x2: double}, name: flipped}
    - {ops.divide: null, from: {x1: mean, x2: flipped}}
    - {ops.clip: {x_min: -1, x_max: 1}}
    - {ops.one_hot: {num_classes: 3}, when: false}
    - {ops.split: {indices_or_sections: 2, axis: 1}, outputs: [left, right], name: halves}
    - {ops.concatenate: {axis: 1}, from: [halves.right, halves.left]}
    - {ops.softmax: -1}
""")
def operations_by_name():
    x = Input((6,), name="x")
    mean, log_var = layers.Dense(4)(x), layers.Dense(4)(x)
    flipped = ops.subtract(1.0, ops.multiply(ops.exp(log_var), 2.0))
    left, right = ops.split(ops.clip(ops.divide(mean, flipped), -1, 1), 2, axis=1)
    return Model(x, ops.softmax(ops.concatenate([right, left], axis=1), -1))


@pytest.mark.parametrize(("text", "by_hand"), CASES)
def test_spec_is_the_network_by_hand(text, by_hand, same):
    same(text, by_hand())
