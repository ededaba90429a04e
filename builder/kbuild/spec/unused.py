"""Node → Problems: variables and blocks that nothing uses, as warnings."""

from collections.abc import Mapping

from kbuild.spec.block import library
from kbuild.spec.scope import used
from kbuild.spec.spec import Block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem


def unused(node: MappingNode, blocks: Mapping[str, Block]) -> list[Problem]:
    """K212 for what is declared and not used, K213 for a block that hides one of kbuild's."""
    problems: list[Problem] = []
    mentioned = used(node)
    written = node.get("vars")
    for key, _ in written.pairs if isinstance(written, MappingNode) else ():
        if key.value not in mentioned:
            message = f"the variable `{key.value}` is not used"
            problems.append(Problem("K212", message, key.span, "warning", "remove it"))
    own = [block for block in blocks.values() if not block.library]
    named = words(node.get("model")) | words(node.get("data")) | words(written)
    for block in own:
        named |= words(block.layers).union(*(words(value) for value in block.params.values()))
    for block in own:
        if block.name not in named:
            message = f"the block `{block.name}` is not used"
            problems.append(Problem("K212", message, block.span, "warning", "remove it"))
        if block.name in library():
            note = f"`{block.name}` here hides the block of that name that kbuild ships"
            problems.append(Problem("K213", note, block.span, "hint"))
    return problems


def words(node: Node | None) -> set[str]:
    """All keys and strings in a tree."""
    match node:
        case Scalar(value=str() as text):
            return {text}
        case SequenceNode():
            return set().union(*(words(item) for item in node.items))
        case MappingNode():
            return set(node.keys).union(*(words(item) for _, item in node.pairs))
    return set()
