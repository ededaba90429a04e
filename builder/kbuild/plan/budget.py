"""(Spec, Plan, Costs) → Problems: a network that is larger than it may be, or than the machine."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.graph import Limit
from kbuild.plan.memory import FLOAT, Memory, memory
from kbuild.plan.place import placed
from kbuild.plan.plan import Plan, Step
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span

DEFAULT_MEMORY = 64 * 2**30
"""Bytes, for a system that does not say how much memory it has."""
_HUGE = 10**300
"""A float holds no more, and no one reads on."""
_RAISE = "`train.budget: {memory: …}` says how much memory there is"


def over(spec: Spec, plan: Plan, costs: Costs) -> Iterator[Problem]:
    """What is too large.

    K240 for each key of `train.budget` that the network is over. Without `memory` in it the machine's counts: K241 if
    weights, gradients, optimizer and the activations of one example do not fit (no batch size helps), a warning K242 if
    those of a batch do not. Where a step's cost is unknown it counts nothing, so what is said is at least so.
    """
    budget = spec.train.budget
    least = _least(costs.steps.values())
    if budget and budget.params is not None and (least.params or 0) > budget.params:
        share = _share(plan, costs, lambda cost: cost.params or 0)
        said = f"the network has {_exact(least.params or 0)} parameters"
        yield _over(spec, "params", f"{said}, and `train.budget` allows {_exact(budget.params)}", f"{share} of them")
    if budget and budget.flops is not None and (least.flops or 0) > budget.flops:
        share = _share(plan, costs, lambda cost: cost.flops or 0)
        one, other = _amounts(least.flops or 0, budget.flops, "FLOPs")
        message = f"a forward pass takes {one} for each example, and `train.budget` allows {other}"
        yield _over(spec, "flops", message, f"{share} of them")
    if budget and budget.memory is not None:
        yield from _over_memory(spec, plan, costs, least, int(budget.memory))
    else:
        yield from _over_machine(spec, plan, costs, least)


def limit(spec: Spec) -> Limit:
    """What the network's numbers must fit into, however the rest turns out."""
    budget = spec.train.budget
    if budget and budget.memory is not None:
        return Limit(int(budget.memory), budget=True)
    return Limit(machine_memory())


def cannot_hold(limit: Limit, copies: int, numbers: int, span: Span) -> SpecError:
    """K240 or K241 for a `repeat` whose copies have more numbers than fit: told while the network is expanded."""
    one, other = _amounts(copies * numbers * FLOAT, limit.memory, "B")
    said = f"{copies:,} copies of {_exact(numbers)} parameters need at least {one}"
    if limit.budget:
        return mistake("K240", f"{said}, and `train.budget` allows {other}", span, help="make the `repeat` smaller")
    help = f"make the `repeat` smaller; {_RAISE}"
    return mistake("K241", f"this network cannot be trained here: {said}, and this machine has {other}", span, help)


def machine_memory() -> int:
    """Bytes of physical memory, or DEFAULT_MEMORY where that is not known."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return DEFAULT_MEMORY
    return found if found > 0 else DEFAULT_MEMORY


def fitting(spec: Spec, plan: Plan, costs: Costs, most: int | None = None) -> tuple[str, str]:
    """How much a training step holds, and what would make it fit, for one that did not fit: two sentences for people.

    The batch that is suggested fits by the estimate, and is at most half of the one that failed if that did so too.

    Args:
        most: bytes of the device; None for the machine's.
    """
    what, most = ("the device", most) if most is not None else ("this machine", machine_memory())
    least, batch = _least(costs.steps.values()), _batch(spec)
    single, whole = memory(least, spec.train), memory(least, spec.train, batch).at_least
    fits = _fits(single, most)
    size = fits if fits < batch else batch // 2
    one, other = _amounts(whole, most, "B")
    said = f"a training step with {_examples(batch)} holds about {one}, and {what} has {other}"
    share = _share(plan, costs, lambda cost: memory(cost, spec.train, batch).at_least)
    each = single.activations or 0
    if size < 1 or batch * each < single.at_least - each:
        return said, f"make the network smaller: {share}"
    elsewhere = "" if 4 * whole > most else "; the data, other processes or a limit of the system take the rest"
    return said, f"`batch_size: {1 << (size.bit_length() - 1)}` would fit{elsewhere}"


def _over(spec: Spec, key: str, message: str, share: str) -> Problem:
    path = f"train.budget.{key}"
    return Problem("K240", message, spec.span(path), help=share, path=path)


def _over_memory(spec: Spec, plan: Plan, costs: Costs, least: Cost, most: int) -> Iterator[Problem]:
    batch = _batch(spec)
    single, needed = memory(least, spec.train), memory(least, spec.train, batch).at_least
    if needed > most:
        share = _share(plan, costs, lambda cost: memory(cost, spec.train, batch).at_least)
        smaller = f"; {_smaller(single, most)}" if batch > 1 and single.at_least <= most else ""
        one, other = _amounts(needed, most, "B")
        message = f"a training step with {_examples(batch)} holds about {one}, and `train.budget` allows {other}"
        yield _over(spec, "memory", message, f"{share} of it{smaller}")


def _over_machine(spec: Spec, plan: Plan, costs: Costs, least: Cost) -> Iterator[Problem]:
    most = machine_memory()
    batch = _batch(spec)
    single, whole = memory(least, spec.train), memory(least, spec.train, batch)
    if single.at_least > most:
        step, share = _heaviest(plan, costs, lambda cost: memory(cost, spec.train).at_least)
        one, other = _amounts(single.at_least, most, "B")
        message = f"this network cannot be trained here: a step needs about {one}, and this machine has {other}"
        help = f"`{step.name}` holds {share:.0%} of it; {_RAISE}"
        yield placed(Problem("K241", message, step.span, help=help, path=step.path or None), step.used)
    elif whole.at_least > most:
        one, other = _amounts(whole.at_least, most, "B")
        message = f"a training step with {_examples(batch)} needs about {one}, and this machine has {other}"
        help = f"{_smaller(single, most)}; {_RAISE}"
        path = "data.batch_size"
        yield Problem("K242", message, spec.span(path), "warning", help, path=path)


def _smaller(single: Memory, most: int) -> str:
    """The largest power of two that fits: what batch sizes mostly are."""
    return f"`batch_size: {1 << (_fits(single, most).bit_length() - 1)}` would fit"


def _fits(single: Memory, most: int) -> int:
    """Examples of a batch that fits, at least 1."""
    each = single.activations or 1
    return max(1, (most - (single.at_least - each)) // each)


def _least(steps: Iterable[Cost]) -> Cost:
    """The sum of what is known."""
    trainable = frozen = flops = kept = 0
    for cost in steps:
        trainable += cost.trainable or 0
        frozen += cost.frozen or 0
        flops += cost.flops or 0
        kept += cost.kept or 0
    return Cost(trainable, frozen, flops, kept)


def _heaviest(plan: Plan, costs: Costs, weigh: Callable[[Cost], int]) -> tuple[Step, float]:
    weights: Mapping[str, int] = {step.name: weigh(costs.steps[step.name]) for step in plan.steps}
    step = max(plan.steps, key=lambda step: weights[step.name])
    share = weights[step.name] / max(1, sum(weights.values()))
    # not "100%" for what is not all
    return step, share if share == 1 else min(share, 0.99)


def _share(plan: Plan, costs: Costs, weigh: Callable[[Cost], int]) -> str:
    step, share = _heaviest(plan, costs, weigh)
    return f"`{step.name}` holds most: {share:.0%}"


def _batch(spec: Spec) -> int:
    return spec.data.batch_size if spec.data else 1


def _examples(batch: int) -> str:
    return "one example" if batch == 1 else f"a batch of {batch:,}"


def _exact(count: float) -> str:
    return f"{count:,.0f}" if count < 10**15 else f"{min(count, _HUGE):.3g}"


def _amounts(one: float, other: float, unit: str) -> tuple[str, str]:
    """Both in readable units, with as many digits as it takes to tell them apart: `21.3 GB` and `16 GB`."""
    for digits in range(3, 18):
        texts = _amount(one, unit, digits), _amount(other, unit, digits)
        if texts[0] != texts[1]:
            return texts
    return _exact(one) + f" {unit}", _exact(other) + f" {unit}"


def _amount(value: float, unit: str, digits: int) -> str:
    value, power = min(value, _HUGE), 0
    while round(value, digits - len(str(int(value)))) >= 1000 and power < 6:
        value /= 1000
        power += 1
    return f"{value:.{digits}g} {['', 'k', 'M', 'G', 'T', 'P', 'E'][power]}{unit}"
