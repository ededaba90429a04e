"""Networks with unusual wiring: nothing to warn of, and the numbers of trainable parameters that Keras 3.15 counted when it built them."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load

NETWORKS = {
    "wavenet": (
        182_720, """
vars: {skip: 64, res: 32}
blocks:
  gated:
    params: {dilation: $required}
    outputs: {skip: skip}
    layers:
      - branches:
          - [{Conv1D: {filters: $res, kernel_size: 2, dilation_rate: $dilation, padding: causal, activation: tanh}}]
          - [{Conv1D: {filters: $res, kernel_size: 2, dilation_rate: $dilation, padding: causal, activation: sigmoid}}]
        merge: Multiply
        name: gate
      - {Conv1D: {filters: $skip, kernel_size: 1}, name: skip}
      - {Conv1D: {filters: $res, kernel_size: 1}, from: gate}
      - {Add: null, from: [previous, input]}
model:
  inputs: {wave: {shape: [null, 256]}}
  layers:
    - Conv1D: {filters: $res, kernel_size: 2, padding: causal}
    - {gated: "${2 ** (i % 10)}", repeat: 20, name: stack}
    - {Add: null, from: stack-*.skip}
    - ReLU
    - Conv1D: {filters: 64, kernel_size: 1, activation: relu}
    - Conv1D: {filters: 256, kernel_size: 1, activation: softmax}
"""),
    "tcn": (
        67_562, """
blocks:
  temporal:
    params: {filters: $required, dilation: 1, kernel: 7, drop: 0.05}
    layers:
      - branches:
          - - chain:
                - SpectralNormalization: {layer: {Conv1D: {filters: $filters, kernel_size: $kernel, dilation_rate: $dilation, padding: causal}}}
                - ReLU
                - SpatialDropout1D: $drop
              repeat: 2
          - [{Conv1D: {filters: $filters, kernel_size: 1}, when: "${input_shape[-1] != filters}"}]
        merge: Add
      - ReLU
model:
  inputs: {x: {shape: [96, 6]}}
  layers:
    - {temporal: {filters: 25, dilation: "${2 ** i}"}, repeat: 8}
    - ops.take: {indices: -1, axis: 1}
    - Dense: 12
"""),
    "seq2seq_attention": (
        3_960_176, """
model:
  inputs: {src: {shape: [30], dtype: int32}, dec: {shape: [25], dtype: int32}}
  layers:
    - {Embedding: {input_dim: 8000, output_dim: 128, mask_zero: true}, from: src}
    - Bidirectional: {layer: {GRU: {units: 128, return_sequences: true, return_state: true}}, merge_mode: concat}
      name: enc
      outputs: [seq, fwd, bwd]
    - {Concatenate: null, from: [enc.fwd, enc.bwd], name: state}
    - {Embedding: {input_dim: 6000, output_dim: 128, mask_zero: true}, from: dec}
    - {GRU: {units: 256, return_sequences: true}, from: {sequences: previous, initial_state: state}, name: decoded}
    - {AdditiveAttention: null, from: [decoded, enc.seq]}
    - {Concatenate: null, from: [decoded, previous]}
    - Dense: {units: 256, activation: tanh}
    - {Dense: {units: 6000, activation: softmax}, name: word}
"""),
    "siamese_triplet": (
        22_976, """
blocks:
  tower:
    layers:
      - conv_pool: [32, 64]
      - GlobalAveragePooling2D
      - Dense: 64
      - UnitNormalization
  dist:
    inputs: [a, b]
    layers:
      - {Subtract: null, from: [a, b]}
      - ops.square
      - ops.sum: {axis: -1, keepdims: true}
model:
  inputs: {a: {shape: [28, 28, 1]}, p: {shape: [28, 28, 1]}, n: {shape: [28, 28, 1]}}
  layers:
    - {tower: null, from: a, name: ta}
    - {reuse: ta, from: p, name: tp}
    - {reuse: ta, from: n, name: tn}
    - {dist: null, from: [ta, tp], name: near}
    - {dist: null, from: [ta, tn], name: far}
    - {Subtract: null, from: [near, far]}
    - ops.add: 0.2
    - {ReLU: null, name: margin}
"""),
    "highway": (
        54_760, """
blocks:
  highway:
    layers:
      - {Dense: {units: "${input_shape[-1]}", activation: relu}, name: h}
      - {Dense: {units: "${input_shape[-1]}", activation: sigmoid, bias_initializer: {Constant: -2}}, from: input, name: t}
      - {ops.subtract: null, from: [input, h]}
      - {ops.multiply: null, from: [previous, t]}
      - {Subtract: null, from: [input, previous]}
data: {source: digits, preprocess: [{Rescaling: "${1 / 16}"}]}
model:
  - Flatten
  - Dense: {units: 50, activation: relu}
  - {highway: null, repeat: 10}
  - Dense: {units: 10, activation: softmax}
"""),
    "fpn": (
        26_852_416, """
blocks:
  top_down:
    inputs: [above, here]
    layers:
      - {Conv2D: {filters: 256, kernel_size: 1}, from: here, name: lateral}
      - {UpSampling2D: 2, from: above}
      - {Add: null, from: [previous, lateral]}
  smooth: {layers: [{Conv2D: {filters: 256, kernel_size: 3, padding: same}}]}
model:
  inputs: {image: {shape: [256, 256, 3]}}
  layers:
    - Conv2D: {filters: 64, kernel_size: 7, strides: 2, padding: same, use_bias: false}
    - BatchNormalization
    - ReLU
    - MaxPooling2D: {pool_size: 3, strides: 2, padding: same}
    - {bottleneck: 64, repeat: 3, name: c2}
    - chain: [{bottleneck: {filters: 128, stride: 2}}, {bottleneck: 128, repeat: 3}]
      name: c3
    - chain: [{bottleneck: {filters: 256, stride: 2}}, {bottleneck: 256, repeat: 5}]
      name: c4
    - chain: [{bottleneck: {filters: 512, stride: 2}}, {bottleneck: 512, repeat: 2}]
      name: c5
    - {Conv2D: {filters: 256, kernel_size: 1}, from: c5, name: m5}
    - {top_down: null, from: [m5, c4], name: m4}
    - {top_down: null, from: [m4, c3], name: m3}
    - {top_down: null, from: {above: m3, here: c2}, name: m2}
    - {smooth: null, from: m2, name: p2}
    - {smooth: null, from: m3, name: p3}
    - {smooth: null, from: m4, name: p4}
    - {smooth: null, from: m5, name: p5}
    - {MaxPooling2D: {pool_size: 1, strides: 2}, from: p5, name: p6}
  outputs: [p2, p3, p4, p5, p6]
"""),
    "transformer_base": (
        54_384_496, """
blocks:
  encoder:
    layers:
      - {transformer_encoder: {heads: 8, ff: 2048, norm_first: false}, repeat: 6}
  decoder_layer:
    inputs: [y, memory]
    layers:
      - {MultiHeadAttention: {num_heads: 8, key_dim: 64, dropout: 0.1}, from: [input, input], call: {use_causal_mask: true}}
      - {Add: null, from: [previous, input]}
      - {LayerNormalization: null, name: a}
      - {MultiHeadAttention: {num_heads: 8, key_dim: 64, dropout: 0.1}, from: {query: a, value: memory}}
      - {Add: null, from: [previous, a]}
      - {LayerNormalization: null, name: b}
      - Dense: {units: 2048, activation: relu}
      - Dense: 512
      - {Add: null, from: [previous, b]}
      - LayerNormalization
model:
  inputs: {src: {shape: [30], dtype: int32}, dec: {shape: [25], dtype: int32}}
  layers:
    - {Embedding: {input_dim: 8000, output_dim: 512}, from: src}
    - ops.multiply: "${sqrt(512)}"
    - SinePositionEncoding
    - {encoder: null, name: memory}
    - {Embedding: {input_dim: 6000, output_dim: 512}, from: dec}
    - ops.multiply: "${sqrt(512)}"
    - SinePositionEncoding
    - {decoder_layer: null, from: [previous, memory], repeat: 6}
    - Dense: {units: 6000, activation: softmax}
"""),
    "han": (
        4_142_105, """
blocks:
  attend:
    layers:
      - {Dense: {units: 100, activation: tanh}, name: u}
      - {Dense: {units: 1, use_bias: false}}
      - {Softmax: {axis: 1}, name: w}
      - {Dot: {axes: 1}, from: [w, input]}
      - Flatten
  sentence:
    layers:
      - Embedding: {input_dim: 20000, output_dim: 200}
      - Bidirectional: {GRU: {units: 50, return_sequences: true}}
      - attend
model:
  inputs: {doc: {shape: [15, 50], dtype: int32}}
  layers:
    - TimeDistributed: sentence
    - TimeDistributed: {layer: sentence}
      when: false
    - Bidirectional: {GRU: {units: 50, return_sequences: true}}
    - attend
    - Dense: {units: 5, activation: softmax}
"""),
    "eegnet": (
        2_388, """
model:
  inputs: {eeg: {shape: [64, 128, 1]}}
  layers:
    - Conv2D: {filters: 8, kernel_size: [1, 64], padding: same, use_bias: false}
    - BatchNormalization
    - DepthwiseConv2D: {kernel_size: [64, 1], use_bias: false, depth_multiplier: 2, depthwise_constraint: {MaxNorm: 1.0}}
    - BatchNormalization
    - Activation: elu
    - AveragePooling2D: [1, 4]
    - Dropout: 0.5
    - SeparableConv2D: {filters: 16, kernel_size: [1, 16], use_bias: false, padding: same}
    - BatchNormalization
    - Activation: elu
    - AveragePooling2D: [1, 8]
    - Dropout: 0.5
    - Flatten
    - Dense: {units: 4, kernel_constraint: {MaxNorm: 0.25}}
    - Activation: softmax
"""),
    "lrcn": (
        17_172, """
blocks:
  frame:
    params: {out: 64}
    layers: [{conv_pool: [16, 32]}, GlobalAveragePooling2D, {Dense: $out}, ReLU]
model:
  inputs: {x: {shape: [16, 32, 32, 3]}}
  layers:
    - TimeDistributed: {layer: {frame: 48}}
    - LSTM: 32
    - Dense: {units: 4, activation: softmax}
"""),
    "crnn_ocr": (
        6_358_309, """
model:
  inputs: {x: {shape: [32, 128, 1]}}
  layers:
    - {conv_pool: 64}
    - {conv_pool: 128}
    - {Conv2D: {filters: 256, kernel_size: 3, padding: same, activation: relu}, repeat: 2}
    - {MaxPooling2D: {pool_size: [2, 1]}}
    - Conv2D: {filters: 512, kernel_size: 3, padding: same, use_bias: false}
    - BatchNormalization
    - ReLU
    - {MaxPooling2D: {pool_size: [2, 1]}}
    - Conv2D: {filters: 512, kernel_size: 2, activation: relu}
    - ops.squeeze: 1
    - {Bidirectional: {LSTM: {units: 256, return_sequences: true}}, repeat: 2}
    - Dense: {units: 37, activation: softmax}
"""),
    "dcn_cross": (
        860, """
blocks:
  cross:
    inputs: [x, x0]
    layers:
      - Dense: "${input_shape[-1]}"
      - {Multiply: null, from: [x0, previous]}
      - {Add: null, from: [previous, x]}
data: {source: wine, preprocess: [Normalization], split: {validation: 0.2}}
model:
  inputs: {x: {}}
  layers:
    - {cross: null, from: [input, x], repeat: 3, name: deep}
    - {mlp: [16], from: x, name: wide}
    - {Concatenate: null, from: [deep, wide]}
    - Dense: {units: 3, activation: softmax}
train: {metrics: [accuracy]}
"""),
    "vae": (
        134_165, """
data: {source: mnist, target: input, preprocess: [{Reshape: [28, 28, 1]}, {Rescaling: "${1 / 255}"}]}
model:
  - {Conv2D: {filters: $f, kernel_size: 3, strides: 2, padding: same, activation: relu}, repeat: {f: [32, 64]}}
  - Flatten
  - {Dense: {units: 16, activation: relu}, name: h}
  - {Dense: 2, name: mean}
  - {Dense: 2, from: h, name: log_var}
  - {Sampling: {kl_weight: 0.001}, from: [mean, log_var]}
  - Dense: {units: "${7 * 7 * 64}", activation: relu}
  - Reshape: [7, 7, 64]
  - {Conv2DTranspose: {filters: $f, kernel_size: 3, strides: 2, padding: same, activation: relu}, repeat: {f: [64, 32]}}
  - Conv2DTranspose: {filters: 1, kernel_size: 3, padding: same, activation: sigmoid}
train: {loss: binary_crossentropy, epochs: 30}
"""),
    "senet50": (  # Hu et al.: 28.1 M
        28_088_024, """
blocks:
  cb:
    params: {filters: $required, kernel: 1, stride: 1}
    layers: [{Conv2D: {filters: $filters, kernel_size: $kernel, strides: $stride, padding: same, use_bias: false}}, BatchNormalization]
  se_bottleneck:
    params: {filters: $required, stride: 1}
    layers:
      - branches:
          - [{cb: $filters}, ReLU, {cb: {filters: $filters, kernel: 3, stride: $stride}}, ReLU, {cb: "${4 * filters}"}, {squeeze_excite: "${1 / 16}"}]
          - [{cb: {filters: "${4 * filters}", stride: $stride}, when: "${stride != 1 or input_shape[-1] != 4 * filters}"}]
        merge: Add
      - ReLU
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - cb: {filters: 64, kernel: 7, stride: 2}
    - ReLU
    - MaxPooling2D: {pool_size: 3, strides: 2, padding: same}
    - chain:
        - se_bottleneck: {filters: $f, stride: $s}
        - {se_bottleneck: $f, repeat: "${n - 1}"}
      repeat: {f: [64, 128, 256, 512], n: [3, 4, 6, 3], s: [1, 2, 2, 2]}
    - GlobalAveragePooling2D
    - Dense: {units: 1000, activation: softmax}
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_is_right_has_no_warning(name):
    trainable, text = NETWORKS[name]
    checked = check(load(f"kbuild: 1\n{text.strip()}\n"))
    assert [problem for problem in checked.problems if problem.severity != "hint"] == []
    assert checked.costs.total.trainable == trainable
