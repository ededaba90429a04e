"""Plan → Costs: the cost of every step, and of all."""

from kbuild.plan.applications import remembered
from kbuild.plan.cost.cost import UNKNOWN, Cost, Costs
from kbuild.plan.cost.remat import forgotten
from kbuild.plan.cost.table import cost_of
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Step


def costs(plan: Plan) -> Costs:
    """What a network costs, step by step. Numbers of a frozen entry count as frozen."""
    steps: dict[str, Cost] = {}
    reached: set[str] = set()
    total = Cost()
    for step in plan.steps:
        found = _cost(plan, step)
        # a gradient goes through what learns and what stands behind it; nobody else keeps anything
        learns = steps.get(step.layer, found)
        if learns.trainable != 0 or any(ref.step in reached for ref in tensors(step)):
            reached.add(step.name)
        else:
            found = Cost(found.trainable, found.frozen, found.flops, 0)
        steps[step.name] = found
    if any(step.remat for step in plan.steps):
        steps |= forgotten(plan, steps)
    for found in steps.values():
        total += found
    return Costs(steps, total)


def _cost(plan: Plan, step: Step) -> Cost:
    def shapes(value: object) -> object:
        if isinstance(value, Ref):
            return plan.shape(value)
        return [shapes(item) for item in value] if isinstance(value, list | tuple) else value

    if step.call.namespace == "applications":
        return _application(plan, step)
    named = {key: shapes(value) for key, value in step.kwargs.items()}
    found = cost_of(
        step.call.name,
        step.call.args,
        [shapes(value) for value in step.args],
        step.shapes,
        named,
        step.call.namespace,
    )
    if step.layer != step.name:
        return Cost(0, 0, found.flops, found.kept)
    if step.trainable is False:
        return found.fixed
    return found


def _application(plan: Plan, step: Step) -> Cost:
    """What an earlier build has told."""
    ref = next(iter(tensors(step)), None)
    found = remembered(step.call, plan.shape(ref)) if ref else None
    if found is None:
        return UNKNOWN
    learned, frozen = found.numbers(step.trainable)
    return (
        Cost(learned, frozen, found.flops, found.kept)
        if step.layer == step.name
        else Cost(0, 0, found.flops, found.kept)
    )
