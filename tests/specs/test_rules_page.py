"""specs/RULES.md: the pages of the rules, written from their docstrings; `pytest --update-golden` writes it anew."""

import re
from pathlib import Path

import pytest

from kbuild.plan.rules import rules
from kbuild.plan.rules.page import HEADINGS, page

DOCUMENT = Path(__file__).parents[2] / "specs" / "RULES.md"
HEAD = """# The rules

What `kbuild check` says of a network beyond what is wrong with it. An error stops the command, a warning does not, hints show
with `check --hints`. `# kbuild: ignore K310` at the end of a line silences a rule there, on a line of its own in the whole file;
several codes stand with commas between them. `kbuild rules CODE` prints the same page.
"""


def test_the_document_holds_every_page(request):
    pages = [page(rule) for rule in rules().values()]
    table = [f"| [{p.code}](#{anchor(p.code, p.title, p.severity)}) | {p.severity} | {p.title} |" for p in pages]
    parts = [
        HEAD,
        "\n".join(["| code | severity | what it finds |", "|---|---|---|", *table]),
        *(p.markdown for p in pages),
    ]
    now = "\n\n".join(part.strip("\n") for part in parts) + "\n"
    if request.config.getoption("--update-golden"):
        DOCUMENT.write_text(now, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == now


def anchor(code, title, severity):
    """As GitHub makes one of a heading."""
    return re.sub(r"[^\w\- ]", "", f"{code}: {title} ({severity})".lower()).replace(" ", "-")


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.CODE)
def test_a_page_has_all_its_parts(rule):
    found = page(rule)
    assert tuple(found.sections) == HEADINGS
    assert all(found.sections.values())
    assert found.title and not found.title.endswith(".")
    assert re.fullmatch(r"K3\d\d", rule.CODE) and rule.CODE != "K300"
    assert rule.__name__.rsplit(".", 1)[-1] not in {"net", "rule", "lint", "page", "ignore"}
