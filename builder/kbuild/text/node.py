"""A spec as a tree of values that know where they stand: what `read` returns and `write` takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kbuild.text.source import Source, Span

Plain = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf: null, a bool, a number or a string."""

    value: bool | int | float | str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    span: Span = field(compare=False, repr=False)

    def __iter__(self) -> Iterator["Node"]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map in the order in which it was written; keys are strings and unique, and know where they stand."""

    pairs: tuple[tuple[Scalar, "Node"], ...]
    span: Span = field(compare=False, repr=False)

    def get(self, key: str) -> "Node | None":
        """The value at `key`, or None."""
        return next((value for k, value in self.pairs if k.value == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, which knows where it stands."""
        return next((k for k, _ in self.pairs if k.value == key), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys, as strings."""
        return tuple(str(k.value) for k, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


Node = Scalar | Sequence | Mapping

NOWHERE = Span(Source("<generated>", ""), 1, 1, 1, 1)


def plain(node: Node) -> Plain:
    """The same value without positions: scalars, lists and dicts."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {str(key.value): plain(value) for key, value in node.pairs}


def brief(value: Node, most: int = 60) -> str:
    """A node as it stands in a spec, in one line, cut after `most` characters: `[1, true]`, `{a: null}`."""
    text = _flow(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def node(value: Plain, span: Span = NOWHERE) -> Node:
    """A plain value as a tree in which everything stands at `span`."""
    if isinstance(value, dict):
        return Mapping(tuple((Scalar(key, span), node(item, span)) for key, item in value.items()), span)
    if isinstance(value, list | tuple):
        return Sequence(tuple(node(item, span) for item in value), span)
    return Scalar(value, span)


def _flow(value: Node) -> str:
    match value:
        case Scalar(value=bool() | None):
            return {True: "true", False: "false", None: "null"}[value.value]
        case Scalar():
            return str(value.value)
        case Sequence():
            return f"[{', '.join(_flow(item) for item in value.items)}]"
        case Mapping():
            return "{" + ", ".join(f"{key.value}: {_flow(item)}" for key, item in value.pairs) + "}"
