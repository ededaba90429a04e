"""Recurrent networks and attention: a spec against the same network by hand, outputs from the same weights included."""

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
model:
  inputs: {x: {shape: [7, 5]}}
  layers:
    - Bidirectional: {layer: {LSTM: {units: 6, return_sequences: true}}, merge_mode: sum}
    - Bidirectional: {GRU: 4}
    - Dense: {units: 3, activation: softmax}
""")
def bidirectional():
    x = Input((7, 5), name="x")
    y = layers.Bidirectional(layers.LSTM(6, return_sequences=True), merge_mode="sum")(x)
    y = layers.Bidirectional(layers.GRU(4))(y)
    return Model(x, layers.Dense(3, activation="softmax")(y))


@case("""
model:
  inputs: {x: {shape: [null, 5]}}
  layers:
    - Bidirectional: {layer: {LSTM: 6}, backward_layer: {GRU: {units: 6, go_backwards: true}}}
    - Dense: 2
""")
def different_directions():
    x = Input((None, 5), name="x")
    y = layers.Bidirectional(layers.LSTM(6), backward_layer=layers.GRU(6, go_backwards=True))(x)
    return Model(x, layers.Dense(2)(y))


@case("""
model:
  inputs: {x: {shape: [7, 5]}}
  layers:
    - RNN: {cell: [{LSTMCell: 6}, {GRUCell: {units: 5, reset_after: false}}, {SimpleRNNCell: 4}], return_sequences: true}
    - RNN: {cell: {StackedRNNCells: {cells: [{LSTMCell: 3}, {LSTMCell: 2}]}}}
""")
def stacked_cells():
    x = Input((7, 5), name="x")
    cells = [layers.LSTMCell(6), layers.GRUCell(5, reset_after=False), layers.SimpleRNNCell(4)]
    y = layers.RNN(cells, return_sequences=True)(x)
    return Model(x, layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.LSTMCell(2)]))(y))


@case("""
model:
  inputs: {source: {shape: [null], dtype: int32}, target: {shape: [null], dtype: int32}}
  layers:
    - {Embedding: {input_dim: 11, output_dim: 4, mask_zero: true}, from: source}
    - {LSTM: {units: 6, return_sequences: true, return_state: true}, name: enc, outputs: [seq, h, c]}
    - {Embedding: {input_dim: 12, output_dim: 4}, from: target}
    - {LSTM: {units: 6, return_sequences: true}, from: {sequences: previous, initial_state: [enc.h, enc.c]}, name: dec}
    - {Attention: null, from: [dec, enc.seq], name: context}
    - {Concatenate: null, from: [dec, context]}
    - TimeDistributed: {Dense: {units: 12, activation: softmax}}
""")
def encoder_decoder():
    source, target = Input((None,), name="source", dtype="int32"), Input((None,), name="target", dtype="int32")
    e = layers.Embedding(11, 4, mask_zero=True)(source)
    seq, h, c = layers.LSTM(6, return_sequences=True, return_state=True)(e)
    d = layers.Embedding(12, 4)(target)
    d = layers.LSTM(6, return_sequences=True)(d, initial_state=[h, c])
    context = layers.Attention()([d, seq])
    y = layers.Concatenate()([d, context])
    return Model([source, target], layers.TimeDistributed(layers.Dense(12, activation="softmax"))(y))


@case("""
model:
  inputs: {x: {shape: [6, 5]}}
  layers:
    - {Bidirectional: {layer: {GRU: {units: 4, return_sequences: true, return_state: true}}}, name: enc, outputs: [_, forward, backward]}
    - {Add: null, from: [enc.forward, enc.backward], name: state}
    - {RepeatVector: 3, from: state}
    - {GRU: {units: 4, return_sequences: true}, from: {sequences: previous, initial_state: state}}
""")
def state_of_both_directions():
    x = Input((6, 5), name="x")
    _, f, b = layers.Bidirectional(layers.GRU(4, return_sequences=True, return_state=True))(x)
    state = layers.Add()([f, b])
    y = layers.RepeatVector(3)(state)
    return Model(x, layers.GRU(4, return_sequences=True)(y, initial_state=state))


@case("""
model:
  inputs: {x: {shape: [4, 8, 8, 2]}}
  layers:
    - ConvLSTM2D: {filters: 3, kernel_size: 3, padding: same, return_sequences: true, recurrent_dropout: 0.1}
    - BatchNormalization
    - ConvLSTM2D: {filters: 2, kernel_size: [3, 2]}
    - Flatten
    - Dense: 1
""")
def convolutional_lstm():
    x = Input((4, 8, 8, 2), name="x")
    y = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, recurrent_dropout=0.1)(x)
    y = layers.ConvLSTM2D(2, (3, 2))(layers.BatchNormalization()(y))
    return Model(x, layers.Dense(1)(layers.Flatten()(y)))


@case("""
model:
  inputs: {words: {shape: [9], dtype: int32}}
  layers:
    - Embedding: {input_dim: 5, output_dim: 3, mask_zero: true}
    - Masking
    - {LSTM: {units: $units, return_sequences: true}, repeat: {units: [4, 5]}, name: rnn}
    - {GlobalAveragePooling1D: null, from: rnn-0}
    - {GlobalAveragePooling1D: null, from: rnn}
    - {Concatenate: null, from: [global_average_pooling1d, previous]}
    - Dense: 2
""")
def masked():
    x = Input((9,), name="words", dtype="int32")
    y = layers.Masking()(layers.Embedding(5, 3, mask_zero=True)(x))
    y = layers.LSTM(4, return_sequences=True)(y)
    z = layers.LSTM(5, return_sequences=True)(y)
    y, z = layers.GlobalAveragePooling1D()(y), layers.GlobalAveragePooling1D()(z)
    return Model(x, layers.Dense(2)(layers.Concatenate()([y, z])))


@case("""
model:
  inputs: {x: {shape: [6, 8]}}
  layers:
    - {MultiHeadAttention: {num_heads: 2, key_dim: 4}, from: [previous, previous], call: {use_causal_mask: true}, name: att}
    - {Add: null, from: [input, att]}
    - LayerNormalization: {epsilon: 1e-6}
""")
def causal_self_attention():
    x = Input((6, 8), name="x")
    y = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    return Model(x, layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, y])))


@case("""
model:
  inputs: {q: {shape: [5, 8]}, k: {shape: [7, 6]}, v: {shape: [7, 4]}, mask: {shape: [5, 7], dtype: bool}}
  layers:
    - MultiHeadAttention: {num_heads: 3, key_dim: 4, value_dim: 5, output_shape: 9, dropout: 0.1}
      from: {query: q, value: v, key: k, attention_mask: mask}
      call: {return_attention_scores: true}
      outputs: [attended, scores]
      name: mha
  outputs: {y: mha, scores: mha.scores}
""")
def cross_attention_with_mask_and_scores():
    q, k, v = Input((5, 8), name="q"), Input((7, 6), name="k"), Input((7, 4), name="v")
    mask = Input((5, 7), name="mask", dtype="bool")
    mha = layers.MultiHeadAttention(3, 4, value_dim=5, output_shape=9, dropout=0.1)
    y, scores = mha(q, v, k, attention_mask=mask, return_attention_scores=True)
    return Model([q, k, v, mask], {"y": y, "scores": scores})


@case("""
model:
  inputs: {x: {shape: [6, 8]}}
  layers:
    - {GroupQueryAttention: {head_dim: 4, num_query_heads: 4, num_key_value_heads: 2}, from: [input, input]}
    - {AdditiveAttention: null, from: [previous, input]}
    - PositionEmbedding: 6
    - UnitNormalization
""")
def other_attentions():
    from kbuild.model.layers import PositionEmbedding

    x = Input((6, 8), name="x")
    y = layers.GroupQueryAttention(4, 4, 2)(x, x)
    y = layers.AdditiveAttention()([y, x])
    return Model(x, layers.UnitNormalization()(PositionEmbedding(6)(y)))


@case("""
blocks:
  frame_cnn:
    params: {filters: $required}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, activation: relu}
      - GlobalMaxPooling2D
      - {Dense: 4, when: "${input_shape[-1] == 3}"}
model:
  inputs: {video: {shape: [5, 8, 8, 3]}}
  layers:
    - TimeDistributed: {layer: {frame_cnn: 6}}
    - TimeDistributed: {Dense: 3}
    - Bidirectional: {LSTM: 2}
""")
def a_block_over_time():
    frame = Input((8, 8, 3))
    y = layers.GlobalMaxPooling2D()(layers.Conv2D(6, 3, activation="relu")(frame))
    inner = Model(frame, layers.Dense(4)(y))
    x = Input((5, 8, 8, 3), name="video")
    y = layers.TimeDistributed(layers.Dense(3))(layers.TimeDistributed(inner)(x))
    return Model(x, layers.Bidirectional(layers.LSTM(2))(y))


@case("""
model:
  inputs: {x: {shape: [5, 4, 6]}}
  layers:
    - TimeDistributed: {TimeDistributed: {Dense: {units: 2, kernel_regularizer: {L2: 1e-4}}}}
""")
def nested_twice():
    x = Input((5, 4, 6), name="x")
    inner = layers.Dense(2, kernel_regularizer=keras.regularizers.L2(1e-4))
    return Model(x, layers.TimeDistributed(layers.TimeDistributed(inner))(x))


@case("""
model:
  inputs: {x: {shape: [6, 8]}}
  layers:
    - SpectralNormalization: {Dense: 4}
    - {LSTM: {units: 5, return_state: true}, outputs: [_, h, c], name: enc}
    - {Concatenate: {axis: -1}, from: [enc, enc.h, enc.c]}
""")
def wrapped_and_states_joined():
    x = Input((6, 8), name="x")
    y = layers.SpectralNormalization(layers.Dense(4))(x)
    return Model(x, layers.Concatenate(axis=-1)(layers.LSTM(5, return_state=True)(y)))


@case("""
blocks:
  decoder:
    inputs: [tokens, memory]
    outputs: {weights_seen: att.scores}
    params: {heads: 2, width: 8}
    layers:
      - {MultiHeadAttention: {num_heads: $heads, key_dim: "${width // heads}"}, from: [tokens, tokens], call: {use_causal_mask: true}, name: own}
      - {Add: null, from: [tokens, own], name: first}
      - MultiHeadAttention: {num_heads: $heads, key_dim: "${width // heads}"}
        from: {query: first, value: memory}
        call: {return_attention_scores: true}
        outputs: [out, scores]
        name: att
      - {Add: null, from: [first, att]}
model:
  inputs: {a: {shape: [4, 8]}, b: {shape: [6, 8]}}
  layers:
    - {decoder: null, from: {tokens: a, memory: b}, repeat: 2, name: dec}
  outputs: {y: dec, seen: dec-0.weights_seen}
""")
def transformer_decoder():
    a, b = Input((4, 8), name="a"), Input((6, 8), name="b")
    x, seen = a, []
    for _ in range(2):
        own = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
        first = layers.Add()([x, own])
        att, scores = layers.MultiHeadAttention(2, 4)(first, b, return_attention_scores=True)
        seen.append(scores)
        x = layers.Add()([first, att])
    return Model([a, b], {"y": x, "seen": seen[0]})


@pytest.mark.parametrize(("text", "by_hand"), CASES)
def test_spec_is_the_network_by_hand(text, by_hand, same):
    same(text, by_hand())
