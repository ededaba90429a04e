"""What a rule looks at: the network, what it costs, what is learned at its outputs, and the spec and data if there are
any.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kbuild.data.header import Header
from kbuild.plan.cost.cost import Costs
from kbuild.plan.graph import tensors
from kbuild.plan.head import Head
from kbuild.plan.plan import Plan, Ref, Shape, Step
from kbuild.spec.signature import signature
from kbuild.spec.spec import Spec


@dataclass(frozen=True, slots=True)
class Net:
    """A network for the rules.

    Args:
        plan: the graph; it may be of a spec or read from a Keras model.
        costs: of its steps.
        heads: what is learned at each output; empty where nothing is trained.
        spec, header: None for a network that comes from no spec, or has no data.
        phase: which phase of the training it is, from 0, if it has phases: costs and `spec.train` are then the phase's.
    """

    plan: Plan
    costs: Costs
    heads: tuple[Head, ...] = ()
    spec: Spec | None = None
    header: Header | None = None
    phase: int | None = None
    _after: Mapping[str, tuple[Step, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        after: dict[str, dict[str, Step]] = {}
        for step in self.plan.steps:
            for ref in tensors(step):
                after.setdefault(ref.step, {})[step.name] = step
        object.__setattr__(self, "_after", {name: tuple(found.values()) for name, found in after.items()})

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return self.plan.steps

    def before(self, step: Step) -> tuple[Step, ...]:
        """The steps whose tensors go into a step; inputs of the model are none."""
        found = (self.plan.step(ref.step) for ref in tensors(step))
        return tuple({one.name: one for one in found if one is not None}.values())

    def after(self, name: str) -> tuple[Step, ...]:
        """The steps that take a tensor of the step or input called `name`."""
        return self._after.get(name, ())

    def next(self, step: Step) -> Step | None:
        """The one step that takes what `step` gives; None if there are several, none, or it is an output too."""
        found = self.after(step.name)
        return found[0] if len(found) == 1 and not self.is_output(step) else None

    def is_output(self, step: Step) -> bool:
        """Whether the step gives an output of the model."""
        return any(ref.step == step.name for ref in self.plan.outputs.values())

    def input_shapes(self, step: Step) -> tuple[Shape, ...]:
        """Shapes of the tensors that go into a step."""
        return tuple(self.plan.shape(ref) for ref in tensors(step))

    def output_shape(self, step: Step) -> Shape:
        """Shape of the first tensor that a step gives."""
        return self.plan.shape(Ref(step.name))

    def value(self, step: Step, argument: str) -> object:
        """An argument of a layer: as written, else Keras's default; None if it has no such argument."""
        if argument in step.call.args:
            return step.call.args[argument]
        found = signature(step.call.namespace, step.call.name)
        return next((p.default for p in found.parameters if p.name == argument), None) if found else None

    def chain(self, step: Step) -> Iterator[Step]:
        """`step` and what follows, as long as each step has exactly one that takes what it gives, and is no output."""
        here: Step | None = step
        while here is not None:
            yield here
            here = self.next(here)
