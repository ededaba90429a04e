"""Node → Hole: an inline choice for the search (`{$int: [32, 512]}`), and what it stands for outside of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from kbuild.spec.names import suggestion
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import SpecError, mistake
from kbuild.text.source import Span

KINDS = ("$choice", "$int", "$float", "$bool")
_OPTIONS = {
    "$choice": {"default"},
    "$int": {"default", "step", "sampling"},
    "$float": {"default", "step", "sampling"},
    "$bool": set(),
}
SAMPLING = ("linear", "log", "reverse_log")


@dataclass(frozen=True, slots=True)
class Hole:
    """A choice that is open.

    Args:
        kind: what may be chosen.
        options: of a `choice`: label → value; the labels of a list are its scalars, or `0`, `1`, … where they are not.
        low, high: of an `int` or `float`; both ends belong to it.
        step: added, or multiplied under `sampling: log`; None is every value.
        default: what it stands for outside the search.
    """

    kind: Literal["choice", "int", "float", "bool"]
    span: Span = field(compare=False, repr=False)
    default: Node
    options: Mapping[str, Node] = field(default_factory=dict)
    low: float | int = 0
    high: float | int = 0
    step: float | int | None = None
    sampling: Literal["linear", "log", "reverse_log"] = "linear"


Choose = Callable[[str, Hole], Node]
"""(path of the hole, hole) → what was chosen."""


def default(path: str, hole: Hole) -> Node:
    """The choice outside a search: the hole's default, else its first option or lower end."""
    return hole.default


def is_hole(node: Node) -> bool:
    """Whether a map has a key that makes it a hole."""
    return isinstance(node, MappingNode) and any(key in KINDS for key in node.keys)


def hole(node: MappingNode, ignore: frozenset[str] = frozenset()) -> Hole:
    """The hole that `node` writes; its numbers must have been evaluated.

    Args:
        ignore: keys that belong to the entry around it.

    Raises:
        SpecError: K131 for whatever is wrong with it.
    """
    kinds = [key for key in node.keys if key in KINDS]
    if len(kinds) != 1:
        raise _wrong(node.span, "a hole is one of `$choice`, `$int`, `$float`, `$bool`")
    kind = kinds[0]
    for key, _ in node.pairs:
        if key.value not in {kind, *_OPTIONS[kind], *ignore}:
            raise _wrong(key.span, f"`{kind}` has no option `{key.value}`", suggestion(str(key.value), _OPTIONS[kind]))
    content = node.get(kind)
    assert content is not None
    if kind == "$choice":
        return _choice(node, content)
    if kind == "$bool":
        if not isinstance(content, Scalar) or not isinstance(content.value, bool):
            raise _wrong(content.span, "`$bool` takes its default, `true` or `false`", "write `{$bool: true}`")
        return Hole("bool", node.span, content)
    return _range(node, kind, content)


def _choice(node: MappingNode, content: Node) -> Hole:
    chosen = node.get("default")
    if isinstance(content, MappingNode) and len(content):
        options = {str(key.value): value for key, value in content.pairs}
        if chosen is None:
            return Hole("choice", node.span, next(iter(options.values())), options)
        if not isinstance(chosen, Scalar) or str(chosen.value) not in options:
            raise _wrong(
                chosen.span, f"`{brief(chosen)}` is none of the labels", suggestion(str(plain(chosen)), options)
            )
        return Hole("choice", node.span, options[str(chosen.value)], options)
    if isinstance(content, Sequence) and len(content):
        labels = _labels(content)
        options = dict(zip(labels, content.items, strict=True))
        if chosen is None:
            return Hole("choice", node.span, content.items[0], options)
        match = next((item for item in content.items if _same(item, chosen)), None)
        if match is None:
            raise _wrong(
                chosen.span, f"the default `{brief(chosen)}` is none of the options", "write one of the options"
            )
        return Hole("choice", node.span, match, options)
    raise _wrong(content.span, "`$choice` takes a list of options or a map of labels to options, not an empty one")


def _labels(content: Sequence) -> list[str]:
    texts = [brief(item) for item in content.items if isinstance(item, Scalar)]
    if len(set(texts)) == len(content):
        return texts
    return [str(index) for index in range(len(content))]


def _range(node: MappingNode, kind: str, content: Node) -> Hole:
    whole = kind == "$int"
    if not isinstance(content, Sequence) or len(content) != 2:
        raise _wrong(content.span, f"`{kind}` takes its two ends", f"write `{{{kind}: [low, high]}}`")
    low, high = (_number(item, whole) for item in content.items)
    if low > high:
        raise _wrong(content.span, f"the lower end {low} lies above the upper end {high}")
    sampling = plain(node.get("sampling") or Scalar("linear", node.span))
    if sampling not in SAMPLING:
        raise _wrong(
            (node.get("sampling") or node).span, f"`sampling` is `linear`, `log` or `reverse_log`, not `{sampling}`"
        )
    if sampling != "linear" and low <= 0:
        raise _wrong(content.span, f"`sampling: {sampling}` needs ends above 0, not {low}")
    step_node = node.get("step")
    step = None if step_node is None else _number(step_node, whole)
    if step is not None and step <= (1 if sampling == "log" else 0):
        raise _wrong((step_node or node).span, f"`step` must be above {1 if sampling == 'log' else 0}, not {step}")
    chosen = node.get("default")
    if chosen is not None and not low <= _number(chosen, whole) <= high:
        raise _wrong(chosen.span, f"the default {brief(chosen)} lies outside {low} … {high}")
    return Hole(
        "int" if whole else "float",
        node.span,
        chosen or content.items[0],
        low=low,
        high=high,
        step=step,
        sampling=sampling,
    )


def _number(node: Node, whole: bool) -> int | float:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise _wrong(node.span, f"`{brief(node)}` is not {'an integer' if whole else 'a number'}")
    return value


def _same(left: Node, right: Node) -> bool:
    a, b = plain(left), plain(right)
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _wrong(span: Span, message: str, help: str | None = None) -> SpecError:
    return mistake("K131", message, span, help=help)
