"""`read` gives back what `write` wrote, and what it wrote looks as if a person had."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kbuild.text.node import Plain, node, plain
from kbuild.text.read import read
from kbuild.text.source import Source
from kbuild.text.write import write

# fmt: off
TRICKY = [
    "yes", "1e-3", "017", "a: b", "${x}", "a #b", "- a", "-", "--", "---", "--- a", "...", "~", "null", "<<", "=",
    "a:", "a,b", ",", "x, y", "#", "?", "? a", ":a", "%a", "@a", "`", "é😀", "'", "\"", "\\", "1_0", ".inf", "NaN",
    "0x1F", "1:30", "2024-01-01", "!a", "&a", "*a", "[", "{", "784 -> 512 -> 10", "-1x", "$x", "-a,b", "--x",
    "a\\nb", " a", "a ", "\t", "ǆ",
]
# fmt: on
LINES = [
    "a\nb",
    "a\nb\n",
    "a\n\nb\n",
    "a\n  b",
    "a\n",
    "\n",
    "\n\n",
    "a\n#b",
    "a\n---\nb",
    "a\tb",
    "a\n\tb",
    "a \nb",
    "\r\n",
    "a\r",
    "|\n",
]
CONTROL = ["", " ", "\x00", "\x1b[31m", "\x7f", "\x85", "a\u2028b\n", "\ufeff", "\ufffe", "x" * 2000, "x " * 600, "|"]
NESTED: list[Plain] = [
    {"a": {"b": {"c": [[[]], {}]}}},
    [[1, [2, [3]]]],
    [{}, {"a": {}}],
    {"k" * 1500: [1, {"a": "x\ny"}]},
]

texts = st.one_of(
    st.sampled_from([*TRICKY, *LINES, *CONTROL]),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(alphabet="ab:#-,[]{} \n'\"$?&*!|>%@`\\\t1e.+_"),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(1 - 2**63, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(texts, inner, max_size=6)),
    max_leaves=20,
)


def back(text: str) -> Plain:
    return plain(read(Source("written.yaml", text)))


@settings(max_examples=300, deadline=None)
@given(values, st.text(st.characters(exclude_categories=["Cs"])))
@example([*TRICKY, *LINES, *CONTROL], "two\nlines \x00 \x1b[31m")
@example({text: text for text in [*TRICKY, *LINES, *CONTROL]}, "")
@example({"k": {text: [text] for text in [*TRICKY, *LINES, *CONTROL]}}, "")
@example(NESTED, "")
@example([-0.0, 5e-324, 1.7976931348623157e308, 1e16, 0.1 + 0.2, 100.0], "")
def test_read_gives_back_what_write_wrote(value: Plain, comments: str):
    # repr, because 1 == 1.0 == True, and because dicts with another order are equal.
    assert repr(back(write(value, comments=comments))) == repr(value)


@settings(max_examples=100, deadline=None)
@given(values)
def test_writing_again_changes_nothing(value: Plain):
    once = write(value)
    assert write(read(Source("written.yaml", once))) == once


def test_a_node_is_written_like_its_plain_value():
    value: Plain = {"model": ["Flatten", {"Dense": 10}]}
    assert write(node(value)) == write(value) == "model:\n  - Flatten\n  - Dense: 10\n"


def test_layout():
    spec: Plain = {
        "kbuild": 1,
        "name": "mnist_mlp",
        "vars": {"width": 512},
        "data": {
            "source": "digits",
            "split": {"validation": 0.1, "stratify": True},
            "preprocess": [{"Rescaling": "${1 / 16}"}],
        },
        "model": [
            "Flatten",
            {"Dense": 512},
            {"Conv2D": {"filters": 32, "kernel_size": [3, 3]}},
            {"block": {"filters": 64}, "repeat": 2, "name": "stage"},
            {"branches": [[{"Conv2D": {"filters": 64, "kernel_size": 3}}, "ReLU"], []], "merge": "Add"},
            None,
        ],
        "train": {"optimizer": {"AdamW": {"learning_rate": 1e-3}}, "schedule": {"cosine": {"to": 1e-6}}, "epochs": 30},
        "note": "first\nsecond\n",
    }
    assert (
        write(spec, comments="kbuild fit mnist_mlp.yaml\n\nreaches 98 %")
        == """\
# kbuild fit mnist_mlp.yaml
#
# reaches 98 %
kbuild: 1
name: mnist_mlp
vars: {width: 512}
data:
  source: digits
  split: {validation: 0.1, stratify: true}
  preprocess: [{Rescaling: "${1 / 16}"}]
model:
  - Flatten
  - Dense: 512
  - Conv2D: {filters: 32, kernel_size: [3, 3]}
  - {block: {filters: 64}, repeat: 2, name: stage}
  - branches:
      - - Conv2D: {filters: 64, kernel_size: 3}
        - ReLU
      - []
    merge: Add
  - null
train:
  optimizer: {AdamW: {learning_rate: 0.001}}
  schedule: {cosine: {to: 1e-6}}
  epochs: 30
note: |
  first
  second
"""
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.001, "0.001"),
        (1e-05, "1e-5"),
        (1e16, "1e16"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (True, "true"),
        (None, "null"),
        ("relu", "relu"),
        ("no", "no"),
        ("3 epochs", "3 epochs"),
        ("true", '"true"'),
        ("1e-3", '"1e-3"'),
        ("", '""'),
        ("${a + 1}", '"${a + 1}"'),
        ("a: b", '"a: b"'),
        ("784 -> 10", "784 -> 10"),
        ("\x1b[0m\x85", r'"\u001b[0m\u0085"'),
    ],
)
def test_scalars(value: Plain, text: str):
    assert write({"k": value}) == f"k: {text}\n"


def test_a_line_has_at_most_a_hundred_columns():
    value: Plain = {"model": [{"Conv2D": {f"argument_{i}": i for i in range(n)}} for n in range(1, 12)]}
    text = write(value)
    assert max(map(len, text.splitlines())) <= 100
    assert "  - Conv2D: {argument_0: 0, argument_1: 1, argument_2: 2}\n" in text
    assert "  - Conv2D:\n      argument_0: 0\n" in text


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**63, "\ud800"])
def test_what_read_refuses_is_not_written(value: Plain):
    with pytest.raises(ValueError, match=r"cannot be written|surrogates not allowed"):
        write({"k": [value]})
