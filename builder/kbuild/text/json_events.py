"""JSON text → Events. Python's `json` decides whether the text is JSON; this finds where its values stand."""

import json
import re
from collections.abc import Iterator

from kbuild.text.event import Event
from kbuild.text.lines import lines
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Source

# Possessive, so that a long string costs no backtracking memory.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]|[:,]|[^\s\[\]{}:,"]++', re.DOTALL)


def looks_like_json(text: str, depth: int) -> bool:
    """Whether `text`, whatever its file is called, is a JSON value in brackets or quotes, at most `depth` deep."""
    if text.lstrip()[:1] not in ("{", "[", '"') or _too_deep(text, depth) is not None:
        return False
    try:
        _parse(text)
    except json.JSONDecodeError:
        return False
    return True


def json_events(source: Source, depth: int) -> Iterator[Event]:
    """The events of a JSON text.

    Args:
        depth: how many collections may stand in each other.

    Raises:
        SpecError: K004 with the place where the text stops being JSON, K007 where it is deeper than `depth`.
    """
    where = lines(source)
    deep = _too_deep(source.text, depth)
    if deep is not None:
        message = f"more than {depth} collections stand in each other"
        raise SpecError(Problem("K007", message, where.span(deep, deep + 1), help="name the inner part as a block"))
    try:
        _parse(source.text)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        advice = "JSON has no comments and no trailing commas; a file that ends in `.yaml` may have both"
        raise SpecError(Problem("K004", message, where.span(error.pos, error.pos + 1), help=advice)) from None
    for match in _TOKEN.finditer(source.text):
        if event := _event(match):
            yield event


def _parse(text: str) -> None:
    # Numbers stay strings: Python refuses integers of more than 4,300 digits, and `scalar` has better words for it.
    json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=len)


def _event(match: re.Match[str]) -> Event | None:
    token, start, end = match[0], match.start(), match.end()
    match token[0]:
        case "{":
            return Event("map", start, end)
        case "[":
            return Event("list", start, end)
        case "}" | "]":
            return Event("end", start, end)
        case ":" | ",":
            return None
        case '"':
            return Event("scalar", start, end, json.loads(token), quoted=True)
        case _:
            return Event("scalar", start, end, token)


def _too_deep(text: str, depth: int) -> int | None:
    """The offset of the first bracket that goes deeper than `depth`."""
    now = 0
    for match in _TOKEN.finditer(text):
        if match[0] in "[{":
            now += 1
            if now > depth:
                return match.start()
        elif match[0] in "]}":
            now -= 1
    return None
