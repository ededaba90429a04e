"""Problems as people, programs and GitHub see them: the three formats of the reference, to the character."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.text.node import NOWHERE
from kbuild.text.problem import Problem, Related
from kbuild.text.render import as_json, full, github
from kbuild.text.source import Source, Span

RESNET = Source(
    "specs/resnet.yaml", "\n" * 13 + "    - Conv2D: {filter: 64, kernel_size: 3}\n", Path("specs/resnet.yaml")
)
FILTER = Problem(
    "K103",
    "`Conv2D` has no argument `filter`",
    Span(RESNET, 14, 16, 14, 22),
    help="did you mean `filters`?",
    path="model.0.Conv2D",
)


def at(text: str, start: int, end: int, line: int = 1, end_line: int | None = None) -> str:
    """The snippet's two rows, without the gutter, of the columns `start` to `end` of a text."""
    span = Span(Source("f", text), line, start, end_line or line, end)
    return "\n".join(
        row.split("|", 1)[1].removeprefix(" ") for row in full([Problem("K100", "m", span)]).split("\n")[3:]
    )


def test_the_format_of_the_reference():
    assert (
        full([FILTER])
        == """\
error[K103]: `Conv2D` has no argument `filter`
  --> specs/resnet.yaml:14:16
   |
14 |     - Conv2D: {filter: 64, kernel_size: 3}
   |                ^^^^^^
   = help: did you mean `filters`?"""
    )


def test_several_with_related_places_and_none():
    source = Source("f.yaml", "a: 1\n" * 9 + "a: 2\n")
    twice = Problem(
        "K010",
        "duplicate key `a`",
        Span(source, 10, 1, 10, 2),
        help="remove one\nof the two",
        related=(Related("first here", Span(source, 1, 1, 1, 2)),),
    )
    missing = Problem("K001", "there is no file `x`", severity="warning", help="check the path")
    assert (
        full([twice, missing])
        == """\
error[K010]: duplicate key `a`
  --> f.yaml:10:1
   |
10 | a: 2
   | ^
   = help: remove one
           of the two
note: first here
  --> f.yaml:1:1
   |
 1 | a: 1
   | ^

warning[K001]: there is no file `x`
  = help: check the path"""
    )


def test_nothing_gives_nothing():
    assert (full([]), as_json([]), github([])) == ("", [], "")


def test_a_generated_value_has_no_place():
    problem = Problem("K100", "m", NOWHERE, related=(Related("made here", NOWHERE),))
    assert full([problem]) == "error[K100]: m\nnote: made here"
    assert as_json([problem])[0]["file"] is None
    assert github([problem]) == "::error title=K100::m%0Amade here"


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("ab: 漢字x", 5, 7, "ab: 漢字x\n    ^^^^"),
        ("漢字x", 3, 4, "漢字x\n    ^"),
        ("e\u0301x: 1", 3, 4, "e\u0301x: 1\n ^"),
        ("\ta: 1", 2, 3, "    a: 1\n    ^"),
        ("a\tb: 1", 2, 3, "a    b: 1\n ^^^^"),
        ("a: ", 4, 4, "a:\n   ^"),
        ("a: b   ", 4, 8, "a: b\n   ^"),
        ("a: b", 90, 99, "a: b\n    ^"),
        ("", 1, 1, ""),
        ("\n", 1, 1, "\n^"),
    ],
)
def test_carets_stand_where_a_terminal_shows_the_characters(text: str, start: int, end: int, shown: str):
    assert at(text, start, end) == shown


def test_of_several_lines_the_first_is_shown():
    assert at("a:\n  b: 1  \n  c: 2\n", 3, 7, line=2, end_line=3) == "  b: 1\n  ^^^^"


def test_of_a_long_line_the_window_around_the_place_is_shown():
    row, carets = at("a" * 300 + "BAD" + "b" * 300, 301, 304).split("\n")
    assert row == "…" + "a" * 30 + "BAD" + "b" * 67 + "…"
    assert carets == " " * 31 + "^^^"
    row, carets = at("k: " + "x" * 500, 4, 504).split("\n")
    assert row == "k: " + "x" * 97 + "…"
    assert carets == "   " + "^" * 97


def test_nothing_of_the_user_acts_on_the_terminal():
    hostile = "\x1b[2J\x07\u202eevil\x9b31m\ud800"
    source = Source(f"f{hostile}.yaml", f"a: {hostile}\n")
    problem = Problem(
        "K100",
        f"bad {hostile}\nline",
        Span(source, 1, 4, 1, 9),
        help=hostile,
        related=(Related(hostile, Span(source, 1, 1, 1, 2)),),
    )
    text = full([problem])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
    assert "error[K100]: bad ␛[2J␇�evil�31m�␊line\n" in text
    assert "1 | a: ␛[2J␇�evil�31m�\n  |    ^^^^^\n" in text
    assert re.sub("\x1b\\[[0-9;]*m", "", full([problem], color=True)) == text
    assert "\x1b" not in github([problem])


def test_color():
    assert full([FILTER], color=True).startswith(
        "\x1b[1;31merror[K103]\x1b[0m\x1b[1m: `Conv2D` has no argument `filter`\x1b[0m\n"
    )


def test_json():
    assert as_json([FILTER]) == [
        {
            "code": "K103",
            "severity": "error",
            "message": "`Conv2D` has no argument `filter`",
            "help": "did you mean `filters`?",
            "file": "specs/resnet.yaml",
            "line": 14,
            "column": 16,
            "end_line": 14,
            "end_column": 22,
            "path": "model.0.Conv2D",
        }
    ]
    bare = as_json([Problem("K001", "m", severity="hint")])[0]
    assert {key for key, value in bare.items() if value is None} == {
        "help",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "path",
    }


def test_github():
    lines = Problem("K200", "100 %\nwrong\x1b", Span(Source("a,b:c.yaml", "x\ny\n"), 1, 1, 2, 2), severity="warning")
    hint = Problem("K300", "m", severity="hint")
    assert github([FILTER, lines, hint]) == (
        "::error file=specs/resnet.yaml,line=14,col=16,endLine=14,endColumn=22,title=K103"
        "::`Conv2D` has no argument `filter`%0Adid you mean `filters`?\n"
        "::warning file=a%2Cb%3Ac.yaml,line=1,endLine=2,title=K200::100 %25%0Awrong␛\n"
        "::notice title=K300::m"
    )


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.integers(1, 9), st.integers(1, 200), st.integers(0, 3), st.integers(1, 200))
def test_any_place_in_any_text_can_be_shown(text: str, message: str, line: int, column: int, more: int, end: int):
    problem = Problem("K100", message, Span(Source("f", text), line, column, line + more, end), help=message)
    rows = full([problem]).split("\n")
    assert rows[1] == f" --> f:{line}:{column}"
    assert len(github([problem]).split("\n")) == 1
    json.dumps(as_json([problem]))
