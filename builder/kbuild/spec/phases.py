"""`train.phases` → a Train for each: what the phase says laid over the section, and read as a section itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kbuild.spec.calls import Context
from kbuild.spec.first import first
from kbuild.spec.merge import merge
from kbuild.spec.names import suggestion
from kbuild.spec.spec import Spec
from kbuild.spec.train import Train
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, mistake

KEYS = (
    "epochs",
    "trainable",
    "optimizer",
    "schedule",
    "early_stopping",
    "accumulate",
    "class_weight",
    "callbacks",
)
"""What a phase may say. All else belongs to the whole run, whose epochs must be comparable."""
Made = Callable[[MappingNode], tuple[Train | None, list[Problem]]]


def phases(
    node: Node, base: MappingNode, made: Made, known: Sequence[Problem]
) -> tuple[tuple[Train, ...], list[Problem]]:
    """The phases, and what is wrong with them.

    Args:
        node: `train.phases`, evaluated.
        base: the rest of the section, evaluated.
        made: reads a section.
        known: what is wrong with `base`: it is told once.
    """
    if not isinstance(node, SequenceNode):
        return (), [_no_list(node)]
    problems: list[Problem] = []
    parts: list[Train] = []
    for number, item in enumerate(node.items):
        if not isinstance(item, MappingNode):
            problems.append(_no_map(item, number))
            continue
        problems += _foreign(item, number)
        kept = MappingNode(tuple(pair for pair in item.pairs if pair[0].value in KEYS), item.span)
        part, wrong = made(_laid(base, kept))
        problems += [_inside(problem, number) for problem in wrong if problem not in known]
        if part is not None:
            parts.append(part)
    return tuple(parts), problems


def trainable(value: Node, context: Context) -> Any:
    """A map by entry: `true`, `false`, or a list of patterns of the layers in it that learn."""
    if isinstance(value, Scalar) and value.value is None:
        return None
    if not isinstance(value, MappingNode):
        said = f"`train.trainable` is a map by entry, not `{brief(value)}`"
        raise mistake("K105", said, value.span, help="write `trainable: {backbone: true}`", path="train.trainable")
    found: dict[str, bool | tuple[str, ...]] = {}
    for key, item in value.pairs:
        said = plain(item)
        if isinstance(said, list) and said and all(isinstance(pattern, str) for pattern in said):
            found[str(key.value)] = tuple(str(pattern) for pattern in said)
        elif isinstance(said, bool):
            found[str(key.value)] = said
        else:
            path = f"train.trainable.{key.value}"
            message = f"`{path}` is `true`, `false` or a list of patterns of names, not `{brief(item)}`"
            raise mistake("K105", message, item.span, help="write `true` or `[block7*]`", path=path)
    return found


def parts(spec: Spec) -> tuple[Spec, ...]:
    """A spec for each phase: its `train` is the phase's, and its tree shows where each value of it was written.

    A spec without phases is its only part.
    """
    if not spec.train.phases:
        return (spec,)
    found: list[Spec] = []
    for number, train in enumerate(spec.train.phases):
        node, item = spec.node, _item(spec, number)
        whole = node.get("train") if isinstance(node, MappingNode) else None
        if isinstance(node, MappingNode) and isinstance(whole, MappingNode) and item is not None:
            section = _laid(MappingNode(tuple(p for p in whole.pairs if p[0].value != "phases"), whole.span), item)
            node = MappingNode(tuple((k, section if k.value == "train" else v) for k, v in node.pairs), node.span)
        found.append(replace(spec, train=train, node=node))
    return tuple(found)


def written(spec: Spec, number: int) -> tuple[str, ...]:
    """The keys that a phase says itself; none where a variable stands for it."""
    item = _item(spec, number)
    return () if item is None else tuple(item.keys)


def _item(spec: Spec, number: int) -> MappingNode | None:
    train = spec.node.get("train") if isinstance(spec.node, MappingNode) else None
    items = train.get("phases") if isinstance(train, MappingNode) else None
    item = items.items[number] if isinstance(items, SequenceNode) and number < len(items.items) else None
    return item if isinstance(item, MappingNode) else None


def _laid(base: MappingNode, phase: MappingNode) -> MappingNode:
    merged = merge(base, phase, lambda name: first(name, base), "train")
    assert isinstance(merged, MappingNode)
    return merged


def _foreign(item: MappingNode, number: int) -> list[Problem]:
    """Keys that are none, or that would make the epochs of a run things that cannot be compared."""
    problems: list[Problem] = []
    path = f"train.phases.{number}"
    for key, _ in item.pairs:
        name = str(key.value)
        if name in KEYS:
            continue
        if name in Train.model_fields:
            message = f"`{name}` belongs to the whole run, not to a phase"
            said = " or ".join((", ".join(f"`{one}`" for one in KEYS[:-1]), f"`{KEYS[-1]}`"))
            help = "a phase has no phases" if name == "phases" else f"write it under `train`; a phase may say {said}"
            problems.append(Problem("K152", message, key.span, help=help, path=f"{path}.{name}"))
        else:
            message, help = f"`{path}` has no key `{name}`", suggestion(name, KEYS)
            problems.append(Problem("K101", message, key.span, help=help, path=f"{path}.{name}"))
    return problems


def _inside(problem: Problem, number: int) -> Problem:
    """What is wrong with a section, as something wrong with a phase."""
    path = f"train.phases.{number}"
    message = problem.message.replace("`train.", f"`{path}.").replace("`train`", f"`{path}`")
    where = (
        path + str(problem.path).removeprefix("train") if (problem.path or "").startswith("train.") else problem.path
    )
    return replace(problem, message=message, path=where)


def _no_list(node: Node) -> Problem:
    message = f"`train.phases` is a list of phases, not `{brief(node)}`"
    return Problem("K105", message, node.span, help="write `phases: [{epochs: 5}, {epochs: 10}]`", path="train.phases")


def _no_map(node: Node, number: int) -> Problem:
    path = f"train.phases.{number}"
    return Problem("K105", f"`{path}` is a map, not `{brief(node)}`", node.span, help="write `{epochs: 5}`", path=path)
