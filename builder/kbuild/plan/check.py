"""Spec → Checked: everything that can be known of a spec before Keras is loaded. Raises SpecError."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kbuild.data.header import Header
from kbuild.data.peek import peek
from kbuild.plan.budget import over
from kbuild.plan.cost import Costs, costs
from kbuild.plan.expand import expand
from kbuild.plan.head import Head, heads
from kbuild.plan.plan import Plan
from kbuild.plan.rules import Net, lint
from kbuild.spec.spec import Spec
from kbuild.spec.weights import absent
from kbuild.text.problem import Problem, Severity, SpecError

ABSENT = "K402"


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a spec that has no errors.

    Args:
        header: what the data source says; None if the spec has no data or they are absent.
        problems: warnings and hints.
    """

    spec: Spec
    header: Header | None
    plan: Plan
    heads: tuple[Head, ...]
    costs: Costs
    problems: tuple[Problem, ...]


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
        _add(problems, starts(spec, plan))
        found = heads(spec, plan, header)
        spent = costs(plan)
        _add(problems, over(spec, plan, spent))
        _add(problems, lint(Net(plan, spent, found, spec, header)))
        _refuse(problems)
    except SpecError as error:
        _add(problems, placed(error.problems, spec))
        raise SpecError(problems) from None
    return Checked(spec, header, plan, found, spent, tuple(problems))


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
