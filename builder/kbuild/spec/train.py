"""The `train` section: optimizer, loss, metrics, length, schedule, callbacks and what is written while it runs."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, WithJsonSchema

from kbuild.spec.call import Call
from kbuild.spec.section import Duration, Interval, Section

Calls = Annotated[tuple[Call, ...], Strict(False)]
Positive = Annotated[float | int, Field(gt=0)]
NotNegative = Annotated[float | int, Field(ge=0)]
Fraction = Annotated[float | int, Field(gt=0, lt=1)]
BYTES = {
    unit.lower(): base**power
    for base, units in ((1000, ("B", "kB", "MB", "GB", "TB", "PB")), (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB")))
    for power, unit in enumerate(units)
}
"""Units of memory in lower case: `gb` is 10^9 bytes, `gib` 2^30."""


class EarlyStopping(Section):
    """Stop when `monitor` has not improved for `patience` epochs (`keras.callbacks.EarlyStopping`'s arguments)."""

    monitor: str = "val_loss"
    patience: Annotated[int, Field(ge=0)] = 5
    min_delta: NotNegative = 0
    mode: Literal["auto", "min", "max"] = "auto"
    baseline: float | int | None = None
    restore_best_weights: bool = True
    start_from_epoch: Annotated[int, Field(ge=0)] = 0


class Step(Section):
    """Multiply the learning rate by `factor` after each `every`."""

    kind: Literal["step"] = "step"
    every: Duration = "10 epochs"
    factor: Fraction = 0.1
    warmup: Duration = "0 epochs"


class Exponential(Section):
    """Multiply the learning rate by `factor` over each `every`, smoothly."""

    kind: Literal["exponential"] = "exponential"
    every: Duration = "1 epochs"
    factor: Fraction = 0.95
    warmup: Duration = "0 epochs"


class Cosine(Section):
    """Half a cosine from the optimizer's learning rate to `to` at the end of the run (SGDR, arXiv:1608.03983, eq.
    5).
    """

    kind: Literal["cosine"] = "cosine"
    to: NotNegative = 0.0
    warmup: Duration = "0 epochs"


class CosineRestarts(Section):
    """Cosines that start again: the first lasts `period`, each next one `factor` times as long (arXiv:1608.03983)."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    period: Duration = "10 epochs"
    factor: Annotated[float | int, Field(ge=1)] = 2.0
    decay: Annotated[float | int, Field(gt=0, le=1)] = 1.0
    to: NotNegative = 0.0
    warmup: Duration = "0 epochs"


class Linear(Section):
    """A straight line from the optimizer's learning rate to `to` at the end of the run."""

    kind: Literal["linear"] = "linear"
    to: NotNegative = 0.0
    warmup: Duration = "0 epochs"


class Piecewise(Section):
    """`values[0]` until `at[0]`, then `values[1]` until `at[1]`, …; one value more than there are times."""

    kind: Literal["piecewise"] = "piecewise"
    at: Annotated[list[Duration], Field(min_length=1)]
    values: Annotated[list[Positive], Field(min_length=2)]
    warmup: Duration = "0 epochs"


class OneCycle(Section):
    """Up from `peak / div` to `peak` over `warmup`, then down to `peak / final_div` (arXiv:1708.07120).

    `peak` is the optimizer's learning rate unless it is given.
    """

    kind: Literal["one_cycle"] = "one_cycle"
    peak: Positive | None = None
    div: Positive = 25.0
    final_div: Positive = 1e4
    warmup: Duration = "30 percent"


class Plateau(Section):
    """Multiply the learning rate by `factor` when `monitor` has not improved for `patience` epochs."""

    kind: Literal["plateau"] = "plateau"
    monitor: str = "val_loss"
    factor: Fraction = 0.1
    patience: Annotated[int, Field(ge=0)] = 10
    min_delta: NotNegative = 1e-4
    cooldown: Annotated[int, Field(ge=0)] = 0
    min_lr: NotNegative = 0.0
    mode: Literal["auto", "min", "max"] = "auto"
    warmup: Duration = "0 epochs"


Schedule = Step | Exponential | Cosine | CosineRestarts | Linear | Piecewise | OneCycle | Plateau
SCHEDULES: dict[str, type[Section]] = {
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "cosine_restarts": CosineRestarts,
    "linear": Linear,
    "piecewise": Piecewise,
    "one_cycle": OneCycle,
    "plateau": Plateau,
}


class TensorBoard(Section):
    """What goes into the event files beside scalars: `histograms: 5` writes those of the weights every 5 epochs."""

    histograms: Annotated[int, Field(ge=0)] = 0


class Checkpoint(Section):
    """How often all that training depends on is saved, and how many of these checkpoints are kept."""

    every: Interval = "1 epochs"
    keep: Annotated[int, Field(ge=2)] = 2


class Execution(Section):
    """How the training step is run."""

    steps_per_execution: Annotated[int, Field(ge=1)] = 1
    jit: bool | Literal["auto"] = "auto"


def amount(value: int | float | str) -> int:
    """`16 GB`, `512 MiB`, `1e9` → a number of bytes. Raises ValueError."""
    text = str(value).strip()
    number = re.match(r"[0-9.]+(?:e[+-]?[0-9]+)?", text, re.IGNORECASE)
    unit = text[number.end() :].strip().lower() if number else ""
    try:
        found = float(number[0]) * BYTES[unit or "b"] if number else 0.0
    except (ValueError, KeyError):
        found = 0.0
    if not 1 <= found < float("inf"):
        raise ValueError(f"`{text[:60]}` is no amount of memory; write `16 GB`, `512 MiB` or a number of bytes")
    return int(found)


Memory = Annotated[int | float | str, AfterValidator(amount)]
"""An amount of memory: a number of bytes, or text with its unit. After validation always bytes."""


class Budget(Section):
    """What a network may cost at most: parameters, operations of a forward pass for one example, bytes of a training
    step.
    """

    params: Positive | None = None
    flops: Positive | None = None
    memory: Memory | None = None


class Train(Section):
    """The `train` section, checked. Calls are `Call`s; a Keras schedule stays one, in steps.

    A phase is a section too: the whole one with what the phase says laid over it. Only a phase has `trainable`, by the
    names of entries.
    """

    optimizer: Call
    loss: Literal["auto"] | Call | dict[str, Call | None] | None = "auto"
    loss_weights: dict[str, float | int] | None = None
    metrics: Calls | dict[str, Calls] | None = None
    epochs: Annotated[int, Field(ge=1, le=10**6)] = 10
    schedule: Schedule | Call | None = None
    early_stopping: EarlyStopping | None = None
    class_weight: Literal["balanced"] | dict[str, NotNegative] | None = None
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    callbacks: Calls = ()
    tensorboard: TensorBoard | None = TensorBoard()
    health: bool = True
    checkpoint: Checkpoint | None = Checkpoint()
    execution: Literal["auto"] | Execution = "auto"
    budget: Budget | None = None
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    bootstrap: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    deterministic: bool = False
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    accumulate: Annotated[int, Field(ge=1, le=10**6)] = 1
    distribute: Literal["none", "data_parallel"] = "none"
    trainable: dict[str, bool | tuple[str, ...]] | None = None
    phases: Annotated[tuple["Train", ...], WithJsonSchema({})] = ()

    @property
    def parts(self) -> tuple["Train", ...]:
        """The phases, one after the other; a training without any is one."""
        return self.phases or (self,)

    @property
    def length(self) -> int:
        """Epochs of the whole training, if no phase is stopped early."""
        return sum(part.epochs for part in self.parts)
