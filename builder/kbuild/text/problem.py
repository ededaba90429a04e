"""How kbuild tells of a mistake: a `Problem`, collected by a stage, raised once as `SpecError`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kbuild.text.source import Span

Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that has to do with a problem, and what it has to do with it."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Args:
        code: stable, `K` and three digits. The first digit tells the stage: 0 text, 1 names, arguments and values,
            2 graph and shapes, 3 rules, 4 data, 5 training, 6 runs.
        message: what is wrong, in one line, names in backticks, no final period.
        span: where; None if the problem is in no file.
        severity: an error stops the command.
        help: the next action, in one sentence without a final period.
        related: other places to look at, such as where a block was used.
        path: where in the spec, dotted: `model.layers.conv.filters`.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = "error"
    help: str | None = None
    related: tuple[Related, ...] = ()
    path: str | None = None


class SpecError(Exception):
    """All problems of one stage. The only exception that means a user's mistake; every other is a bug in kbuild."""

    def __init__(self, problems: Iterable[Problem] | Problem):
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.span}: {p.message}" if p.span else p.message for p in self.problems))

    @property
    def exit_code(self) -> int:
        """1 the spec, 3 the data, 4 training, 5 a run that cannot be used: that of the first error."""
        first = next((p for p in self.problems if p.severity == "error"), self.problems[0])
        if first.code in ("K610", "K611"):  # what a run is given to predict is data too
            return 3
        if first.code == "K608":  # the disk failed under a training, whose run can go on
            return 4
        return {"4": 3, "5": 4, "6": 5}.get(first.code[1], 1)


def mistake(
    code: str,
    message: str,
    span: Span | None = None,
    help: str | None = None,
    *,
    path: str | None = None,
    related: tuple[Related, ...] = (),
) -> SpecError:
    """The error of a single problem; for the arguments see `Problem`."""
    return SpecError(Problem(code, message, span, help=help, path=path, related=related))


def unique(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, in the order in which they were found."""
    seen: set[tuple[object, ...]] = set()
    kept: list[Problem] = []
    for problem in problems:
        key = (problem.code, problem.message, problem.span)
        if key not in seen:
            seen.add(key)
            kept.append(problem)
    return kept
