"""Node → Block: the `blocks` section, and the library that is written in the same language."""

from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path

from kbuild.spec.names import NAME, RESERVED, suggestion
from kbuild.spec.spec import Block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import Problem, SpecError, mistake

LIBRARY = Path(__file__).parent.parent / "blocks"
_KEYS = ("params", "inputs", "outputs", "layers")


@cache
def library() -> Mapping[str, Block]:
    """The blocks that kbuild ships, by name."""
    from kbuild.text.read import read_file

    found: dict[str, Block] = {}
    for path in sorted(LIBRARY.glob("*.yaml")):
        node = read_file(path, f"kbuild:blocks/{path.name}")
        assert isinstance(node, MappingNode)
        for key, value in node.pairs:
            found[str(key.value)] = _block(key, value, library=True)
    return found


def head_comment(block: Block) -> str:
    """What a library block's file says of it in the comment that it opens with, in one line."""
    return " ".join(line for line in _head(block) if not line.startswith("- "))


def head_example(block: Block) -> str:
    """The entry that the comment ends with: `mlp: [64, 32]`; empty if there is none."""
    return next((line.removeprefix("- ") for line in _head(block) if line.startswith("- ")), "")


def _head(block: Block) -> list[str]:
    lines = block.span.source.text.splitlines()
    return [line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines)]


def read_blocks(node: MappingNode | None, below: Mapping[str, Block]) -> dict[str, Block]:
    """The blocks of a spec, over those of the library. Raises SpecError: all that is wrong with them."""
    blocks = dict(below)
    problems: list[Problem] = []
    for key, value in node.pairs if node else ():
        try:
            blocks[str(key.value)] = _block(key, value)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return blocks


def _block(key: Scalar, node: Node, library: bool = False) -> Block:
    name = str(key.value)
    if isinstance(node, Sequence):
        node = MappingNode(((Scalar("layers", node.span), node),), node.span)
    if not isinstance(node, MappingNode):
        raise mistake(
            "K101",
            f"the block `{name}` is a map with `layers`, not `{brief(node)}`",
            node.span,
            help="write `layers: […]` in it",
        )
    problems = [
        Problem("K101", f"a block has no key `{k.value}`", k.span, help=suggestion(str(k.value), _KEYS))
        for k, _ in node.pairs
        if k.value not in _KEYS
    ]
    layers = node.get("layers")
    if layers is None:
        problems.append(
            Problem(
                "K104", f"the block `{name}` has no `layers`", key.span, help="add `layers:` with a list of entries"
            )
        )
    if problems:
        raise SpecError(problems)
    assert layers is not None
    outputs = node.get("outputs")
    if outputs is not None and not isinstance(outputs, MappingNode):
        raise mistake(
            "K101",
            f"`outputs` of a block is a map of names to entries, not `{brief(outputs)}`",
            outputs.span,
            help="write `outputs: {before: c1}`",
        )
    return Block(
        name,
        _params(node.get("params")),
        _inputs(node.get("inputs")),
        {str(k.value): v for k, v in outputs.pairs} if isinstance(outputs, MappingNode) else {},
        layers,
        key.span,
        library,
        _lists(node.get("params")),
    )


def _params(node: Node | None) -> Mapping[str, Node | None]:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if not isinstance(node, MappingNode):
        raise mistake(
            "K101",
            f"`params` is a map of names to defaults, not `{brief(node)}`",
            node.span,
            help=_as_map(node),
        )
    _names(node)
    return {str(k.value): None if _needed(v) or _needed_list(v) else v for k, v in node.pairs}


def _as_map(node: Node) -> str:
    names = [item.value for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []
    said = ", ".join(f"{name}: $required" for name in names if isinstance(name, str))
    return f"write `params: {{{said or 'filters: $required, kernel: 3'}}}`"


def _lists(node: Node | None) -> frozenset[str]:
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    return frozenset(str(key.value) for key, value in pairs if _needed_list(value))


def _needed(value: Node) -> bool:
    return isinstance(value, Scalar) and value.value == "$required"


def _needed_list(value: Node) -> bool:
    return isinstance(value, Sequence) and len(value.items) == 1 and _needed(value.items[0])


def _names(node: MappingNode) -> None:
    for k, _ in node.pairs:
        if not NAME.match(str(k.value)) or k.value in RESERVED:
            raise mistake("K113", f"`{k.value}` cannot name a parameter", k.span, help="choose another name")


def _inputs(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ("input",)
    names = plain(node)
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str) and NAME.match(name) for name in names)
    ):
        raise mistake(
            "K101",
            f"`inputs` of a block is a list of names, not `{names}`",
            node.span,
            help="write `inputs: [x, skip]`",
        )
    wrong = next((name for name in names if names.count(name) > 1 or (name in RESERVED and name != "input")), None)
    if wrong is not None:
        why = "is there twice" if names.count(wrong) > 1 else "is a word of the language"
        raise mistake("K113", f"the input `{wrong}` of a block {why}", node.span, help="choose another name")
    return tuple(str(name) for name in names)
