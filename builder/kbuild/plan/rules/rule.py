"""What a rule is: a module of this folder with CODE, SEVERITY and `find`; its docstring is its page.

The page: a title without a period, then `What it does`, `Why is this bad?`, `Example`, `Use instead`, `Source`, a line
each, followed by text indented by four. Examples are YAML, entries of a chain or whole sections.
"""

from collections.abc import Iterator
from typing import Protocol

from kbuild.plan.place import placed
from kbuild.plan.plan import Step
from kbuild.plan.rules.net import Net
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, Related, Severity
from kbuild.text.source import Span


class Rule(Protocol):
    """A module in this folder."""

    CODE: str
    SEVERITY: Severity
    __doc__: str | None

    @staticmethod
    def find(net: Net) -> Iterator[Problem]:
        """What the rule has to say of a network."""
        ...


def at_step(
    code: str,
    severity: Severity,
    step: Step,
    message: str,
    help: str | None = None,
    *,
    argument: str | None = None,
    related: tuple[Related, ...] = (),
) -> Problem:
    """A problem at the entry that a person would change: in their own block, or where they use one of kbuild's.

    Args:
        argument: the argument to point at instead of the call's name, if it is written.
    """
    span = step.call.spans.get(argument or "", step.span)
    return placed(Problem(code, message, span, severity, help, related, step.path or None), step.used)


def at_path(
    code: str,
    severity: Severity,
    spec: Spec,
    path: str,
    message: str,
    help: str | None = None,
    span: Span | None = None,
) -> Problem:
    """A problem at a dotted path of the spec, or of the nearest thing above it that is written."""
    return Problem(code, message, span or spec.span(path), severity, help, path=path)
