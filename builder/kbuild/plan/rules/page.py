"""Rule → Page: its docstring, in parts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent

from kbuild.plan.rules.rule import Rule
from kbuild.text.problem import Severity

HEADINGS = ("What it does", "Why is this bad?", "Example", "Use instead", "Source")


@dataclass(frozen=True, slots=True)
class Page:
    """The documentation of a rule.

    Args:
        sections: heading → text, in the order of HEADINGS.
    """

    code: str
    severity: Severity
    title: str
    sections: Mapping[str, str]

    @property
    def text(self) -> str:
        """For a terminal."""
        parts = [f"{heading}\n{_indented(text)}" for heading, text in self.sections.items()]
        return "\n\n".join([f"{self.severity}[{self.code}]: {self.title}", *parts])

    @property
    def markdown(self) -> str:
        """For a document: examples as YAML."""
        parts = [f"### {self.code}: {self.title} ({self.severity})"]
        for heading, text in self.sections.items():
            parts.append(f"**{heading}**")
            parts.append(_fenced(text) if heading in {"Example", "Use instead"} else text)
        return "\n\n".join(parts)


def page(rule: Rule) -> Page:
    """The page of a rule."""
    title, _, rest = (rule.__doc__ or "").partition("\n")
    pieces = re.split(rf"^({'|'.join(map(re.escape, HEADINGS))})$", rest, flags=re.MULTILINE)[1:]
    sections = {
        heading: dedent(text).strip("\n").rstrip() for heading, text in zip(pieces[::2], pieces[1::2], strict=True)
    }
    return Page(rule.CODE, rule.SEVERITY, title.strip(), sections)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))


def _fenced(text: str) -> str:
    """Paragraphs of YAML in fences, those of prose as they are."""
    return "\n\n".join(part if _prose(part) else f"```yaml\n{part}\n```" for part in re.split(r"\n\n+", text))


def _prose(part: str) -> bool:
    first = part.split("\n", 1)[0]
    return not re.match(r"\s*(- |[\w$.]+:( |$)|#|\{|\[)", first) or first.endswith(" instead:")
