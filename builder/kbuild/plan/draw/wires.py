"""Plan → Wires: which tensors go into a group and come out of it, and what a person calls them there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.describe import refer
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Group, Plan, Ref, Step

_NAMED = frozenset({"block", "chain", "repeat", "copy", "reuse"})
"""Kinds of groups by whose name a spec can refer to what comes out."""


@dataclass(frozen=True, slots=True)
class Wires:
    """The tensors of a plan that cross the border of a group.

    Args:
        leaving: by group, those that something outside uses, in order.
    """

    plan: Plan
    leaving: Mapping[Group, Sequence[Ref]]

    def entering(self, steps: Sequence[Step]) -> Mapping[Ref, str]:
        """The tensors that some steps, all of one group, take from outside, and what they are called around it."""
        inside = {step.name for step in steps}
        depth = _common([step.within for step in steps])
        return {
            ref: self.name(ref, step, depth - 1) for step in steps for ref in tensors(step) if ref.step not in inside
        }

    def outgoing(self, steps: Sequence[Step]) -> list[Ref]:
        """The tensors that some steps, all of one group, give to others."""
        depth = _common([step.within for step in steps])
        inside = {step.name for step in steps}
        found = self.leaving.get(steps[0].within[depth - 1], ()) if depth else ()
        return [ref for ref in found if ref.step in inside]

    def name(self, ref: Ref, user: Step, depth: int | None = None) -> str:
        """What a user of a tensor calls it: the name of the group next to it where nothing else comes out of that,
        without what all names in their common group begin with; `../conv` where the user's group has a `conv` too.

        Args:
            depth: at most so many of the user's groups are common; None is all.
        """
        made = self.plan.step(ref.step)
        if made is None:
            return refer(self.plan, ref)
        around = user.within if depth is None else user.within[: max(depth, 0)]
        common = _common([around, made.within])
        prefix = made.within[common - 1].prefix if common else ""
        name = refer(self.plan, ref)
        if len(made.within) > common:
            beside = made.within[common]
            if beside.kind in _NAMED and list(self.leaving.get(beside, ())) == [ref]:
                name = beside.name
        name = name.removeprefix(f"{prefix}-") if prefix else name
        inner = around[-1].prefix if around else ""
        return f"../{name}" if inner != prefix and self.plan.step(f"{inner}-{name}") else name


def wires(plan: Plan) -> Wires:
    """Follow every tensor across the borders of groups."""
    leaving: dict[Group, dict[Ref, None]] = {}
    for step in plan.steps:
        for ref in tensors(step):
            made = plan.step(ref.step)
            if made is not None:
                for group in made.within[_common([step.within, made.within]) :]:
                    leaving.setdefault(group, {})[ref] = None
    for ref in plan.outputs.values():
        made = plan.step(ref.step)
        for group in made.within if made else ():
            leaving.setdefault(group, {})[ref] = None
    return Wires(plan, {group: list(refs) for group, refs in leaving.items()})


def _common(several: Sequence[tuple[Group, ...]]) -> int:
    """How many groups, counted from the outermost, all have in common."""
    count = 0
    for together in zip(*several, strict=False):
        first = together[0]
        if any(group is not first and group != first for group in together):
            break
        count += 1
    return count
