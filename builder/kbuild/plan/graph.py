"""What grows while a network is expanded: steps, names, problems.

Lives only inside `expand`; what leaves it is a frozen Plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kbuild.plan.plan import Group, Input, Ref, Shape, Start, Step
from kbuild.spec.entry import Entry
from kbuild.spec.names import suggestion
from kbuild.spec.scope import Scope
from kbuild.spec.signature import Signature
from kbuild.spec.spec import Block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span

if TYPE_CHECKING:
    from kbuild.plan.batch import Astray

MOST_ENTRIES = 1_000_000
DEEPEST = 100
"""Groups, blocks and copies that may stand in each other: what a tree of 64 levels can write, and then some."""
LOST = Ref("?")
"""The tensor of an entry that has a problem: what follows is still checked, and its shape is not known."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How large a network may be, while it grows: its numbers alone, and whether a budget or the machine says so."""

    memory: int
    budget: bool = False

    @property
    def numbers(self) -> int:
        """Parameters in float32."""
        return self.memory // 4


@dataclass(frozen=True, slots=True)
class Feed:
    """What goes into an entry: tensors, as one list or one by one, or by name."""

    items: tuple[Ref, ...] = ()
    listed: bool = False
    by_name: Mapping[str, Feed] = field(default_factory=dict)

    @property
    def first(self) -> Ref:
        """The tensor that stands for the whole."""
        if self.items:
            return self.items[0]
        return next(iter(self.by_name.values())).first if self.by_name else LOST

    @property
    def all(self) -> tuple[Ref, ...]:
        """Every tensor in it."""
        return (*self.items, *(ref for feed in self.by_name.values() for ref in feed.all))

    def with_first(self, ref: Ref) -> Feed:
        """The same with another first tensor."""
        if self.items:
            return replace(self, items=(ref, *self.items[1:]))
        if self.by_name:
            name, feed = next(iter(self.by_name.items()))
            return replace(self, by_name={**self.by_name, name: feed.with_first(ref)})
        return Feed((ref,))


@dataclass(frozen=True, slots=True)
class Again:
    """What `reuse` needs to go through an entry once more."""

    entry: Entry
    here: Here
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name stands for: tensors, the names that hang on it with a dot, and the copies of a repeat."""

    tensors: tuple[Ref, ...]
    named: Mapping[str, Ref] = field(default_factory=dict)
    copies: tuple[Bound, ...] | None = None
    again: Again | None = None


@dataclass(slots=True)
class Frame:
    """The names of one scope; `outer` is None in a block, which sees nothing of its caller."""

    prefix: tuple[str, ...] = ()
    outer: Frame | None = None
    names: dict[str, Bound] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    coming: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def find(self, name: str) -> Bound | None:
        """What `name` stands for here or further out."""
        return self.names.get(name) or (self.outer.find(name) if self.outer else None)

    @property
    def visible(self) -> frozenset[str]:
        """All names that can be referred to here."""
        return frozenset(self.names) | (self.outer.visible if self.outer else frozenset())

    def stands_below(self, name: str) -> bool:
        """Whether an entry of this name follows."""
        return name in self.coming or (self.outer is not None and self.outer.stands_below(name))

    def automatic(self, base: str) -> str:
        """A name for an unnamed entry: `dense`, then `dense_1`, as Keras counts."""
        # names only grow, so what was taken once need not be tried again: from 0 each time would be quadratic
        count = self.counts.get(base, 0)
        name = f"{base}_{count}" if count else base
        while name in self.taken or name in self.coming or name in self.names:
            count += 1
            name = f"{base}_{count}"
        self.counts[base] = count
        self.taken.add(name)
        return name


@dataclass(frozen=True, slots=True)
class Here:
    """A place in the network: what its names, variables and inputs mean."""

    frame: Frame
    scope: Scope
    input: Feed
    globals: Scope
    """`vars` alone: all that a block sees of the outside."""
    used: tuple[Span, ...] = ()
    blocks: tuple[str, ...] = ()
    trainable: bool | tuple[str, ...] | None = None
    root: str = ""
    """The name of the entry that `trainable` was said of."""
    weights: Start | None = None
    remat: str | None = None
    within: tuple[Group, ...] = ()
    depth: int = 0

    def inside(self, kind: str, name: str, prefix: str | None = None, what: str = "", count: int = 0) -> Here:
        """The same place in one more group; `prefix` is that of the frame unless it is given."""
        start = "-".join(self.frame.prefix) if prefix is None else prefix
        return replace(self, within=(*self.within, Group(kind, name, start, what, count)), depth=self.depth + 1)


@dataclass(slots=True)
class Graph:
    """The steps so far."""

    blocks: Mapping[str, Block]
    trust: bool = False
    own: Mapping[str, Signature] = field(default_factory=dict)
    inputs: dict[str, Input] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    spared: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    """Steps that are the value of a block, which who uses only its `outputs` leaves lying."""
    entries: int = 0
    twins: list[str] | None = None
    """While an entry is used again: the steps of the first time, last first, whose layers are applied once more."""
    limit: Limit | None = None
    home: Path | None = None
    roots: tuple[Path, ...] = ()
    """Where files may lie that an entry starts from."""
    astray: dict[str, Astray] = field(default_factory=dict)
    """Steps whose results have no row for each example."""

    def shape(self, ref: Ref) -> Shape:
        """The shape of a tensor, as far as it is known."""
        if ref.step in self.inputs:
            return self.inputs[ref.step].shape
        step = self.steps.get(ref.step)
        if step is None or step.shapes is None or ref.index >= len(step.shapes):
            return None
        return step.shapes[ref.index]

    def add(self, step: Step) -> None:
        """Append a step. Raises SpecError K114 if its name is taken."""
        if step.name in self.steps or step.name in self.inputs:
            raise mistake("K114", f"there are two entries named `{step.name}`", step.span, help="rename one of them")
        if self.twins is not None:
            if not self.twins:
                raise mistake("K216", "used again, this entry would need a layer that it has not", step.span)
            step = replace(step, layer=self.twins.pop())
            self._fits(step, self.steps[step.layer])
        self.steps[step.name] = step
        self.order.append(step.name)

    def _fits(self, step: Step, before: Step) -> None:
        """Weights made for one number of features take no other."""
        now, then = (_features(self.shape(next(iter(tensors(each)), LOST))) for each in (step, before))
        known = step.call.name in _BY_FEATURES and step.call.args.get("data_format") != "channels_first"
        if known and now is not None and then is not None and now != then:
            from kbuild.plan.trail import one

            message = f"`{before.name}` was made for {then} features and gets {now} when it is used again"
            raise mistake(
                "K216",
                message,
                step.span,
                help="give it an input of the same size",
                related=one(self, tensors(step)[0]),
            )

    def count(self, span: Span, more: int = 1) -> None:
        """Count entries against the bound, before they are expanded: also each further input of one, and each hundred
        values of its arguments, which cost as much.

        Raises:
            SpecError: K204.
        """
        self.entries += more
        if self.entries > MOST_ENTRIES:
            raise too_many(self.entries, span)


def too_many(count: int, span: Span) -> SpecError:
    """K204 for a network of at least `count` entries."""
    said = f"at least {count:,}" if count < 10**15 else f"more than {10**15:,}"
    return mistake(
        "K204",
        f"the expanded network would have {said} entries, and may have {MOST_ENTRIES:,}",
        span,
        help="make a `repeat` smaller",
    )


def not_too_deep(here: Here, span: Span) -> None:
    """Each level costs Python a few of its own. Raises SpecError K204."""
    if here.depth > DEEPEST:
        message = f"more than {DEEPEST} blocks, groups and copies stand in each other"
        raise mistake("K204", message, span, help="use fewer levels")


_BY_FEATURES = frozenset(
    [
        "Dense",
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "SeparableConv1D",
        "SeparableConv2D",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "Conv1DTranspose",
        "Conv2DTranspose",
        "Conv3DTranspose",
        "SimpleRNN",
        "LSTM",
        "GRU",
    ]
)


def _features(shape: Shape) -> int | None:
    return shape[-1] if shape else None


def tensors(step: Step) -> tuple[Ref, ...]:
    """All tensors that go into a step."""

    def walk(value: object) -> tuple[Ref, ...]:
        if isinstance(value, Ref):
            return (value,)
        if isinstance(value, list | tuple):
            return tuple(ref for item in value for ref in walk(item))
        return ()

    return tuple(ref for value in (*step.args, *step.kwargs.values()) for ref in walk(value))


def values(node: Node | None) -> int:
    """How many values stand in an argument."""
    match node:
        case SequenceNode():
            return sum(values(item) for item in node.items)
        case MappingNode():
            return sum(values(item) for _, item in node.pairs)
    return 1


def written(shape: Shape) -> str:
    """`(26, 26, 32)`, `(?, 64)`, or `an unknown shape`."""
    if shape is None:
        return "an unknown shape"
    inner = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def explicit_names(node: Node) -> set[str]:
    """The names that entries of a chain give themselves, in groups and branches too: automatic names keep off them."""
    if isinstance(node, SequenceNode):
        return set().union(*(explicit_names(item) for item in node.items))
    if not isinstance(node, MappingNode):
        return set()
    own = node.get("name")
    found = {own.value} if isinstance(own, Scalar) and isinstance(own.value, str) else set()
    if node.get("repeat") is not None:
        return found
    return found.union(
        *(explicit_names(value) for key, value in node.pairs if key.value in {"chain", "branches", "$choice"})
    )


def unknown_reference(name: Scalar, frame: Frame) -> SpecError:
    """K201 for a name that means nothing here."""
    text = str(name.value)
    if frame.stands_below(text):
        return mistake(
            "K201", f"`{text}` stands further down", name.span, help="an entry sees only what stands above it"
        )
    help = suggestion(text, frame.visible | {"previous", "input"})
    return mistake("K201", f"there is no entry `{text}` above", name.span, help=help)
