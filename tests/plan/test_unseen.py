"""Networks of the literature, written from their papers: their published numbers of trainable parameters, and nothing to warn of."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load

NETWORKS = {
    "vgg19": (  # Simonyan and Zisserman, model E
        143_667_240, """
blocks:
  stage:
    params: {filters: $required, n: 2}
    layers:
      - {Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: relu}, repeat: $n}
      - MaxPooling2D
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - {stage: {filters: $f, n: $n}, repeat: {f: [64, 128, 256, 512, 512], n: [2, 2, 4, 4, 4]}}
    - vgg_head
    - {Dense: {units: 1000, activation: softmax}}
train: {optimizer: {SGD: {learning_rate: 0.01, momentum: 0.9}}, loss: categorical_crossentropy}
"""),
    "alexnet": (  # Krizhevsky et al., with its groups
        60_965_224, """
model:
  inputs: {image: {shape: [227, 227, 3]}}
  layers:
    - Rescaling: "${1 / 255}"
    - {Conv2D: {filters: 96, kernel_size: 11, strides: 4, activation: relu}}
    - {MaxPooling2D: {pool_size: 3, strides: 2}}
    - BatchNormalization: {center: false, scale: false, trainable: false, momentum: 0}
      when: false
    - {Conv2D: {filters: 256, kernel_size: 5, padding: same, groups: 2, activation: relu}}
    - {MaxPooling2D: {pool_size: 3, strides: 2}}
    - {Conv2D: {filters: 384, kernel_size: 3, padding: same, activation: relu}}
    - {Conv2D: {filters: 384, kernel_size: 3, padding: same, groups: 2, activation: relu}}
    - {Conv2D: {filters: 256, kernel_size: 3, padding: same, groups: 2, activation: relu}}
    - {MaxPooling2D: {pool_size: 3, strides: 2}}
    - vgg_head: 4096
    - {Dense: {units: 1000, activation: softmax}}
"""),
    "unet": (  # Ronneberger et al., figure 1
        31_030_658, """
blocks:
  twice:
    params: {filters: $required}
    layers:
      - {Conv2D: {filters: $filters, kernel_size: 3, activation: relu}, repeat: 2}
  up:
    inputs: [x, skip]
    params: {filters: $required, crop: $required}
    layers:
      - {Conv2DTranspose: {filters: $filters, kernel_size: 2, strides: 2}, name: grown}
      - {Cropping2D: $crop, from: skip}
      - {Concatenate: null, from: [previous, grown]}
      - twice: $filters
model:
  inputs: {image: {shape: [572, 572, 1]}}
  layers:
    - {twice: 64, name: d1}
    - MaxPooling2D
    - {twice: 128, name: d2}
    - MaxPooling2D
    - {twice: 256, name: d3}
    - MaxPooling2D
    - {twice: 512, name: d4}
    - MaxPooling2D
    - twice: 1024
    - {up: {filters: 512, crop: 4}, from: [previous, d4]}
    - {up: {filters: 256, crop: 16}, from: [previous, d3]}
    - {up: {filters: 128, crop: 40}, from: [previous, d2]}
    - {up: {filters: 64, crop: 88}, from: [previous, d1]}
    - Conv2D: {filters: 2, kernel_size: 1, activation: softmax}
"""),
    "wrn_28_10": (  # Zagoruyko and Komodakis: 36.5 M
        36_479_194, """
vars: {k: 10, n: 4}
blocks:
  bra: {layers: [BatchNormalization, ReLU]}
  conv:
    params: {filters: $required, kernel: 3, stride: 1}
    layers: [{Conv2D: {filters: $filters, kernel_size: $kernel, strides: $stride, padding: same, use_bias: false}}]
  wide:
    params: {filters: $required, stride: 1, drop: 0.3}
    layers:
      - {bra: null, name: act}
      - {conv: {filters: $filters, stride: $stride}, name: first}
      - bra
      - Dropout: $drop
      - {conv: $filters, name: out}
      - {conv: {filters: $filters, kernel: 1, stride: $stride}, from: act, when: "${input_shape[-1] != filters}", name: short}
      - {Add: null, from: [out, "${'short' if input_shape[-1] != filters else 'input'}"]}
  group:
    params: {filters: $required, stride: 1, n: 4}
    layers:
      - wide: {filters: $filters, stride: $stride}
      - {wide: {filters: $filters}, repeat: "${n - 1}"}
model:
  inputs: {image: {shape: [32, 32, 3]}}
  layers:
    - conv: 16
    - {group: {filters: "${16 * k * 2 ** i}", stride: "${1 if i == 0 else 2}", n: $n}, repeat: 3}
    - bra
    - GlobalAveragePooling2D
    - Dense: {units: 10, activation: softmax}
"""),
    "convmixer": (  # Trockman and Kolter, 1536/20: 51.6 M
        51_625_960, """
vars: {dim: 1536, depth: 20}
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - Conv2D: {filters: $dim, kernel_size: 7, strides: 7, activation: gelu}
    - BatchNormalization
    - chain:
        - branches:
            - - DepthwiseConv2D: {kernel_size: 9, padding: same, activation: gelu}
              - BatchNormalization
            - []
          merge: Add
        - Conv2D: {filters: $dim, kernel_size: 1, activation: gelu}
        - BatchNormalization
      repeat: $depth
    - GlobalAveragePooling2D
    - Dense: {units: 1000, activation: softmax}
"""),
    "mlp_mixer_b16": (  # Tolstikhin et al., B/16: 59.9 M
        59_880_472, """
blocks:
  ff:
    params: {hidden: $required}
    layers:
      - Dense: {units: $hidden, activation: gelu}
      - Dense: "${input_shape[-1]}"
  mixer:
    params: {tokens: 384, channels: 3072}
    layers:
      - branches:
          - [{LayerNormalization: {epsilon: 1e-6}}, {Permute: [2, 1]}, {ff: $tokens}, {Permute: [2, 1]}]
          - []
        merge: Add
      - branches:
          - [{LayerNormalization: {epsilon: 1e-6}}, {ff: $channels}]
          - []
        merge: Add
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - Conv2D: {filters: 768, kernel_size: 16, strides: 16}
    - Reshape: [196, 768]
    - {mixer: null, repeat: 12}
    - LayerNormalization
    - GlobalAveragePooling1D
    - Dense: {units: 1000, activation: softmax, kernel_initializer: zeros}
"""),
    "vit_b16": (  # Dosovitskiy et al., B/16: 86.6 M
        86_567_656, """
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - Rescaling: {scale: "${1 / 127.5}", offset: -1}
    - {Conv2D: {filters: 768, kernel_size: 16, strides: 16}, name: patches}
    - Reshape: [-1, 768]
    - ClassToken
    - PositionEmbedding: 197
    - {transformer_encoder: {heads: 12, ff: 3072, activation: gelu}, repeat: 12}
    - LayerNormalization: {epsilon: 1e-6}
    - ops.take: {indices: 0, axis: 1}
    - Dense: 1000
"""),
    "squeezenet": (  # Iandola et al., 1.0: 1.25 M
        1_248_424, """
blocks:
  fire:
    params: {squeeze: $required, expand: $required}
    layers:
      - Conv2D: {filters: $squeeze, kernel_size: 1, activation: relu}
      - branches:
          - [{Conv2D: {filters: $expand, kernel_size: 1, activation: relu}}]
          - [{Conv2D: {filters: $expand, kernel_size: 3, padding: same, activation: relu}}]
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - Conv2D: {filters: 96, kernel_size: 7, strides: 2, activation: relu}
    - MaxPooling2D: {pool_size: 3, strides: 2}
    - fire: {squeeze: 16, expand: 64}
    - fire: {squeeze: $s, expand: "${4 * s}"}
      repeat: {s: [16, 32]}
    - MaxPooling2D: {pool_size: 3, strides: 2}
    - fire: {squeeze: $s, expand: "${4 * s}"}
      repeat: {s: [32, 48, 48, 64]}
    - MaxPooling2D: {pool_size: 3, strides: 2}
    - fire: {squeeze: 64, expand: 256}
    - Dropout: 0.5
    - Conv2D: {filters: 1000, kernel_size: 1, activation: relu}
    - GlobalAveragePooling2D
    - Softmax
"""),
    "shufflenet_v2": (  # Ma et al., 1.0: 2.28 M
        2_278_604, """
blocks:
  cbr:
    params: {filters: $required, kernel: 1, stride: 1}
    layers: [{Conv2D: {filters: $filters, kernel_size: $kernel, strides: $stride, padding: same, use_bias: false}}, BatchNormalization, ReLU]
  dwb:
    params: {stride: 1}
    layers: [{DepthwiseConv2D: {kernel_size: 3, strides: $stride, padding: same, use_bias: false}}, BatchNormalization]
  shuffle:
    layers:
      - Reshape: ["${input_shape[0]}", "${input_shape[1]}", 2, "${input_shape[2] // 2}"]
      - Permute: [1, 2, 4, 3]
      - Reshape: $input_shape
  basic:
    layers:
      - {ops.split: {indices_or_sections: 2, axis: -1}, name: half, outputs: [a, b]}
      - {cbr: "${input_shape[-1] // 2}", from: half.b}
      - dwb
      - cbr: "${input_shape[-1] // 2}"
      - {Concatenate: null, from: [half.a, previous]}
      - shuffle
  down:
    params: {filters: $required}
    layers:
      - branches:
          - [{dwb: 2}, {cbr: "${filters // 2}"}]
          - [{cbr: "${filters // 2}"}, {dwb: 2}, {cbr: "${filters // 2}"}]
      - shuffle
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - cbr: {filters: 24, kernel: 3, stride: 2}
    - MaxPooling2D: {pool_size: 3, strides: 2, padding: same}
    - chain:
        - down: $f
        - {basic: null, repeat: $n}
      repeat: {f: [116, 232, 464], n: [3, 7, 3]}
    - cbr: 1024
    - GlobalAveragePooling2D
    - Dense: {units: 1000, activation: softmax}
"""),
    "convnext_tiny": (  # Liu et al.: 28.6 M
        28_589_128, """
blocks:
  next:
    params: {drop: 0}
    layers:
      - branches:
          - - DepthwiseConv2D: {kernel_size: 7, padding: same}
            - LayerNormalization: {epsilon: 1e-6}
            - Dense: {units: "${4 * input_shape[-1]}", activation: gelu}
            - Dense: "${input_shape[-1]}"
            - LayerScale: 1e-6
            - {StochasticDepth: $drop, when: "${drop > 0}"}
          - []
        merge: Add
model:
  inputs: {image: {shape: [224, 224, 3]}}
  layers:
    - Conv2D: {filters: 96, kernel_size: 4, strides: 4}
    - LayerNormalization: {epsilon: 1e-6}
    - {next: {drop: 0.1}, repeat: 3}
    - chain:
        - LayerNormalization: {epsilon: 1e-6}
        - Conv2D: {filters: $f, kernel_size: 2, strides: 2}
        - {next: {drop: 0.1}, repeat: $n}
      repeat: {f: [192, 384, 768], n: [3, 9, 3]}
    - GlobalAveragePooling2D
    - LayerNormalization: {epsilon: 1e-6}
    - Dense: {units: 1000, activation: softmax}
"""),
    "bert_base": (  # Devlin et al.: 110 M
        109_482_240, """
blocks:
  layer:
    inputs: [x]
    layers:
      - {MultiHeadAttention: {num_heads: 12, key_dim: 64, dropout: 0.1}, from: [input, input]}
      - Dropout: 0.1
      - {Add: null, from: [previous, input]}
      - {LayerNormalization: {epsilon: 1e-12}, name: mid}
      - Dense: {units: 3072, activation: gelu}
      - Dense: 768
      - Dropout: 0.1
      - {Add: null, from: [previous, mid]}
      - LayerNormalization: {epsilon: 1e-12}
model:
  inputs: {ids: {shape: [128], dtype: int32}, segment: {shape: [128], dtype: int32}}
  layers:
    - {Embedding: {input_dim: 30522, output_dim: 768}, from: ids}
    - {PositionEmbedding: 512, name: words}
    - {Embedding: {input_dim: 2, output_dim: 768}, from: segment}
    - {Add: null, from: [words, previous]}
    - LayerNormalization: {epsilon: 1e-12}
    - Dropout: 0.1
    - {layer: null, repeat: 12}
    - {ops.take: {indices: 0, axis: 1}}
    - Dense: {units: 768, activation: tanh}
"""),
    "gpt2": (  # Radford et al., small: 124 M
        124_439_808, """
model:
  inputs: {ids: {shape: [1024], dtype: int32}}
  layers:
    - Embedding: {input_dim: 50257, output_dim: 768}
    - PositionEmbedding: 1024
    - chain:
        - branches:
            - - {LayerNormalization: {epsilon: 1e-5}, name: n}
              - {MultiHeadAttention: {num_heads: 12, key_dim: 64}, from: {query: n, value: n}, call: {use_causal_mask: true}}
            - []
          merge: Add
        - branches:
            - [{LayerNormalization: {epsilon: 1e-5}}, {Dense: {units: 3072, activation: gelu}}, {Dense: 768}]
            - []
          merge: Add
      repeat: 12
    - LayerNormalization: {epsilon: 1e-5}
"""),
    "imdb_bilstm": (  # the example of the Keras documentation
        2_757_761, """
model:
  inputs: {ids: {shape: [null], dtype: int32}}
  layers:
    - Embedding: {input_dim: 20000, output_dim: 128}
    - Bidirectional: {LSTM: {units: 64, return_sequences: true}}
    - Bidirectional: {LSTM: 64}
    - Dense: {units: 1, activation: sigmoid}
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_network_has_its_published_size_and_no_warning(name):
    trainable, text = NETWORKS[name]
    checked = check(load(f"kbuild: 1\n{text.strip()}\n"))
    assert [problem for problem in checked.problems if problem.severity != "hint"] == []
    assert checked.costs.total.trainable == trainable
