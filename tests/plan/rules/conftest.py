"""What a rule says of a network written in a line or two."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError

Said = list[tuple[str, str]]


def problems(code: str, text: str) -> list[Problem]:
    try:
        found = check(load(text)).problems
    except SpecError as error:
        found = error.problems
    assert {p.code for p in found if not p.code.startswith("K3")} == set(), "the spec itself is wrong"
    return [problem for problem in found if problem.code == code]


def written(layers: str, shape: str, top: str, end: str) -> str:
    """A spec: `layers` is YAML, an entry a line."""
    lines = "\n".join(f"    {line}" for line in layers.strip().split("\n"))
    return f"kbuild: 1\n{top.strip()}\nmodel:\n  inputs: {{x: {{shape: {shape}}}}}\n  layers:\n{lines}\n{end}\n"


def pointed(problem: Problem) -> str:
    """The text that a problem points at."""
    span = problem.span
    assert span is not None
    return span.source.text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.fixture
def find() -> Callable[..., list[Problem]]:
    """(code, layers, shape, top, end) → the problems of a rule; `top` stands before `model`, `end` below its layers."""
    return lambda code, layers, shape="[64]", top="", end="": problems(code, written(layers, shape, top, end))


@pytest.fixture
def said(find) -> Callable[..., Said]:
    """(code, layers, shape, top, end) → how grave each problem of a rule is, and the text it points at."""
    return lambda *args, **kwargs: [(problem.severity, pointed(problem)) for problem in find(*args, **kwargs)]


@pytest.fixture
def tell() -> Callable[..., Said]:
    """(code, a spec without its first line, folders of data) → how grave each problem of a rule is, and what it says."""

    def told(code: str, text: str, *roots: Path) -> Said:
        try:
            found = check(load(f"kbuild: 1\n{textwrap.dedent(text).strip()}\n", data_roots=roots)).problems
        except SpecError as error:
            found = error.problems
        assert {p.code for p in found if not p.code.startswith("K3")} == set(), "the spec itself is wrong"
        return [(problem.severity, problem.message) for problem in found if problem.code == code]

    return told
