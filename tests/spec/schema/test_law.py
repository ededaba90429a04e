"""The schema against `check`: whatever kbuild takes validates; what it refuses, the schema finds where kbuild does."""

import ast
import re
import textwrap
from pathlib import Path

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.spec.spec import span_at
from kbuild.text.node import Mapping, Node
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read, read_file
from kbuild.text.source import Source

ROOT = Path(__file__).parents[3]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
BLOCKS = sorted((ROOT / "builder/kbuild/blocks").glob("*.yaml"))
EXAMPLES = [
    (f"line {page[: m.start()].count(chr(10)) + 1}", m[1].strip(), m[2])
    for page in [(ROOT / "specs/README.md").read_text(encoding="utf-8")]
    for m in re.finditer(r"^```yaml(.*)\n((?:.*\n)*?)```$", page, re.MULTILINE)
]
DOCUMENTS = [
    pytest.param(m[1], id=f"{path.stem}-{number}")
    for path in sorted((ROOT / "tests/golden").glob("*.md"))
    for number, m in enumerate(re.finditer(r"```yaml\n(.*?)```\n", path.read_text(encoding="utf-8"), re.DOTALL))
]
SEEN = {"K101", "K102", "K103", "K104", "K105", "K106", "K107", "K108", "K109", "K110", "K113", "K131", "K209"}
"""Codes of names, arguments and kinds. All others are of the graph, of variables, of files, or of two keys together,
which JSON Schema cannot compare.
"""
UNSEEN = {
    r"no layer or block `BatchNorm`|block `unit` (needs|has no parameter)|of the block `stack` takes a list": "parameters of a user's own block",
    r"`ops.add` needs|`MultiHeadAttention` has no input": "inputs are wired when the network is expanded",
    r"takes a number, not `2\*|is `true` or `false`, not `3`": "what an expression gives",
    r"not `\d+\.0`": "JSON has one number where YAML has two",
    r"lies (above|outside)|none of the (options|labels)|differ in length|seeds after it|split.fold` must be at most": "JSON Schema compares no two values",
    r"`use` runs code": "the format has it, and --trust lets it through",
}
"""Messages of problems with these codes that no schema can find, and why."""


def whole(text: str) -> str:
    """A part of a spec with the keys of the top level that it leaves out."""
    if text.lstrip().startswith("- "):
        text = "model:\n" + textwrap.indent(textwrap.dedent(text), "  ")
    text = textwrap.dedent(text).strip("\n") + "\n"
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    text += "" if "kbuild" in keys else "kbuild: 1\n"
    return text + ("" if "model" in keys or "extends" in keys else "model: [Flatten, {Dense: 10}]\n")


def problems(text: str) -> tuple[Problem, ...]:
    """The errors of a spec; those of data that are not there count for none."""
    try:
        check(load(text))
    except SpecError as error:
        return tuple(p for p in error.problems if p.severity == "error")
    return ()


def line(node: Node, path: tuple) -> int:
    """The line of what stands at a path."""
    return span_at(node, ".".join(map(str, path))).line


def inside(node: Node, path: tuple) -> range:
    """The lines of all that stands there."""
    for part in path:
        node = node.get(part) if isinstance(node, Mapping) else node.items[part]
    return range(node.span.line, node.span.end_line + 1)


def constants() -> set[str]:
    """Every string of the test suite that may be a spec or a part of one."""
    key = re.compile(r"^\s*(model|layers|kbuild|train|data|blocks):", re.MULTILINE)
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "tests").rglob("*.py"))]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str) and key.search(node.value)}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_validates(path, mistakes):
    assert mistakes(read_file(path)) == []


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.stem)
def test_a_block_of_the_library_validates(path, mistakes):
    assert mistakes(whole("blocks:\n" + textwrap.indent(path.read_text(encoding="utf-8"), "  "))) == []


@pytest.mark.parametrize("text", [pytest.param(text, id=line) for line, code, text in EXAMPLES if not code])
def test_an_example_of_the_reference_validates(text, mistakes):
    assert mistakes(whole(text)) == []


def test_whatever_kbuild_takes_validates(mistakes):
    taken, wrong = 0, {}
    for text in sorted(constants()):
        try:
            node = read(Source("spec", whole(text)))
            fine = not problems(whole(text))
        except SpecError:
            continue  # no YAML
        taken += fine
        if fine and (found := mistakes(node)):
            wrong[text] = found
    assert wrong == {}
    assert taken > 60


@pytest.mark.parametrize("text", DOCUMENTS)
def test_what_the_schema_finds_kbuild_finds_there_too(text, mistakes):
    try:
        node = read(Source("spec", text))
    except SpecError:
        return  # an editor reads no such text either
    places = {p.span.line for p in problems(text) if p.span}
    for path, message in mistakes(node):
        # beside a key that is misspelt another is missing
        assert places & set(inside(node, path) if "is a required" in message else [line(node, path)]), message


def test_what_is_wrong_with_names_and_arguments_is_found(mistakes):
    reasons = set()
    for document in DOCUMENTS:
        (text,) = document.values
        try:
            node = read(Source("spec", text))
        except SpecError:
            continue
        found = {line(node, path) for path, _ in mistakes(node)}
        for problem in problems(text):
            if problem.code in SEEN and problem.span and problem.span.line not in found:
                reason = next((pattern for pattern in UNSEEN if re.search(pattern, problem.message)), None)
                assert reason, (document.id, problem.message)
                reasons.add(reason)
    assert reasons == set(UNSEEN)
