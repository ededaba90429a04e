"""Spec → Checked: everything that can be known of a spec before Keras is loaded. Raises SpecError."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kbuild.data.header import Header
from kbuild.data.peek import peek
from kbuild.plan.budget import over
from kbuild.plan.cost import Costs, costs
from kbuild.plan.expand import expand
from kbuild.plan.head import Head, heads
from kbuild.plan.memory import memory
from kbuild.plan.phases import Phase, linted, phases
from kbuild.plan.plan import Plan
from kbuild.spec.names import nearest
from kbuild.spec.spec import Spec
from kbuild.spec.values import Chooser
from kbuild.spec.weights import absent
from kbuild.text.problem import Problem, Severity, SpecError

ABSENT = "K402"


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a spec that has no errors.

    Args:
        header: what the data source says; None if the spec has no data or they are absent.
        problems: warnings and hints.
        phases: the parts of the training; one where the spec has no phases.
    """

    spec: Spec
    header: Header | None
    plan: Plan
    heads: tuple[Head, ...]
    costs: Costs
    problems: tuple[Problem, ...]
    phases: tuple[Phase, ...] = ()


def check(spec: Spec, header: Header | None = None) -> Checked:
    """Look at the data's header, expand the network, decide what is learned at its outputs, and ask the rules.

    Data that are absent are a warning: shapes are then unknown.

    Args:
        header: of data that have been read; None looks for what can be known without reading them.

    Raises:
        SpecError: the errors of the first stage that has any, and all warnings that were found until then.
    """
    problems = list(spec.problems)
    try:
        header = header or _header(spec, problems)
        plan = expand(spec, header)
        _add(problems, plan.problems)
        _add(problems, _unasked(spec))
        _add(problems, starts(spec, plan))
        found = heads(spec, plan, header)
        spent = costs(plan)
        parts = phases(spec, plan)
        largest = max(parts, key=lambda part: memory(part.costs.total, part.spec.train).at_least)
        _add(problems, over(largest.spec, largest.plan, largest.costs))
        _add(problems, (problem for part in parts for problem in part.problems))
        _add(problems, linted(spec, parts, found, header))
        _refuse(problems)
    except SpecError as error:
        _add(problems, placed(error.problems, spec))
        raise SpecError(problems) from None
    return Checked(spec, header, plan, found, spent, tuple(problems), parts)


def _unasked(spec: Spec) -> Iterator[Problem]:
    """K133 for each of `choices` that no hole asked for."""
    choose = spec.scope.choose
    for path in choose.given if isinstance(choose, Chooser) else ():
        if path not in choose.reached:
            message = f"`choices` has a value for `{path}`, and there is no such hole"
            near = nearest(path, choose.reached)
            help = f"did you mean `{near}`?" if near else "leave it out"
            yield Problem("K133", message, spec.span("choices"), help=help, path="choices")


def unless_open(spec: Spec) -> Checked | None:
    """`check`, or None where all that is wrong is a size that building an application first may tell (K124)."""
    try:
        return check(spec)
    except SpecError as error:
        if any(problem.severity == "error" and problem.code != "K124" for problem in error.problems):
            raise
        return None


def starts(spec: Spec, plan: Plan, severity: Severity = "warning") -> list[Problem]:
    """K116 for each file or run that the network is to start from and cannot."""
    found = {step.weights.path: step.weights.span for step in plan.steps if step.weights is not None}
    files = {**({spec.weights: spec.span("weights")} if spec.weights else {}), **{Path(p): s for p, s in found.items()}}
    told = [absent(path, span, severity) for path, span in files.items() if not spec.started]
    return [problem for problem in told if problem is not None]


def placed(problems: Iterable[Problem], spec: Spec) -> list[Problem]:
    """Problems that do not know where they stand, at their path in the file; those of the data at the source."""
    return [
        replace(problem, span=spec.span(problem.path or ("data.source" if problem.code.startswith("K4") else "")))
        if problem.span is None
        else problem
        for problem in problems
    ]


def _header(spec: Spec, problems: list[Problem]) -> Header | None:
    if spec.data is None:
        return None
    try:
        features = {given.name: given.shape for given in spec.inputs}
        return peek(spec.data, seed=spec.train.seed, features=features, trust=spec.trust)
    except SpecError as error:
        if any(problem.code != ABSENT for problem in error.problems):
            raise
        _add(problems, (replace(problem, severity="warning") for problem in placed(error.problems, spec)))
        return None


def _refuse(problems: list[Problem]) -> None:
    if any(problem.severity == "error" for problem in problems):
        raise SpecError(problems)


def _add(problems: list[Problem], more: Iterable[Problem]) -> None:
    seen = set(problems)
    problems += [problem for problem in more if problem not in seen]
