"""Span → a source line and carets under it, as a terminal shows them, without characters that act on it."""

import re
import unicodedata
from typing import NamedTuple

from kbuild.text.lines import split
from kbuild.text.source import Span

# Control characters, lone surrogates, line and paragraph separators, and those that turn the direction of a line.
_ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_TAB = " " * 4
_WIDTH = 100
_BEFORE = 30
_CUT = "…"


class Snippet(NamedTuple):
    """One line of a source, and the carets that stand below a stretch of it."""

    text: str
    carets: str


def snippet(span: Span) -> Snippet | None:
    """The first line of a span, cut to a window of about 100 columns around it; None if its source has no such line."""
    rows = split(span.source.text)
    if not span.source.text or not 1 <= span.line <= len(rows):
        return None
    row = rows[span.line - 1]
    start = min(max(span.column - 1, 0), len(row))
    end = span.end_column - 1 if span.end_line == span.line else len(row)
    end = max(min(end, len(row.rstrip())), start)
    first = _window_start(row, start)
    last = _window_end(row, first, start)
    shown = [_shown(char) for char in row[first:last]]
    head, tail = _CUT if first else "", _CUT if last < len(row) else ""
    before = _columns(head) + sum(map(_columns, shown[: start - first]))
    under = sum(map(_columns, shown[start - first : end - first]))
    return Snippet(f"{head}{''.join(shown)}{tail}".rstrip(), " " * before + "^" * max(under, 1))


def harmless(text: str) -> str:
    """The text with every character replaced that a terminal would obey: an escape becomes `␛`, a line break `␊`.

    >>> harmless("a\\x1b[31mb")
    'a␛[31mb'
    """
    return _ACTIVE.sub(lambda found: _picture(found[0]), text)


def _picture(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))
    return "␡" if char == "\x7f" else "�"


def _shown(char: str) -> str:
    return _TAB if char == "\t" else harmless(char)


def _columns(text: str) -> int:
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _window_start(row: str, start: int) -> int:
    if len(row) <= _WIDTH and _columns(row.replace("\t", _TAB)) <= _WIDTH:
        return 0
    return max(start - _BEFORE, 0) if start > _WIDTH - _BEFORE else 0


def _window_end(row: str, first: int, start: int) -> int:
    room = _WIDTH
    for index in range(first, len(row)):
        room -= _columns(_shown(row[index]))
        if room < 0 and index > start:
            return index
    return len(row)
