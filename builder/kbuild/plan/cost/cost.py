"""What a step costs: numbers that are learned, operations, and numbers kept for the backward pass."""

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
