"""Space → what its smallest and its largest network cost, and what in it cannot be built. Keras is not loaded."""

from collections.abc import Iterator
from dataclasses import dataclass

from kbuild.data.header import Header
from kbuild.plan.check import check
from kbuild.plan.cost.cost import Cost
from kbuild.plan.memory import memory
from kbuild.plan.space import Choices, Space, refilled
from kbuild.spec.hole import Hole
from kbuild.spec.spec import Spec
from kbuild.spec.tune import SearchBudget
from kbuild.spec.values import Chooser, at, pick
from kbuild.text.node import Node
from kbuild.text.problem import Problem, SpecError

FIRST, MOST = 3, 10
"""KerasTuner's `BayesianOptimization`: random trials for each hole, which come first; trials where none are said."""
TOLD = 3
"""So many choices that cannot be built are told; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A network at an end of the space.

    Args:
        cost: None if it cannot be built.
        memory: bytes of a training step, at least.
    """

    choices: Choices
    cost: Cost | None
    memory: int | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Corners:
    """The networks with every hole at its lower end or first option, and at its upper end or last one."""

    low: Corner
    high: Corner


def corners(spec: Spec, header: Header | None = None) -> Corners:
    """Write out and cost the two."""
    return Corners(*(_corner(spec, header, share) for share in (0.0, 1.0)))


def problems(spec: Spec, space: Space, found: Corners) -> Iterator[Problem]:
    """K171 (a warning) for choices that cannot be built, K172 if even the smallest network is outside the budget, K174
    (a warning) for an oracle that never comes to what it is chosen for."""
    told = [(dict(choices), problem) for choices, problem in space.broken if choices]
    told += [
        (dict(corner.choices), corner.problem)
        for corner in (found.low, found.high)
        if corner.problem is not None and corner.problem.code not in {problem.code for _, problem in told}
    ]
    for choices, problem in told[:TOLD]:
        shown = ", ".join(f"`{path}` = {chosen}" for path, chosen in list(choices.items())[:3])
        more = f" and {len(choices) - 3} more" if len(choices) > 3 else ""
        message = f"with {shown}{more} the network cannot be built: {problem.message}"
        rest = f"; so it is with {len(told) - TOLD} other choices" if problem is told[-1] and len(told) > TOLD else ""
        help = f"such trials fail and count; narrow the hole{rest}"
        yield Problem("K171", message, problem.span, "warning", help, path=problem.path)
    if spec.tune is not None and found.low.cost is not None:
        why = over(spec.tune.budget, found.low.cost, found.low.memory)
        if why is not None:
            help = "raise the budget, or let the holes begin lower"
            yield Problem(
                "K172", f"the smallest network has {why}", spec.span("tune.budget"), help=help, path="tune.budget"
            )

    if spec.tune is not None and spec.tune.oracle.name == "BayesianOptimization":
        args, dims = spec.tune.oracle.args, len(space.dims)
        first = args.get("num_initial_points") or FIRST * dims
        if isinstance(most := args.get("max_trials", MOST), int) and isinstance(first, int) and first >= most:
            said = f"`BayesianOptimization` draws its first {first} trials at random, and there are {most}"
            help = (
                f"it does so {FIRST} times for each of {dims} holes: give `num_initial_points`, or take `RandomSearch`"
            )
            yield Problem("K174", said, spec.span("tune.oracle"), "warning", help, path="tune.oracle")


def over(budget: SearchBudget, cost: Cost, step: int | None) -> str | None:
    """What of a network is outside the budget of a search: `params 12,000, and `tune.budget` allows 10,000`."""
    for name, spent in (("params", cost.params), ("flops", cost.flops), ("memory", step)):
        most = getattr(budget, name)
        if most is not None and spent is not None and spent > most:
            return f"{name} {spent:,.0f}, and `tune.budget` allows {most:,.0f}"
    return None


def _corner(spec: Spec, header: Header | None, share: float) -> Corner:
    taken: dict[str, str | int | float | bool] = {}

    def choose(path: str, hole: Hole) -> Node:
        taken.setdefault(path, at(hole, share))
        return pick(hole, taken[path])

    try:
        found = check(refilled(spec, Chooser(taken, choose)), header)
    except SpecError as error:
        first = next((problem for problem in error.problems if problem.severity == "error"), error.problems[0])
        return Corner(taken, None, None, first)
    batch = found.spec.data.batch_size if found.spec.data else 1
    return Corner(taken, found.costs.total, memory(found.costs.total, found.spec.train, batch).at_least)
