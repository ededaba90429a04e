"""Any bytes, however hostile, give a tree or a SpecError, soon and in little memory (R6 to R10)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kbuild.text.node import Node
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read, read_file
from kbuild.text.source import Source
from kbuild.text.tree import tree
from kbuild.text.yaml_events import LOADER, yaml_events

LOADERS = list(dict.fromkeys([LOADER, yaml.SafeLoader]))


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        read(Source("f.yaml", text))
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "K005", "`f.yaml` is empty"),
        ("# only a comment\n", "K005", "`f.yaml` is empty"),
        ("a: 1\n---\nb: 2\n", "K006", "a second document begins here"),
        ("a: x\x00\n", "K002", "the character U+0000 is not allowed"),
        ("a: \x1b[31m\n", "K002", "the character U+001B is not allowed"),
        ("x" * (2**20 + 1), "K003", "`f.yaml` is larger than 1,048,576 bytes"),
        ("é" * (2**19 + 1), "K003", "`f.yaml` is larger than 1,048,576 bytes"),
        ("- 1\n" * 200_000, "K008", "more than 200,000 values"),
        ("[" * 65 + "]" * 65, "K007", "more than 64 collections stand in each other"),
        ("&a [*a]", "K015", "the alias `*a` stands inside what it names"),
        ("a: &a {b: [*a]}", "K015", "the alias `*a` stands inside what it names"),
    ],
)
def test_limits(text: str, code: str, message: str):
    assert [(p.code, p.message) for p in problems(text)] == [(code, message)]


def test_a_tree_may_be_64_deep_and_aliases_count():
    assert read(Source("f", "[" * 64 + "]" * 64))
    chain = "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 23 + "*a" + "]" * 23
    assert read(Source("f", chain))
    assert [p.code for p in problems(chain.replace("*a", "[*a]"))] == ["K007"]


def test_at_most_a_hundred_mistakes_are_told():
    assert len(problems("a: 017\n" * 1000)) == 100


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))
MERGE = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i}\n  <<: [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 8))
CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
resource.setrlimit(resource.RLIMIT_AS, (100 * 2**20, 100 * 2**20))
from pathlib import Path
from kbuild.text.problem import SpecError
from kbuild.text.read import read_file
try:
    read_file(Path(sys.argv[1]))
except SpecError as error:
    print(error.problems[0].code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource limits")
@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        (BOMB, "f.yaml", "K008"),
        (MERGE, "f.yaml", "K012"),
        ("[" * 60_000, "f.yaml", "K007"),
        ("[" * 60_000, "f.json", "K007"),
        ("{a: " * 15_000, "f.yaml", "K007"),
        ("- " * 30_000, "f.yaml", "K007"),
        ("? " * 30_000, "f.yaml", "K011"),
        ('"' + "\\n" * 500_000, "f.yaml", "K004"),
        ("a: 0x" + "f" * 100_000, "f.yaml", "K013"),
        ("a: " + "9" * 1_000_000, "f.yaml", "K014"),
        ('{"a": ' + "9" * 1_000_000 + "}", "f.json", "K014"),
    ],
    ids=[
        "aliases",
        "merge",
        "lists",
        "json",
        "maps",
        "dashes",
        "questions",
        "string",
        "hexadecimal",
        "digits",
        "json digits",
    ],
)
def test_a_bomb_costs_little_time_and_memory(text: str, name: str, code: str, tmp_path: Path):
    file = tmp_path / name
    file.write_text(text)
    done = subprocess.run([sys.executable, "-c", CHILD, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, code, "")


SPEC = """\
kbuild: 1
name: m  # c
vars: &v {w: 1e-3, "q": [~, true]}
model:
  - Dense: {units: $w}
    name: é
  - *v
n: |
  x
"""
SPEC_JSON = json.dumps({"a": [1, -2.5, True, None, "\U0001f600é\n/\\"], "b": {"": {}}, "d:e": "${x}"})
pieces = st.sampled_from(
    [
        *"[]{}:,-?&*!|>%@`\"'\\\n\t #$\x00\r\ufeff\x85\u2028",
        ": ",
        "- ",
        "\n  ",
        "---",
        "...",
        "<<",
        "&a",
        "*a",
        "!!str",
        "0x1",
        "\\u",
        "\\ud800",
    ]
)


def check_bytes(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    try:
        assert isinstance(read_file(file), Node)
    except SpecError as error:
        assert all(problem.code.startswith("K0") and problem.message and problem.help for problem in error.problems)
        assert all("\n" not in problem.message for problem in error.problems)
        str(error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([".yaml", ".json"]))
@example(b"\xff\xfe", ".yaml")
@example(b'"\\', ".json")
def test_any_bytes_give_a_tree_or_a_spec_error(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str):
    check_bytes(data, tmp_path_factory.getbasetemp() / f"any{suffix}")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(SPEC)), st.integers(0, 5), pieces), max_size=6),
    st.sampled_from([".yaml", ".json"]),
)
def test_any_mutation_of_a_spec_gives_a_tree_or_a_spec_error(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int, str]], suffix: str
):
    text = SPEC if suffix == ".yaml" else SPEC_JSON
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    check_bytes(text.encode(), tmp_path_factory.getbasetemp() / f"mutated{suffix}")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SPEC)), st.integers(0, 5), pieces), max_size=4))
def test_both_parsers_of_pyyaml_give_a_tree_or_a_spec_error(edits: list[tuple[int, int, str]]):
    text = SPEC
    for start, length, piece in edits:
        text = text[:start] + piece.replace("\x00", "") + text[start + length :]
    source = Source("f", text.replace("\ufeff", ""))
    for loader in LOADERS:
        try:
            tree(source, yaml_events(source, loader))
        except SpecError as error:
            assert all(problem.span is not None for problem in error.problems)
