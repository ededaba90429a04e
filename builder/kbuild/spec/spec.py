"""What a spec says, read and checked but not yet expanded: the value between text and plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kbuild.spec.call import Call
from kbuild.spec.data import Data
from kbuild.spec.scope import Scope
from kbuild.spec.signature import Signature
from kbuild.spec.train import Train
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence
from kbuild.text.problem import Problem
from kbuild.text.source import Source, Span

if TYPE_CHECKING:
    from kbuild.spec.tune import Tune


@dataclass(frozen=True, slots=True)
class Block:
    """A named chain with parameters.

    Args:
        params: parameter → default as written; None if it must be given.
        lists: the parameters that must be given as a list: `[$required]`.
        inputs: names of the inputs; the first is also `input`.
        outputs: extra named values → what they refer to inside.
        layers: the chain.
        library: whether kbuild ships it.
    """

    name: str
    params: Mapping[str, Node | None]
    inputs: tuple[str, ...]
    outputs: Mapping[str, Node]
    layers: Node
    span: Span = field(compare=False, repr=False)
    library: bool = False
    lists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeclaredInput:
    """An input under `model.inputs`: the arguments of `keras.Input`; a shape of None comes from the data."""

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec, merged and checked.

    Args:
        node: the merged tree, with variables and holes still open.
        scope: `vars`, evaluated.
        layers: the model's chain; for the arrow shorthand the string itself.
        outputs: `model.outputs` as written, or None for the last entry.
        preprocess: chains by input name; the key `""` is for the only input.
        augment: calls by input name, likewise.
        data, train, tune: the sections; `data` and `tune` are None where there is none.
        weights: the file or run that the network starts from.
        started: whether the network has what it started from already, so that no weights are read.
        use, own: files of the user's own code, and the signatures of the classes in them, by name.
        home: the folder that relative paths start at.
        problems: warnings; errors were raised.
    """

    name: str
    node: Node
    scope: Scope
    blocks: Mapping[str, Block]
    inputs: tuple[DeclaredInput, ...]
    layers: Node
    outputs: Node | None
    data: Data | None
    preprocess: Mapping[str, Node]
    augment: Mapping[str, tuple[Call, ...]]
    train: Train
    home: Path
    sources: tuple[Source, ...]
    data_roots: tuple[Path, ...] = ()
    trust: bool = False
    weights: Path | None = None
    started: bool = False
    use: tuple[Path, ...] = ()
    own: Mapping[str, Signature] = field(default_factory=dict)
    tune: "Tune | None" = None
    problems: tuple[Problem, ...] = ()

    def span(self, path: str) -> Span:
        """Where a dotted path stands in the spec: its value, or the nearest thing above it that is written."""
        return span_at(self.node, path)


def span_at(root: Node, path: str) -> Span:
    """The span of what stands at a dotted path below `root`, or of the nearest thing above it."""
    here: Node = root
    span = root.span
    for part in path.split(".") if path else ():
        below: Node | None = None
        if isinstance(here, MappingNode):
            key = here.key(part)
            below = here.get(part)
            if below is not None and key is not None:
                span = below.span if isinstance(below, Scalar) else key.span
        elif isinstance(here, Sequence) and part.isdigit() and int(part) < len(here.items):
            below = here.items[int(part)]
            span = below.span
        if below is None:
            return span
        here = below
    return span
