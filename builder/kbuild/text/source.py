"""Where characters come from: a `Source` is a text with a name, a `Span` a stretch of it."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where it came from.

    Args:
        name: what the user calls it: the path as it was given, `<--set>`, `<string>`.
        text: all its characters.
        path: the file, if it is one. Relative paths written in the text start at its folder.
    """

    name: str
    text: str = field(repr=False)
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source. Lines and columns count from 1, in characters; the end column is exclusive."""

    source: Source = field(repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"
