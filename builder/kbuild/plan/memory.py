"""(Cost, Train, batch size) → Memory: what a training step holds, in bytes. An estimate of the least: what a compiler
keeps twice or unrolls is not in it.

By `tools/bench/memory` it is 1.03 of what XLA says of a step of a dense net on a CPU, and 0.27 for a convolutional one,
whose windows XLA unrolls there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kbuild.plan.cost.cost import Cost
from kbuild.spec.call import Call
from kbuild.spec.signature import signature
from kbuild.spec.train import Train

FLOAT, HALF = 4, 2
SLOTS: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "AdaBound": (2, {"amsbound": 1}),
    "Adadelta": (2, {}),
    "Adafactor": (1, {}),
    "Adagrad": (1, {}),
    "Adam": (2, {"amsgrad": 1}),
    "AdamW": (2, {"amsgrad": 1}),
    "Adamax": (2, {}),
    "Ftrl": (2, {}),
    "Lamb": (2, {}),
    "Lion": (1, {}),
    "Lookahead": (1, {}),
    "LossScaleOptimizer": (0, {}),
    "Muon": (1, {}),
    "Nadam": (2, {}),
    "RAdam": (2, {}),
    "RMSprop": (1, {"momentum": 1, "centered": 1}),
    "SGD": (0, {"momentum": 1}),
    "ScheduleFreeAdamW": (2, {}),
}
"""Numbers that an optimizer keeps for each trainable number, and how many more an argument asks for.

Muon keeps a second one for what is no matrix, Adafactor one for each row and column: not counted.
"""
_ALWAYS = {"use_ema": 1, "gradient_accumulation_steps": 1}
_WRAPPED = {"Lookahead": "optimizer", "LossScaleOptimizer": "inner_optimizer"}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a training step; None is what cannot be known.

    Args:
        weights: all numbers in float32; under mixed precision the half-precision copies that the layers compute with
            too.
        gradients: of what is trainable, in float32.
        optimizer: its slots.
        activations: what is kept for the backward pass; under mixed precision in two bytes each.
    """

    weights: int | None = 0
    gradients: int | None = 0
    optimizer: int | None = 0
    activations: int | None = 0

    @property
    def total(self) -> int | None:
        """The sum, if all of it is known."""
        parts = self._parts
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def at_least(self) -> int:
        """The sum of what is known."""
        return sum(part or 0 for part in self._parts)

    @property
    def _parts(self) -> tuple[int | None, ...]:
        return (self.weights, self.gradients, self.optimizer, self.activations)


def memory(cost: Cost, train: Train, batch_size: int = 1) -> Memory:
    """What a training step holds.

    Args:
        cost: of a network (`costs.total`), or of one step of it.
        batch_size: examples that go through at once; 1 or more.
    """
    mixed = train.precision != "float32"
    kept_in = HALF if mixed else FLOAT
    count = slots(train.optimizer)
    if count is not None and train.accumulate > 1:
        count += 1
    return Memory(
        weights=_times(cost.params, FLOAT + HALF if mixed else FLOAT),
        gradients=_times(cost.trainable, FLOAT),
        optimizer=None if count is None else _times(cost.trainable, FLOAT * count),
        activations=_times(cost.kept, kept_in * batch_size),
    )


def slots(optimizer: Call) -> int | None:
    """How many numbers an optimizer keeps for each trainable number; None for one that is not known.

    Example: `Adam` 2, `{SGD: {momentum: 0.9}}` 1, `{Lookahead: {optimizer: {Adam: 1e-3}}}` 3.
    """
    name = optimizer.name
    if name not in SLOTS:
        return None
    count, more = SLOTS[name]
    asked = {**more, **_ALWAYS}
    count += sum(extra for argument, extra in asked.items() if _value(optimizer, argument))
    if name in _WRAPPED:
        inner = _inner(optimizer.args.get(_WRAPPED[name]))
        found = slots(inner) if inner else None
        return None if found is None else count + found
    return count


def _inner(value: object) -> Call | None:
    if isinstance(value, Call):
        return value
    by_lower = {name.lower(): name for name in SLOTS}
    return Call("optimizers", by_lower[value.lower()]) if isinstance(value, str) and value.lower() in by_lower else None


def _value(call: Call, argument: str) -> object:
    if argument in call.args:
        return call.args[argument]
    found = signature(call.namespace, call.name)
    return next((p.default for p in found.parameters if p.name == argument), None) if found else None


def _times(count: int | None, each: int) -> int | None:
    return None if count is None else count * each
