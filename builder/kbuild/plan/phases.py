"""(Spec, Plan) → Phases: for each phase of a training what is trainable in it. Raises SpecError K201, K219, K243."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from kbuild.data.header import Header
from kbuild.plan.applications import remembered
from kbuild.plan.cost.cost import Costs
from kbuild.plan.cost.costs import costs
from kbuild.plan.graph import tensors
from kbuild.plan.head import Head
from kbuild.plan.plan import Plan, Step
from kbuild.plan.rules import Net, lint
from kbuild.spec import phases as section
from kbuild.spec.names import suggestion
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a training that has one optimizer, one schedule and one set of weights that learn.

    Args:
        number: from 0.
        spec: its `train` is the phase's, and its tree shows where each value of it was written.
        plan: the network, with what the phase says of `trainable`.
        costs: of that plan.
        problems: warnings.
    """

    number: int
    spec: Spec
    plan: Plan
    costs: Costs
    problems: tuple[Problem, ...] = field(default=(), compare=False)


def phases(spec: Spec, plan: Plan) -> tuple[Phase, ...]:
    """The phases of a training; one without any is one.

    Raises:
        SpecError: for what a phase's `trainable` names and the network has not; for a phase in which nothing learns.
    """
    if not spec.train.phases:
        return (Phase(0, spec, plan, costs(plan)),)
    found: list[Phase] = []
    problems: list[Problem] = []
    for number, part in enumerate(section.parts(spec)):
        told: list[Problem] = []
        laid = thawed(plan, part.train.trainable or {}, f"train.phases.{number}.trainable", told)
        spent = costs(laid)
        told += _idle(number, spent) if not told else ()
        told = [replace(problem, span=spec.span(problem.path or "")) for problem in told]
        problems += told
        found.append(Phase(number, part, laid, spent, tuple(told)))
    if any(problem.severity == "error" for problem in problems):
        raise SpecError(problems)
    return tuple(found)


def linted(spec: Spec, parts: Sequence[Phase], heads: tuple[Head, ...], header: Header | None) -> list[Problem]:
    """What the rules say of the phases.

    What is written for all phases need not suit each: a warning of it is told if every phase that takes it has it.
    """
    if not spec.train.phases:
        return [problem for part in parts for problem in lint(Net(part.plan, part.costs, heads, part.spec, header))]
    own = [section.written(spec, part.number) for part in parts]
    told = [lint(Net(part.plan, part.costs, heads, part.spec, header, part.number)) for part in parts]
    places = [{_place(problem) for problem in each} for each in told]
    found: dict[object, Problem] = {}
    for part, problems in zip(parts, told, strict=True):
        for problem in problems:
            key = _key(problem)
            takes = [at for at, keys in zip(places, own, strict=True) if key not in keys]
            if key in own[part.number]:
                path = f"train.phases.{part.number}{str(problem.path).removeprefix('train')}"
                found[_place(problem)] = replace(problem, path=path)
            elif problem.severity == "error":
                found[_place(problem)] = problem
            elif all(_place(problem) in at for at in takes if key):
                found.setdefault(_place(problem), problem)
    return list(found.values())


def _place(problem: Problem) -> object:
    return problem.code, problem.span or problem.message


def _key(problem: Problem) -> str | None:
    """The key of `train` that a problem is about."""
    top, _, rest = (problem.path or "").partition(".")
    return rest.split(".")[0] if top == "train" and rest else None


def thawed(plan: Plan, trainable: Mapping[str, bool | tuple[str, ...]], path: str, problems: list[Problem]) -> Plan:
    """The plan with what a phase says of `trainable`: the last that names a layer decides on it.

    Args:
        trainable: by entry, layer or group, `*` standing for any text: whether it learns, or which layers in it do.
        path: where that is said.
        problems: what is wrong with it is added to these.
    """
    steps = {step.name: step for step in plan.steps}
    for name, value in trainable.items():
        owners = dict.fromkeys(step.layer for step in plan.steps if _called(step, name, plan))
        if not owners:
            problems.append(_absent(plan, name, f"{path}.{name}"))
            continue
        if isinstance(value, tuple):
            missed = list(_unmatched(plan, name, value, [steps[one] for one in owners], f"{path}.{name}"))
            problems += missed
            if missed:
                continue
        changed = {one: _learning(steps[one], name, value) for one in owners}
        if all(changed[one] == steps[one] for one in owners):
            problems.append(_said_already(name, value, f"{path}.{name}"))
        steps |= changed
    return replace(plan, steps=tuple(steps.values()))


def _called(step: Step, name: str, plan: Plan) -> bool:
    """Whether a step, or something that it stands in, has the name."""
    if step.name in plan.preprocess:
        return False
    return any(fnmatchcase(one, name) for one in (step.name, *(group.name for group in step.within)))


def _learning(step: Step, name: str, value: bool | tuple[str, ...]) -> Step:
    """The step as the phase has it. Layers inside an application are for its own patterns."""
    if isinstance(value, tuple) and step.call.namespace == "applications":
        return replace(step, trainable=value)
    learns = any(_matches(step, name, pattern) for pattern in value) if isinstance(value, tuple) else value
    if not learns:
        return replace(step, trainable=False)
    args = {key: given for key, given in step.call.args.items() if key != "trainable"}
    return replace(step, trainable=None, call=replace(step.call, args=args) if args != step.call.args else step.call)


def _matches(step: Step, name: str, pattern: str) -> bool:
    return fnmatchcase(step.name, pattern) or fnmatchcase(step.name.removeprefix(f"{name}-"), pattern)


def _unmatched(plan: Plan, name: str, patterns: tuple[str, ...], steps: list[Step], path: str) -> Iterator[Problem]:
    """Patterns that name no layer. What is inside an application that was never built is known to Keras alone."""
    known: set[str] = set()
    for step in steps:
        if step.call.namespace == "applications":
            ref = next(iter(tensors(step)), None)
            found = remembered(step.call, plan.shape(ref)) if ref else None
            if found is None:
                return
            known |= set(found.parts)
        else:
            known |= {step.name, step.name.removeprefix(f"{name}-")}
    for pattern in patterns:
        if not any(fnmatchcase(one, pattern) for one in known):
            message = f"`{pattern}` matches no layer in `{name}`"
            help = suggestion(pattern.rstrip("*"), known, "`*` stands for any text")
            yield Problem("K219", message, help=help, path=path)


def _absent(plan: Plan, name: str, path: str) -> Problem:
    steps = [step for step in plan.steps if step.name not in plan.preprocess]
    known = {step.name for step in steps} | {
        group.name for step in steps for group in step.within if group.kind in {"block", "chain", "repeat", "copy"}
    }
    help = suggestion(name, known, "`kbuild show` prints the names")
    return Problem("K201", f"the phase trains `{name}`, which is not there", help=help, path=path)


def _said_already(name: str, value: object, path: str) -> Problem:
    state = "is trainable" if value is True else "is frozen" if value is False else "learns so"
    message, help = f"`{name}` {state} without that", None
    if value is True and name != "*":
        help = f'to train nothing else, write `{{"*": false, {name}: true}}`; to train it only now, freeze the entry'
    return Problem("K244", message, severity="warning", help=help, path=path)


def _idle(number: int, spent: Costs) -> Iterator[Problem]:
    """A phase whose every epoch ends with the weights that it began with."""
    if spent.total.trainable == 0:
        frozen = spent.total.frozen or 0
        why = f"all {frozen:,} weights are frozen" if frozen else "no layer has weights"
        help = "say which entries learn in it: `trainable: {head: true}`"
        yield Problem("K243", f"phase {number + 1} trains nothing: {why}", help=help, path=f"train.phases.{number}")
