"""What is different between two specs: a `Diff` of `Layers` and `Change`s."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kbuild.plan.plan import Shape
from kbuild.text.node import Plain

Kind = Literal["added", "removed", "changed", "copies"]
Shapes = tuple[Shape, ...] | None
Numbers = tuple[int | None, int | None]
"""Before and after; None is not known."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is another one now.

    Args:
        path: dotted: `train.optimizer.learning_rate`; of a layer the argument, `units`, or one of `call`, `from`,
            `name`, `layer`, `trainable`, `repeat`.
        before, after: in one way of writing; null is Keras's null, or nothing.
    """

    path: str
    before: Plain
    after: Plain


@dataclass(frozen=True, slots=True)
class Layers:
    """What happened to a layer, or to several that are told of together.

    Args:
        kind: `copies` is a `repeat` with more or fewer of the same.
        before, after: names in either network, None where it is not there; `*` stands for the numbers of copies, or
            for several layers.
        calls: those of what was added or removed, with their arguments; else the name alone.
        changes: of what is written for the layer. Empty where it only follows from what changed elsewhere.
        shapes: what it gives, before and after; None where it is not there or several differ.
        params, flops: sums over the layers it stands for.
        count: of the layers it stands for, before and after.
    """

    kind: Kind
    before: str | None
    after: str | None
    calls: tuple[Plain, ...]
    changes: tuple[Change, ...] = ()
    shapes: tuple[Shapes, Shapes] = (None, None)
    params: Numbers = (0, 0)
    flops: Numbers = (0, 0)
    count: tuple[int, int] = (1, 1)

    @property
    def name(self) -> str:
        """The name to call it by: the later one."""
        return self.after or self.before or ""


@dataclass(frozen=True, slots=True)
class Diff:
    """What is different between two specs, in the order of the second network.

    Args:
        layers: folded.
        inputs, outputs: shapes, types and tensors, by name.
        data, train, tune: by dotted path.
        totals: `layers`, `params`, `trainable`, `flops`, before and after.
    """

    layers: tuple[Layers, ...] = ()
    inputs: tuple[Change, ...] = ()
    outputs: tuple[Change, ...] = ()
    data: tuple[Change, ...] = ()
    train: tuple[Change, ...] = ()
    tune: tuple[Change, ...] = ()
    totals: Mapping[str, Numbers] = field(default_factory=dict)

    @property
    def same_architecture(self) -> bool:
        """Whether the networks compute the same: names of layers aside."""
        told = [
            row for row in self.layers if {change.path for change in row.changes} != {"name"} or row.kind != "changed"
        ]
        return not (told or self.inputs or self.outputs)

    @property
    def empty(self) -> bool:
        """Whether the two specs mean the same."""
        return not (self.layers or self.inputs or self.outputs or self.data or self.train or self.tune)
