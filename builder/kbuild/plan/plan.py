"""The expanded network: a graph of steps, each a call with its inputs and, where known, its shapes. No Keras in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kbuild.spec.call import Call
from kbuild.text.problem import Problem
from kbuild.text.source import Span

Shape = tuple[int | None, ...] | None
"""Without the batch axis; None is an unknown size, and for the whole an unknown shape."""


@dataclass(frozen=True, slots=True)
class Ref:
    """One tensor: output number `index` of the step (or model input) called `step`."""

    step: str
    index: int = 0


Inputs = tuple["Ref | Inputs", ...] | Mapping[str, "Ref | Inputs"]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the model. `shape` is None where no data tells it; then the plan cannot be built."""

    name: str
    shape: Shape
    dtype: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """An entry that holds others, as `Step.within` lists them: what a person sees as one thing.

    Args:
        kind: `block`, `chain`, `branches` and each `branch` of them, `repeat` and each `copy` of it, `reuse`,
            `preprocess`.
        name: unique among the groups of its kind: `stage-1-conv`.
        prefix: what the names of the steps in it begin with; empty at the top.
        what: the name of the block.
        count: copies of a `repeat`; the number of a `branch` or `copy`, from 0.
    """

    kind: str
    name: str
    prefix: str = ""
    what: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """What an entry starts from.

    Args:
        path: a file or a run, absolute.
        entry: the name of the entry; layers in it may have their names in the file without it.
    """

    path: str
    entry: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a layer or operation.

    Args:
        name: unique in the plan; the Keras layer's name unless `layer` says otherwise.
        layer: the step whose layer this one applies again (`reuse`), or its own name.
        call: what to make; None only for a `reuse`d step, whose layer exists.
        args: tensors and literals given to the layer by position: a Ref, a list of Refs (given as one list).
        kwargs: tensors and literals given by name.
        shapes: shape of each tensor that comes out; None where that is unknown (not even how many).
        names: names of the tensors that come out (`outputs:`), `_` for one that has none.
        nodes: for a `keras.applications` call with `outputs: {c4: conv4_block6_out}`: our name → layer inside.
        trainable: None as Keras has it; False frozen; patterns of the layers that stay trainable.
        weights: the file or run to start from.
        remat: the entry of which nothing but its inputs is kept for the backward pass, which computes it again.
        span: the entry, as written; `used` are the uses of blocks that led to it, outermost first.
        path: where in the spec, expanded: `model.layers.stage-1.conv`.
        within: the groups that it stands in, outermost first.
    """

    name: str
    layer: str
    call: Call
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    shapes: tuple[Shape, ...] | None = None
    names: tuple[str, ...] = ()
    nodes: Mapping[str, str] = field(default_factory=dict)
    trainable: bool | tuple[str, ...] | None = None
    weights: Start | None = None
    remat: str | None = None
    span: Span | None = field(default=None, compare=False, repr=False)
    used: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    path: str = ""
    within: tuple[Group, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A network, expanded: steps in an order in which they can be computed.

    Args:
        preprocess: names of the steps that came from `data.preprocess`, a prefix of the network.
        features: what each model input is after `preprocess`: the tensors the chain starts from, by input name.
        outputs: by output name, in order.
        problems: warnings found on the way; errors are raised.
    """

    name: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Ref]
    preprocess: frozenset[str] = frozenset()
    features: Mapping[str, Ref] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    _steps: Mapping[str, Step] = field(init=False, repr=False, compare=False)
    _inputs: Mapping[str, Input] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # looked up for every tensor of a network: a search through the steps would make that quadratic
        object.__setattr__(self, "_steps", {step.name: step for step in self.steps})
        object.__setattr__(self, "_inputs", {given.name: given for given in self.inputs})

    def __str__(self) -> str:
        from kbuild.plan.cost import costs
        from kbuild.plan.draw.rows import rows
        from kbuild.plan.draw.table import aligned

        return aligned(rows(self, costs(self)))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows on a terminal."""
        printer.text(str(self))

    def _repr_html_(self) -> str:
        """What a notebook shows: the table, its groups folded, with what each costs, and the drawing."""
        from kbuild.plan.cost import costs
        from kbuild.plan.draw.page import page

        return page(self, costs(self))

    def step(self, name: str) -> Step | None:
        """The step called `name`."""
        return self._steps.get(name)

    def shape(self, ref: Ref) -> Shape:
        """The shape of a tensor, or None if it is not known."""
        if ref.step in self._inputs:
            return self._inputs[ref.step].shape
        step = self._steps.get(ref.step)
        if step is None or step.shapes is None or ref.index >= len(step.shapes):
            return None
        return step.shapes[ref.index]
