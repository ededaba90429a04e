"""(Name, tree) → the first argument of a call or block, which a lone value counts as."""

from kbuild.spec.block import library
from kbuild.spec.signature import signature
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node


def first(name: str, tree: Node) -> str | None:
    """The name of that argument; None for what is neither call nor block, or takes nothing.

    Args:
        tree: the whole spec, for the blocks that it declares.
    """
    blocks = tree.get("blocks") if isinstance(tree, MappingNode) else None
    own = blocks.get(name) if isinstance(blocks, MappingNode) else None
    params = own.get("params") if isinstance(own, MappingNode) else None
    if isinstance(params, MappingNode) and params.keys:
        return params.keys[0]
    if name in library():
        return next(iter(library()[name].params), None)
    for namespace in (
        "layers",
        "optimizers",
        "losses",
        "metrics",
        "callbacks",
        "schedules",
        "regularizers",
        "initializers",
        "oracles",
    ):
        found = signature(namespace, name)
        if found and found.parameters:
            return found.parameters[0].name
    return None
