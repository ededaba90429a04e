"""Entries with `remat: true`: they keep what leaves them, and the backward pass computes one at a time again."""

import math
from collections.abc import Mapping
from dataclasses import replace

from kbuild.plan.cost.cost import Cost
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Shape, Step


def forgotten(plan: Plan, steps: Mapping[str, Cost]) -> Mapping[str, Cost]:
    """The costs of the steps in such entries, by what is kept of them.

    The largest entry keeps all: while it is computed again, everything in it is there.
    """
    groups: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.remat is not None:
            groups.setdefault(step.remat, []).append(step)
    largest = max(groups, key=lambda name: sum(steps[step.name].kept or 0 for step in groups[name]))
    leaving = _leaving(plan)
    return {
        step.name: replace(steps[step.name], kept=_kept(plan, step, steps[step.name], leaving))
        for name, group in groups.items()
        for step in group
        if name != largest
    }


def _leaving(plan: Plan) -> set[Ref]:
    """The tensors that another entry or an output takes."""
    inside = {step.name: step.remat for step in plan.steps}
    taken = {ref for step in plan.steps for ref in tensors(step) if inside.get(ref.step) != step.remat}
    return taken | set(plan.outputs.values())


def _kept(plan: Plan, step: Step, cost: Cost, leaving: set[Ref]) -> int | None:
    sizes = [_size(plan.shape(ref)) for ref in leaving if ref.step == step.name]
    if cost.kept is None or None in sizes:
        return None if sizes else 0
    return min(cost.kept, sum(size or 0 for size in sizes))


def _size(shape: Shape) -> int | None:
    return None if shape is None or None in shape else math.prod(size or 0 for size in shape)
