"""What a step costs: numbers that are learned, operations, and numbers kept for the backward pass.

Parameters are exact: what the layer adds to `trainable_weights` and `non_trainable_weights` of a Keras model. The state
of a random generator is not among them, as in Keras's `count_params()`. The argument `trainable: false` of a layer
freezes its own weights, not those of layers inside it (MultiHeadAttention, RNN, wrappers): Keras trains those.

Operations are those of the forward pass of one example in a network that is applied, not trained. A multiply–add is
two. Where TensorFlow's profiler counts an operation, this counts the same.

- Products (dense layers, convolutions, attention, einsum): 2 for each product, border included; 1 for each bias. A
  transposed convolution counts by the places that go in, the others by those that come out. LoRA's matrices are
  multiplied into the kernel once for a batch, not for an example: 0.
- One for each number that comes out: arithmetic, comparisons, activations, whatever their formula. Softmax 5.
- Pooling: the places of the window for each number that comes out; global pooling and sums: 1 for each that goes in.
- BatchNormalization and `Normalization` 2, one factor and one summand. Statistics of the example itself 5 (Layer,
  Group, Instance) or 3 (RMS, Unit), then 1 for scaling and 1 for shifting.
- A recurrent cell's products and its gates (SimpleRNN 1, GRU 8, LSTM 9 for each unit) at every time.
- Enlarging and shrinking maps: 2·n - 1 for a mixture of n neighbors.
- 0: views, copies, lookups; dropout, noise and random changes of pictures, which only training does; losses.

Kept numbers are an estimate of what the backward pass needs from the forward pass: what every layer puts out, without
what frameworks do to keep less (fusing, recomputing) or what they keep twice.

- A view (Flatten, Reshape) keeps nothing, a copy all.
- An activation whose derivative follows from its output (ReLU, sigmoid, tanh, softmax, ELU) takes the place of what
  came in, as an argument and as a layer; another (GELU, SiLU) keeps both.
- Dropout keeps its mask beside its output; attention its projections, scores and mixture; a recurrent layer its gates
  and states at every time.
- An entry with `remat: true` keeps what leaves it; the largest of them keeps all, as it is whole while it is computed
  again.
- In a network, only steps through which a gradient goes: those that learn, and what stands behind them. The network's
  inputs belong to the batch, and are not counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one step; None is what cannot be known.

    Args:
        trainable: numbers that training changes, as Keras counts them.
        frozen: the layer's other numbers (moving statistics, a layer that is not trainable), as Keras counts them.
        flops: floating-point operations of a forward pass for one example; a multiply–add is two.
        kept: numbers for one example that a training step keeps until the backward pass.
    """

    trainable: int | None = 0
    frozen: int | None = 0
    flops: int | None = 0
    kept: int | None = 0

    @property
    def params(self) -> int | None:
        """All numbers of the layer: Keras's `count_params()`."""
        return None if self.trainable is None or self.frozen is None else self.trainable + self.frozen

    @property
    def fixed(self) -> "Cost":
        """The same with nothing to learn."""
        return Cost(0, self.params, self.flops, self.kept)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            _sum(self.trainable, other.trainable),
            _sum(self.frozen, other.frozen),
            _sum(self.flops, other.flops),
            _sum(self.kept, other.kept),
        )


UNKNOWN = Cost(None, None, None, None)


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of a network.

    Args:
        steps: by step; a layer that is applied again has its numbers at its first step, and operations at each.
        total: the sum; None in it where a step's is unknown.
    """

    steps: Mapping[str, Cost] = field(default_factory=dict)
    total: Cost = Cost()


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
