"""(Problem, uses of blocks) → the same Problem where a person would change it."""

from dataclasses import replace

from kbuild.text.problem import Problem, Related
from kbuild.text.source import Span

_USED = "the block is used here"
_INSIDE = "in the block, this is where"


def placed(problem: Problem, used: tuple[Span, ...]) -> Problem:
    """In the block, if it is theirs; where they use it, if kbuild ships the block.

    Args:
        used: the uses of blocks that led to the place, outermost first.
    """
    if not used or problem.span is None or (problem.related[-1:] and problem.related[-1].message in (_USED, _INSIDE)):
        return problem
    own = [span for span in used if not shipped(span)]
    if shipped(problem.span) and own:
        return replace(problem, span=own[-1], related=(*problem.related, Related(_INSIDE, problem.span)))
    return replace(problem, related=(*problem.related, *(Related(_USED, span) for span in own)))


def shipped(span: Span) -> bool:
    """Whether a place is in a block that kbuild ships."""
    return span.source.name.startswith("kbuild:blocks/")
