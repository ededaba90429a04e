"""Node → Problems: the `tune` section, as far as it can be known before a search."""

from kbuild.spec.calls import Context, call
from kbuild.spec.names import suggestion
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief
from kbuild.text.problem import Problem, SpecError, mistake

KEYS = ("oracle", "objective", "executions_per_trial", "parallel", "budget", "seed")


def check_tune(node: Node | None, context: Context) -> None:
    """Raise SpecError for keys and oracles that are not there."""
    if node is None or (isinstance(node, Scalar) and node.value in (None, False)):
        return
    if not isinstance(node, MappingNode):
        raise mistake("K101", f"`tune` is a map, not `{brief(node)}`", node.span)
    problems = [
        Problem("K101", f"`tune` has no key `{key.value}`", key.span, help=suggestion(str(key.value), KEYS))
        for key, _ in node.pairs
        if key.value not in KEYS
    ]
    oracle = node.get("oracle")
    try:
        if isinstance(oracle, MappingNode) and len(oracle) == 1:
            call(*oracle.pairs[0], ("oracles",), context)
        elif isinstance(oracle, Scalar) and isinstance(oracle.value, str):
            call(oracle, None, ("oracles",), context)
    except SpecError as error:
        problems += error.problems
    if problems:
        raise SpecError(problems)
