"""Golden documents: prose, a spec, and exactly what kbuild says of it; `pytest --update-golden` rewrites what it says.

What data they name lies beside them.
"""

import re
from pathlib import Path

import pytest

import kbuild
from kbuild.plan.check import check
from kbuild.plan.rules import rules
from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError
from kbuild.text.render import full

DOCUMENTS = sorted((Path(__file__).parent / "golden").glob("*.md"))
PAIR = re.compile(r"(```yaml\n(?P<spec>.*?)```\n.*?```text\n)(?P<said>.*?)(```)", re.DOTALL)
ELSEWHERE = {
    "K241": "the memory of the machine is in it: tests/plan/test_budget.py",
    "K242": "the memory of the machine is in it: tests/plan/test_budget.py",
    "K108": "the other use of it needs a file: tests/spec",
    "K171": "of a space, not of a network: tests/plan/test_corners.py",
    "K172": "of a space, not of a network: tests/plan/test_corners.py",
    "K174": "of a space, not of a network: tests/plan/test_corners.py",
    "K111": "`--set` is no part of a document: tests/spec/test_merge.py",
}


def code(path: Path) -> str:
    return path.stem.split("_")[0]


def said(text: str, code: str) -> str:
    """What a document shows: the problems of its rule, or all that are of no rule."""
    found = problems(text)
    return full([p for p in found if (p.code == code if code.startswith("K3") else not p.code.startswith("K3"))]) + "\n"


def problems(text: str) -> tuple[Problem, ...]:
    try:
        return check(load(text, data_roots=[DOCUMENTS[0].parent])).problems
    except SpecError as error:
        return error.problems


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_is_what_kbuild_says(path, request):
    document = path.read_text(encoding="utf-8")
    assert PAIR.search(document), "a document has a ```yaml block and a ```text block"
    now = PAIR.sub(lambda match: match[1] + said(match["spec"], code(path)) + match[4], document)
    if request.config.getoption("--update-golden"):
        path.write_text(now, encoding="utf-8")
    assert now == document


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_problem_has_a_place_and_its_code(path):
    for match in PAIR.finditer(path.read_text(encoding="utf-8")):
        found = problems(match["spec"])
        assert code(path) in {problem.code for problem in found}
        assert all(problem.span is not None for problem in found)
        assert not any(problem.message.endswith(".") or "\n" in problem.message for problem in found)


def test_every_code_of_spec_and_plan_has_a_document():
    package = Path(kbuild.__path__[0])
    written = {
        code
        for room in ("spec", "plan")
        for path in (package / room).rglob("*.py")
        for code in re.findall(r'"(K[12]\d\d)"', path.read_text(encoding="utf-8"))
    }
    shown = {code(path) for path in DOCUMENTS}
    assert written - shown - set(ELSEWHERE) == set()


def test_every_rule_has_a_document():
    assert set(rules()) - {code(path) for path in DOCUMENTS} == set()


def test_a_rule_of_a_document_says_how_grave_it_is():
    for path in DOCUMENTS:
        rule = rules().get(code(path))
        found = {
            p.severity
            for m in PAIR.finditer(path.read_text(encoding="utf-8"))
            for p in problems(m["spec"])
            if p.code == code(path)
        }
        assert rule is None or rule.SEVERITY in found, path.stem
