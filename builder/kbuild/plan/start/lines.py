"""Lines of a spec, with the reason beside each."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 120
_FURTHEST = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A line of YAML, indented, and why it is there."""

    code: str
    why: str = ""


def laid(lines: Iterable[Line]) -> list[str]:
    """The reasons in a column; above the line where it is too long for that."""
    lines = list(lines)
    column = max((len(line.code) for line in lines if line.why and len(line.code) <= _FURTHEST), default=0) + 2
    found: list[str] = []
    for line in lines:
        at = max(column, len(line.code) + 2)
        if not line.why:
            found.append(line.code)
        elif at + len(line.why) + 2 <= WIDTH:
            found.append(f"{line.code:<{at}}# {line.why}")
        else:
            indent = " " * (len(line.code) - len(line.code.lstrip()))
            found += [f"{indent}# {line.why}", line.code]
    return found


def indented(lines: Iterable[Line], by: int) -> list[Line]:
    """The same further to the right."""
    return [Line(" " * by + line.code, line.why) for line in lines]
