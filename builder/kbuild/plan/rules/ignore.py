"""`# kbuild: ignore K310` → the rules that are silent: on a line of its own in the whole file, else on its line."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

from kbuild.spec.names import suggestion
from kbuild.text.lines import split
from kbuild.text.problem import Problem
from kbuild.text.source import Source, Span

_COMMENT = re.compile(r"(?:^|\s)#\s*kbuild:\s*ignore\s+(?P<codes>[\w-]+(?:\s*,\s*[\w-]+|\s+K\d+\b)*)")
_WORD = re.compile(r"[\w-]+")


def ignored(problem: Problem, sources: Iterable[Source]) -> bool:
    """Whether a comment silences a problem: of a rule, on its lines, or anywhere in the spec on a line of its own."""
    if not problem.code.startswith("K3"):
        return False
    span = problem.span
    lines = range(span.line, span.end_line + 1) if span else range(0)
    for source in sources:
        whole, numbers = _silent(source).get(problem.code, (False, set()))
        if whole or (span is not None and source == span.source and not numbers.isdisjoint(lines)):
            return True
    return False


def unknown(sources: Iterable[Source], codes: Collection[str]) -> list[Problem]:
    """K300 for each comment that names no rule: it silences nothing."""
    return [
        Problem(
            "K300",
            f"there is no rule `{code}` to ignore",
            span,
            "warning",
            suggestion(code, codes, "`kbuild rules` lists them"),
        )
        for source in sources
        for _, _, code, span in _comments(source)
        if code not in codes and code != "K300"
    ]


@lru_cache(maxsize=16)
def _silent(source: Source) -> Mapping[str, tuple[bool, set[int]]]:
    """Code → whether it is silent in the whole file, and the lines where it is: asked for every problem."""
    found: dict[str, tuple[bool, set[int]]] = {}
    for number, alone, code, _ in _comments(source):
        whole, numbers = found.get(code, (False, set()))
        numbers.add(number)
        found[code] = (whole or alone, numbers)
    return found


def _comments(source: Source) -> Iterator[tuple[int, bool, str, Span]]:
    """Line, whether the comment stands there alone, code, and where the code stands."""
    if "kbuild:" not in source.text:
        return
    for number, line in enumerate(split(source.text), start=1):
        match = _COMMENT.search(line)
        if match:
            alone = line.lstrip().startswith("#")
            for word in _WORD.finditer(line, match.start("codes"), match.end("codes")):
                span = Span(source, number, word.start() + 1, number, word.end() + 1)
                yield number, alone, word[0], span
