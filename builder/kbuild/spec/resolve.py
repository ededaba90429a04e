"""Files → one Node: reads the spec and what it extends, lays one over the other, then `--set` and overrides over
both.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbuild.spec.merge import merge, settings
from kbuild.spec.names import suggestion
from kbuild.spec.paths import allowed
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, node, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import mistake
from kbuild.text.read import read, read_file
from kbuild.text.source import Source, Span

DEEPEST = 16
MOST = 64
"""Files that one spec may be made of, each counted as often as it is extended: two bases with two each, and so on,
would soon be a million.
"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The merged tree, and every source that went into it, the spec itself first."""

    node: Node
    sources: tuple[Source, ...]


def resolve(
    root: Node,
    home: Path,
    sets: Sequence[str] = (),
    overrides: Mapping[str, object] | None = None,
    first: Callable[[str, Node], str | None] = lambda name, below: None,
) -> Resolved:
    """Everything that a spec is made of, as one tree.

    Args:
        root: the spec, as read.
        home: its folder; what it extends must lie in it.
        sets: `path=value` with a YAML value, in order.
        overrides: path → plain value, laid over last.
        first: (call or block, tree) → name of its first argument.

    Raises:
        SpecError: K110 for what cannot be extended, K111 for a setting that reaches nothing.
    """
    sources: list[Source] = []
    tree = _extended(root, home, (), sources, first)
    for above in settings({**_sets(sets), **_overrides(overrides or {})}):
        below = tree
        tree = merge(_normal(below, above), above, lambda name, below=below: first(name, below))
    return Resolved(tree, tuple(sources))


def _extended(
    root: Node, home: Path, trail: tuple[str, ...], sources: list[Source], first: Callable[[str, Node], str | None]
) -> Node:
    sources.append(root.span.source)
    if not isinstance(root, MappingNode):
        raise mistake(
            "K101", f"a spec is a map, not `{_short(root)}`", root.span, help="begin with `kbuild: 1` and `model: …`"
        )
    extends = root.get("extends")
    own = MappingNode(tuple(pair for pair in root.pairs if pair[0].value != "extends"), root.span)
    if extends is None or (isinstance(extends, Scalar) and extends.value in (None, False)):
        return own
    bases = extends.items if isinstance(extends, SequenceNode) else (extends,)
    below: Node | None = None
    for base in bases:
        if len(sources) >= MOST:
            raise mistake("K110", f"more than {MOST} files are extended", base.span, help="extend fewer")
        read_base = _extended(*_base(base, home, trail), sources, first)
        below = read_base if below is None else _laid(below, read_base, first)
    return own if below is None else _laid(below, own, first)


def _laid(below: Node, above: Node, first: Callable[[str, Node], str | None]) -> Node:
    return merge(_normal(below, above), _normal(above, below), lambda name: first(name, below))


def _base(base: Node, home: Path, trail: tuple[str, ...]) -> tuple[Node, Path, tuple[str, ...]]:
    from kbuild.spec.shipped import shipped, shipped_names

    if not isinstance(base, Scalar) or not isinstance(base.value, str):
        raise mistake("K110", f"`extends` takes paths, not `{_short(base)}`", base.span)
    if base.value.startswith("kbuild:"):
        name = base.value.removeprefix("kbuild:")
        path = shipped(name)
        if path is None:
            raise mistake(
                "K110",
                f"kbuild ships no spec `{name}`",
                base.span,
                help=suggestion(name, shipped_names(), "see `kbuild ls`"),
            )
        home = path.parent
    else:
        path = allowed(base, home, help="keep what a spec extends in its own folder")
    key = str(path.resolve())
    here = base.span.source.path
    trail = trail or ((str(here.resolve()),) if here else ())
    if key in trail:
        circle = " → ".join(Path(p).name for p in (*trail[trail.index(key) :], key))
        raise mistake("K110", f"specs extend each other: {circle}", base.span)
    if len(trail) >= DEEPEST:
        raise mistake("K110", f"`extends` goes {DEEPEST} files deep, which is too deep", base.span)
    if not os.path.isfile(path):  # noqa: PTH113, `Path.is_file` raises where a folder may not be looked into
        raise mistake("K110", f"there is no file `{base.value}`", base.span, help=f"looked for {path}")
    return read_file(path, _display(base, path)), home, (*trail, key)


def _display(base: Scalar, path: Path) -> str:
    own = Path(base.span.source.name)
    if str(base.value).startswith("kbuild:"):
        return str(base.value)
    return str(own.parent / str(base.value)) if base.span.source.path else str(path)


def _normal(tree: Node, other: Node) -> Node:
    """`model: […]` as `model: {layers: […]}` where the other side has a map there."""
    if not isinstance(tree, MappingNode) or not isinstance(other, MappingNode):
        return tree
    if not isinstance(tree.get("model"), SequenceNode) or not isinstance(other.get("model"), MappingNode):
        return tree
    pairs = tuple(
        (key, MappingNode(((Scalar("layers", key.span), value),), value.span) if key.value == "model" else value)
        for key, value in tree.pairs
    )
    return MappingNode(pairs, tree.span)


def _sets(sets: Sequence[str]) -> dict[str, Node]:
    values: dict[str, Node] = {}
    for text in sets:
        path, equals, value = text.partition("=")
        source = Source(f"--set {path}", value)
        if not equals or not all(path.split(".")):
            span = Span(Source("--set", text), 1, 1, 1, len(text) + 1)
            raise mistake("K111", f"`{text}` is no setting", span, help="write `--set train.epochs=5`")
        values[path.strip()] = read(source) if value.strip() else Scalar(None, Span(source, 1, 1, 1, 1))
    return values


def _overrides(overrides: Mapping[str, object]) -> dict[str, Node]:
    values: dict[str, Node] = {}
    for path, value in overrides.items():
        source = Source("overrides", f"{path}: {value!r}")
        values[path] = node(value, Span(source, 1, 1, 1, len(source.text) + 1))  # type: ignore[arg-type]
    return values


def _short(value: Node) -> str:
    text = str(plain(value))
    return text if len(text) <= 40 else text[:37] + "…"
