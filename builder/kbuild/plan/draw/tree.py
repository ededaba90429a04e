"""Plan → Tree: its steps in the groups that a person sees, blocks, repeats and branches, each in the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from kbuild.plan.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Tree:
    """A step, or a group with what is in it.

    Args:
        key: unique in the plan.
        name: what a person calls it in the group around it: `conv`, `stage-1`.
        kind: `step`, or that of the group.
        what: the name of a block.
        count: copies of a repeat; the number of a branch or copy, from 0.
        items: what is in it, in order; a step has none.
        steps: all steps in it, in order.
    """

    key: str
    name: str
    kind: str
    what: str = ""
    count: int = 0
    items: "tuple[Tree, ...]" = ()
    steps: tuple[Step, ...] = ()

    @property
    def is_step(self) -> bool:
        """Whether it is one step and no group."""
        return self.kind == "step"

    @property
    def is_quiet(self) -> bool:
        """Whether it is a group that needs no name: a chain, branches or one of them."""
        return self.kind in {"branch", "branches", "chain", "preprocess"} and not self.key.startswith("copy:")

    @property
    def title(self) -> str:
        """Its name as a heading: `stage ×3`, `branch 1`."""
        if self.kind == "repeat":
            return f"{self.name} ×{self.count}"
        return f"branch {self.count + 1}" if self.kind == "branch" else self.name

    @property
    def label(self) -> str:
        """What it is, where a step has its call."""
        if self.kind in {"block", "reuse"} and self.what:
            again = " again" if self.kind == "reuse" else ""
            return f"block{again}" if self.what == self.name else f"block {self.what}{again}"
        return {"preprocess": "data.preprocess"}.get(self.kind, self.kind)

    def walk(self) -> "Iterator[Tree]":
        """It and all that is in it, outermost first."""
        yield self
        for item in self.items:
            yield from item.walk()


def tree(plan: Plan) -> tuple[Tree, ...]:
    """The top level of a plan: its entries in order, each with what is in it.

    A group that would show nothing but another one, such as the copy of a repeated block and the block, is one with
    it; a group that holds one step is that step.
    """
    return _grown(plan.steps, 0, "")


def _grown(steps: Sequence[Step], depth: int, prefix: str) -> tuple[Tree, ...]:
    found: list[Tree] = []
    for group, some in groupby(steps, lambda step: step.within[depth] if len(step.within) > depth else None):
        inside = tuple(some)
        if group is None:
            found += [Tree(step.name, _local(step.name, prefix), "step", steps=(step,)) for step in inside]
            continue
        items = _grown(inside, depth + 1, group.prefix)
        if group.kind == "branches" and depth:
            found += items
            continue
        made = Tree(f"{group.kind}:{group.name}", _local(group.name, prefix), group.kind, group.what, group.count)
        found.append(_merged(replace(made, items=items, steps=inside), prefix))
    return tuple(found)


def _merged(group: Tree, prefix: str) -> Tree:
    """A group that holds one thing, and that thing, as one."""
    if len(group.items) != 1:
        return group
    only = group.items[0]
    if only.is_step:
        return replace(only, name=_local(only.steps[0].name, prefix))
    match group.kind, only.kind:
        case "branch", "chain":
            return replace(group, items=only.items)
        case (("chain" | "branch" | "branches" | "repeat"), _):
            return only
        case "copy", "repeat":
            return group
        case "copy", _:
            return replace(only, key=group.key, name=group.name)
        case "reuse", _:
            return replace(group, what=only.what, items=only.items)
        case "block", "chain" | "branches" | "branch":
            return replace(group, items=only.items)
    return group


def _local(name: str, prefix: str) -> str:
    """A name without what all names in its group begin with."""
    if name == prefix:
        return name.rsplit("-", 1)[-1] if not name.rsplit("-", 1)[-1].isdigit() else "-".join(name.rsplit("-", 2)[-2:])
    return name.removeprefix(f"{prefix}-") if prefix else name
