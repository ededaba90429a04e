"""Text → its lines, and offsets → Spans. Reader and renderer must count lines alike, so both ask here."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from kbuild.text.source import Source, Span

# What editors take for a line break; str.splitlines also breaks at U+0085, U+2028 and form feeds.
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Lines:
    """A source and the offset at which each of its lines starts."""

    source: Source
    starts: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The stretch from offset `start` up to, without, offset `end`; both are cut to the text."""
        size = len(self.source.text)
        start = min(max(start, 0), size)
        end = min(max(end, start), size)
        return Span(self.source, *self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


def lines(source: Source) -> Lines:
    """Where each line of `source` starts."""
    return Lines(source, (0, *(match.end() for match in _BREAK.finditer(source.text))))


@lru_cache(maxsize=8)
def split(text: str) -> tuple[str, ...]:
    """The lines of `text` without their breaks; `split(text)[n - 1]` is line n."""
    return tuple(_BREAK.split(text))
