"""Docstring → what it says of each argument, from its `Args:` section, in the style that Keras keeps."""

import ast
import inspect
import re
from collections.abc import Mapping, Sequence

from kbuild.spec.python_source import Definition

_SECTION = re.compile(r"^(?:Args|Arguments):[^\n]*\n((?:[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)*)", re.MULTILINE)
_ENTRY = re.compile(r"([ \t]+)[`*]*(\w+(?:\s*,\s*\w+)*)[`]?\s*(?:\([^)]*\))?\s*:\s*(.*)")
_TEMPLATE = re.compile(r"\{\{(\w+)\}\}")


def summary(node: ast.ClassDef | ast.FunctionDef) -> str:
    """The first line of its docstring; empty if there is none."""
    text = ast.get_docstring(node) or ""
    return text.strip().partition("\n")[0]


def arguments(lineage: Sequence[Definition]) -> Mapping[str, str]:
    """Argument → its description in one line; what a class says goes before what its bases say."""
    found: dict[str, str] = {}
    for entry in lineage:
        init = entry.method("__init__")
        for node in [entry.node, *([init] if init else [])]:
            raw = ast.get_docstring(node, clean=False) or ""
            text = _TEMPLATE.sub(lambda match: _template(lineage, match[1]), raw)
            # some templates bring the margin of their place with them, others none, which would spoil that of the rest
            for part in (raw, text):
                for name, words in parse(inspect.cleandoc(part)).items():
                    found.setdefault(name, words)
    return found


def parse(text: str) -> dict[str, str]:
    """Argument → description, of a docstring without its margin.

    >>> parse("Sums.\\n\\nArgs:\\n    x: Tensor,\\n        of any shape.\\n    y: Another.\\n")
    {'x': 'Tensor, of any shape.', 'y': 'Another.'}
    """
    found: dict[str, list[str]] = {}
    for section in _SECTION.findall(text):
        margin: str | None = None
        current: list[str] = []
        for line in section.splitlines():
            entry = _ENTRY.match(line)
            if entry and (margin is None or entry[1] == margin):
                margin, current = entry[1], [entry[3]]
                for name in re.split(r"\s*,\s*", entry[2]):
                    found.setdefault(name, current)
            else:
                current.append(line)
    return {name: " ".join(" ".join(words).split()) for name, words in found.items()}


def _template(lineage: Sequence[Definition], word: str) -> str:
    """The text that Keras puts into a docstring for `{{word}}`; it is indented for that place."""
    for entry in lineage:
        for node in entry.module.assigned(word):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                return str(node.value.value)
    return ""
