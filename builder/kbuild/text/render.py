"""Problems → text for people, plain values for JSON, annotations for GitHub."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from kbuild.text.node import NOWHERE
from kbuild.text.problem import Problem, Severity
from kbuild.text.snippet import harmless, snippet
from kbuild.text.source import Span

_COLORS: dict[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "hint": "1;36",
    "note": "1;32",
    "frame": "1;34",
    "text": "1",
}
_GITHUB: dict[Severity, str] = {"error": "error", "warning": "warning", "hint": "notice"}


def full(problems: Iterable[Problem], color: bool = False) -> str:
    """Each problem with its source line and carets, an empty line between two; no line break at the end.

    Args:
        color: with ANSI colours. Nothing else in the result is an escape, whatever the sources contain.
    """
    return "\n\n".join("\n".join(_full(problem, color)) for problem in problems)


def as_json(problems: Iterable[Problem]) -> list[dict[str, str | int | None]]:
    """Each problem as values of `code, severity, message, help, file, line, column, end_line, end_column, path`.

    Lines and columns count from 1, the end column is exclusive; what a problem does not have is None.
    """
    return [_as_json(problem) for problem in problems]


def github(problems: Iterable[Problem], root: Path | None = None) -> str:
    """Each problem as a workflow command, one a line; no line break at the end.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands

    Args:
        root: the folder of the checkout, which GitHub knows files by; None leaves them as the user called them. What
            stands in no file below it is told in words.
    """
    return "\n".join(_github(problem, root) for problem in problems)


def _full(problem: Problem, color: bool) -> Iterator[str]:
    places = [_real(problem.span), *(_real(related.span) for related in problem.related)]
    gutter = max((len(str(place.line)) for place in places if place), default=1)
    title = _paint(f"{problem.severity}[{problem.code}]", problem.severity, color)
    yield title + _paint(f": {harmless(problem.message)}", "text", color)
    yield from _place(places[0], gutter, problem.severity, color)
    if problem.help is not None:
        first, *rest = map(harmless, problem.help.split("\n"))
        yield f"{' ' * (gutter + 1)}{_paint('=', 'frame', color)} help: {first}"
        yield from (f"{' ' * (gutter + 9)}{row}".rstrip() for row in rest)
    for related, place in zip(problem.related, places[1:], strict=True):
        yield f"{_paint('note', 'note', color)}: {harmless(related.message)}"
        yield from _place(place, gutter, "note", color)


def _place(span: Span | None, gutter: int, kind: str, color: bool) -> Iterator[str]:
    if span is None:
        return
    yield f"{' ' * gutter}{_paint('-->', 'frame', color)} {harmless(str(span))}"
    found = snippet(span)
    if found is None:
        return
    bar = _paint("|", "frame", color)
    indent = found.carets[: -len(found.carets.lstrip())]
    yield f"{' ' * gutter} {bar}"
    yield f"{_paint(f'{span.line:>{gutter}}', 'frame', color)} {bar} {found.text}".rstrip()
    yield f"{' ' * gutter} {bar} {indent}{_paint(found.carets.lstrip(), kind, color)}"


def _paint(text: str, kind: str, color: bool) -> str:
    return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m" if color else text


def _real(span: Span | None) -> Span | None:
    return None if span is None or span.source is NOWHERE.source else span


def _as_json(problem: Problem) -> dict[str, str | int | None]:
    span = _real(problem.span)
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "help": problem.help,
        "file": span.source.name if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "path": problem.path,
    }


def _github(problem: Problem, root: Path | None) -> str:
    properties: dict[str, str | int] = {}
    said = [problem.message, problem.help or ""]
    if span := _real(problem.span):
        file = _file(span, root)
        if file is None:
            said.append(f"at {span}")
        else:
            properties = {"file": file, "line": span.line, "endLine": span.end_line}
            # GitHub rejects columns of an annotation that goes over several lines.
            if span.line == span.end_line:
                properties |= {"col": span.column, "endColumn": span.end_column}
    for related in problem.related:
        place = _real(related.span)
        said.append(f"{related.message} ({place})" if place else related.message)
    properties["title"] = problem.code
    order = ("file", "line", "col", "endLine", "endColumn", "title")
    listed = ",".join(f"{name}={_property(str(properties[name]))}" for name in order if name in properties)
    text = "\n".join(filter(None, said))
    return f"::{_GITHUB[problem.severity]} {listed}::{_data(text)}"


def _file(span: Span, root: Path | None) -> str | None:
    """A file by its path from the root of the checkout; None if GitHub has no such file."""
    path = span.source.path
    if root is None:
        return span.source.name
    return path.relative_to(root).as_posix() if path is not None and path.is_relative_to(root) else None


def _data(text: str) -> str:
    rows = text.replace("\r", "\n").split("\n")
    return "%0A".join(harmless(row).replace("%", "%25") for row in rows)


def _property(text: str) -> str:
    return harmless(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
