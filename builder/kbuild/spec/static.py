"""Node → Problems: what can be said of a chain where it stands, before anything is expanded: names, arguments, keys."""

from kbuild.spec.calls import Context, call
from kbuild.spec.entry import Apply, Branches, Chain, Entry, Open, chain, entry
from kbuild.spec.hole import is_hole
from kbuild.spec.names import nearest, suggestion
from kbuild.spec.scope import is_open
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence
from kbuild.text.problem import Problem, SpecError


def check_chain(node: Node, context: Context) -> list[Problem]:
    """Every problem that shows in the chain itself, in branches, groups and the options of holes too."""
    if (
        isinstance(node, Scalar)
        and isinstance(node.value, str)
        and not is_open(node)
        and ("->" in node.value or "→" in node.value)
    ):
        return []
    problems: list[Problem] = []
    if is_hole(node) or is_open(node):
        return _options(node, context)
    for item in chain(node):
        try:
            problems += _entry(entry(item, context.blocks), context)
        except SpecError as error:
            problems += error.problems
    return problems


def _entry(item: Entry, context: Context) -> list[Problem]:
    match item.head:
        case Apply(name, argument):
            return _apply(name, argument, context)
        case Chain(content):
            return check_chain(content, context)
        case Branches(content, merge):
            problems = []
            if isinstance(content, Sequence):
                for branch in content.items:
                    problems += check_chain(branch, context)
            if merge is not None and not is_open(merge):
                problems += check_chain(merge, context)
            return problems
        case Open(value):
            return _options(value, context)
    return []


def _options(node: Node, context: Context) -> list[Problem]:
    """A hole that stands for an entry: each of its options is one."""
    content = node.get("$choice") if isinstance(node, MappingNode) else None
    if isinstance(content, Sequence):
        return [problem for option in content.items for problem in check_chain(option, context)]
    if isinstance(content, MappingNode):
        return [problem for _, option in content.pairs for problem in check_chain(option, context)]
    return []


def _apply(name: Scalar, argument: Node | None, context: Context) -> list[Problem]:
    text = str(name.value)
    if is_open(name) or text in context.blocks:
        return []
    try:
        if text.startswith("ops."):
            # how many parameters the inputs fill is known when they are: all may be missing here
            call(name, argument if isinstance(argument, MappingNode) else None, ("ops",), context)
        elif text[:1].isupper():
            call(name, argument, ("layers", "applications"), context)
        else:
            return [unknown_block(name, context.blocks)]
    except SpecError as error:
        return [p for p in error.problems if not (p.code == "K104" and text.startswith("ops."))]
    return []


def unknown_block(name: Scalar, blocks: frozenset[str]) -> Problem:
    """K102 for a snake_case name that is no block; a layer of that name in other letters is the usual reason."""
    from kbuild.spec.signature import names

    text = str(name.value)
    layers = {layer.lower(): layer for layer in names("layers")}
    same = layers.get(text.lower().replace("_", ""))
    close = nearest(text, blocks)
    if same and not close:
        return Problem("K102", f"there is no block `{text}`", name.span, help=f"Keras's layer is `{same}`")
    return Problem(
        "K102",
        f"there is no block `{text}`",
        name.span,
        help=suggestion(text, blocks | set(layers.values()), "`kbuild layers` lists the names of the installed Keras"),
    )
