"""Text → Node: places, and a useful sentence for every mistake (R1 to R5, R10)."""

import json
from pathlib import Path

import pytest
import yaml

from kbuild.text.node import Mapping, Node, Plain, Sequence, node, plain
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read
from kbuild.text.source import Source, Span
from kbuild.text.tree import tree
from kbuild.text.yaml_events import LOADER, yaml_events

LOADERS = list(dict.fromkeys([LOADER, yaml.SafeLoader]))


def of(text: str) -> Plain:
    return plain(read(Source("f.yaml", text)))


def problems(text: str, path: Path | None = None) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        read(Source("f.yaml", text, path))
    return caught.value.problems


def told(text: str, path: Path | None = None) -> list[tuple[str, str, str]]:
    """Code, message and the text that each problem underlines, with its line and column."""
    return [(p.code, p.message, marked(p.span)) for p in problems(text, path)]


def marked(span: Span | None) -> str:
    assert span is not None
    row = (span.source.text.replace("\r\n", "\n") + "\n").split("\n")[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(row) + 1
    return f"{span.line}:{span.column} {row[span.column - 1 : end - 1]}"


def json_file(text: str) -> list[tuple[str, str, str]]:
    return told(text, Path("f.json"))


def test_values():
    text = 'a: 1e-3\nb: [yes, \'no\', "on", ~, 017x]\nc:\nd: {e: {f: []}}\ng: |\n  x\n  y\nh: >-\n  x\n  y\n"1": true\n'
    assert of(text) == {
        "a": 0.001,
        "b": ["yes", "no", "on", None, "017x"],
        "c": None,
        "d": {"e": {"f": []}},
        "g": "x\ny\n",
        "h": "x y",
        "1": True,
    }


def test_order_of_keys_is_kept():
    tree = read(Source("f", "b: 1\na: 2\n"))
    assert isinstance(tree, Mapping)
    assert tree.keys == ("b", "a")


@pytest.mark.parametrize("lr", ["1e-3", "1E-3", "+1e-3", "0.001", ".001", "1.e-3"])
def test_a_learning_rate_is_the_same_float_in_yaml_and_json(lr: str):
    expected: Plain = [{"learning_rate": 0.001}]
    assert of(f"- learning_rate: {lr}\n") == expected
    assert read(Source("f", '[{"learning_rate": 1e-3}]')) == node(expected)


def test_quoted_scalars_are_strings():
    assert of("['1', \"true\", '017', \"\", '.inf', 'null']") == ["1", "true", "017", "", ".inf", "null"]


def test_a_byte_order_mark_and_other_line_breaks():
    tree = read(Source("f", "\ufeffa: 1\r\nb: 2\rc: 3\n"))
    assert plain(tree) == {"a": 1, "b": 2, "c": 3}
    assert isinstance(tree, Mapping)
    assert [str(key.span) for key, _ in tree.pairs] == ["f:1:1", "f:2:1", "f:3:1"]


def test_anchors_repeat_a_value():
    assert of("a: &x {b: [1]}\nc: *x\nd: &k e\n*k : &k 2\nf: *k\n") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": "e",
        "e": 2,
        "f": 2,
    }


JSON: Plain = {"a": [1, -2.5, True, None, "\U0001f600é\n/\\"], "b": {"": {}}, "c" * 1500: [[]], "d:e": "${x}"}


@pytest.mark.parametrize(
    "options", [{}, {"indent": "\t"}, {"indent": 2, "ensure_ascii": False}, {"separators": (",", ":")}]
)
@pytest.mark.parametrize("name", ["f.json", "f.yaml"])
def test_json(options: dict[str, object], name: str):
    text = json.dumps(JSON, **options)  # pyright: ignore[reportArgumentType]
    assert plain(read(Source(name, text, Path(name)))) == JSON


def places(tree: Node) -> list[str]:
    """Every key and value with the text it stands for."""
    found = [marked(tree.span)]
    if isinstance(tree, Mapping):
        found += [place for key, value in tree.pairs for place in (marked(key.span), *places(value))]
    elif isinstance(tree, Sequence):
        found += [place for item in tree.items for place in places(item)]
    return found


def test_places_in_yaml():
    text = "# c\na: &x\n  b: 'q'  # hi\n  c:\n  - 1\n  -\n\n# x\nd: |\n  lit\n\nz: *x\nw: [a, \"é😀\", {k: 漢}]\n"
    tree = read(Source("f", text))
    assert (tree.span.line, tree.span.column, tree.span.end_line, tree.span.end_column) == (2, 1, 13, 21)
    assert places(tree)[1:8] == ["2:1 a", "2:4 &x", "3:3 b", "3:6 'q'", "4:3 c", "5:3 - 1", "5:5 1"]
    assert places(tree)[8:11] == ["6:4 ", "9:1 d", "9:4 |"]
    assert isinstance(tree, Mapping)
    block, alias, flow = tree.get("d"), tree.get("z"), tree.get("w")
    assert block is not None and (block.span.end_line, block.span.end_column) == (10, 6)
    assert alias is not None and marked(alias.span) == "12:4 *x"
    assert flow is not None
    assert places(flow) == ['13:4 [a, "é😀", {k: 漢}]', "13:5 a", '13:8 "é😀"', "13:14 {k: 漢}", "13:15 k", "13:18 漢"]


def test_a_block_ends_where_its_last_value_does():
    tree = read(Source("f", "a:\n  b:\n    - c\n\n# comment\n\nd: 1\n"))
    assert isinstance(tree, Mapping)
    inner = tree.get("a")
    assert inner is not None
    assert (inner.span.line, inner.span.column, inner.span.end_line, inner.span.end_column) == (2, 3, 3, 8)


def test_places_in_json():
    assert places(read(Source("f", '{"a\\ud83d\\ude00": [1, {"b":\t"x"}]}')))[1:] == [
        '1:2 "a\\ud83d\\ude00"',
        '1:19 [1, {"b":\t"x"}]',
        "1:20 1",
        '1:23 {"b":\t"x"}',
        '1:24 "b"',
        '1:29 "x"',
    ]


def test_all_mistakes_at_once():
    text = "a: 1\nb: 017\na: 3\n1: .inf\nc: {d: 1, d: 2, <<: x}\ne: !!str [*y]\nf: {units:32}\ng: 'x\n"
    assert told(text) == [
        ("K013", "`017` begins with a zero, which is octal to some readers", "2:4 017"),
        ("K010", "duplicate key `a`, already on line 1", "3:1 a"),
        ("K011", "the key `1` is not a string", "4:1 1"),
        ("K014", "`.inf` is not a finite number", "4:4 .inf"),
        ("K010", "duplicate key `d`, already in column 5 of this line", "5:11 d"),
        ("K012", "merge keys `<<` are not allowed", "5:17 <<"),
        ("K009", "tags such as `!!str` are not allowed", "6:4 !!str"),
        ("K015", "the alias `*y` has no anchor", "6:11 *y"),
        ("K016", "`units:32` has no space after its colon", "7:5 units:32"),
        ("K004", "the quote ' is never closed", "8:4 '"),
    ]
    assert problems("a:\n  - b: 1\n    b: 2\n")[0].path == "a.0.b"


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch marker']",
        "!!python/name:os.system",
        "!!str x",
        "!x y",
        "! z",
        "!!map {}",
    ],
)
def test_tags(tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    name = tag.split()[0]
    assert told(f"a: 1\nb: {tag}\n") == [("K009", f"tags such as `{name}` are not allowed", f"2:4 {name}")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n", '{"a": 1,\n"b":\n{"c": 1,\n"d": 1,\n"c": 2}}'])
def test_duplicate_keys_name_both_lines(text: str):
    (problem,) = problems(text)
    assert problem.code == "K010"
    assert problem.message == "duplicate key `c`, already on line 3"
    assert problem.span is not None and problem.span.line == 5
    assert [(note.message, note.span.line) for note in problem.related] == [("first here", 3)]
    assert problem.path == "b.c"


@pytest.mark.parametrize(
    ("key", "help"),
    [
        ("1", 'quote it: `"1"`'),
        ("~", 'quote it: `"~"`'),
        ("true", 'quote it: `"true"`'),
        ("1.5", 'quote it: `"1.5"`'),
        ("007", 'quote it: `"007"`'),
    ],
)
def test_keys_are_strings(key: str, help: str):
    (problem,) = problems(f"{key}: x\n")
    assert (problem.code, problem.message, problem.help) == ("K011", f"the key `{key}` is not a string", help)
    assert of(f'"{key}": x') == {key: "x"}


def test_keys_that_are_no_scalars():
    assert told("{[a]: 1, b: 017}\n")[0] == ("K011", "this key is not a string", "1:2 [")
    assert len(told("{[a]: 1, b: 017}\n")) == 2
    assert told("? {a: 1}\n: 2\n") == [("K011", "this key is not a string", "1:3 {")]
    assert told("a: &x [1]\n*x : 2\n") == [("K011", "this key is not a string", "2:1 *x")]
    assert told("?\n: 1\n") == [("K011", "a key is missing before `:`", "1:2 ")]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a:\n\tb: 1\n", "a tab where only spaces may indent", "2:1 \t"),
        ("a:\n  b: 1\n\tc: 2\n", "a tab where only spaces may indent", "3:1 \t"),
        ("a: b: c\n", "`:` cannot stand here: the value before it does not end as a key", "1:5 :"),
        ('a: "x\nb: 1\n', 'the quote " is never closed', '1:4 "'),
        ("a: {b: ${x}, c: 1}\n", "an expression inside brackets needs quotes: `${x}`", "1:8 ${x}"),
        ("a: [1, 2\nb: 1\n", "expected `,` or `]`", "2:2 :"),
        ("a: {b: 1", "expected `,` or `}` before the end of the text", "1:9 "),
        ("a: @x\n", "an unquoted value cannot begin with `@`", "1:4 @"),
        ("a: `x`\n", "an unquoted value cannot begin with a backtick", "1:4 `"),
        ("a: 1\nb:2\nc: 3\n", "`b:2` stands where a key is expected", "2:1 b:2"),
        ("a:\n    b: 1\n  c: 2\n", "this line is indented unlike the lines around it", "3:3 c: 2"),
        ("a: - b\n", "a list item cannot begin here", "1:4 -"),
        ("a: ? b\n", "`?` begins a key and cannot stand here", "1:4 ?"),
        ("a: 1\n- b\n", "a list item stands among the keys of a map", "2:1 -"),
        ("- a\nb: 1\n", "a key stands among the items of a list", "2:1 b: 1"),
        ('a: "x" y\n', "text after the end of a value", "1:8 y"),
        ("a: [1,,2]\n", "a value is missing before `,`", "1:7 ,"),
        ("a: *.yaml\n", "`*` begins the name of an alias", "1:4 *"),
        ("a: & x\n", "`&` begins the name of an anchor", "1:4 &"),
        ("{a: 1}\n{b: 2}\n", "text after the end of the spec", "2:1 {b: 2}"),
        ("a: |x\n b\n", "`|` begins a block of text on the next line", "1:4 |x"),
        ('a: "\\q"\n', "`\\q` is no escape that can be read here", "1:5 \\q"),
    ],
)
@pytest.mark.parametrize("loader", LOADERS)
def test_syntax(text: str, message: str, place: str, loader: type):
    source = Source("f.yaml", text)
    with pytest.raises(SpecError) as caught:
        tree(source, yaml_events(source, loader))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message, marked(problem.span)) == ("K004", message, place)
    assert problem.help


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        ('{"a": 1,}', "K004", "not valid JSON: ", "1:"),
        ("{'a': 1}", "K004", "not valid JSON: expecting property name enclosed in double quotes", "1:2 '"),
        ('{"a": 010}', "K004", "not valid JSON: expecting ',' delimiter", "1:8 1"),
        ("[1, NaN]", "K014", "`NaN` is not a finite number", "1:5 NaN"),
        ("[-Infinity]", "K014", "`-Infinity` is not a finite number", "1:2 -Infinity"),
        ("[1e400]", "K014", "`1e400` is too large for a number", "1:2 1e400"),
        ('["\\ud800"]', "K002", "half of a surrogate pair is no character", '1:2 "\\ud800"'),
        ("  ", "K005", "`f.yaml` is empty", "1:1 "),
        ("[" * 65 + "]" * 65, "K007", "more than 64 collections stand in each other", "1:65 ["),
    ],
)
def test_json_mistakes(text: str, code: str, message: str, place: str):
    ((got_code, got_message, got_place),) = json_file(text)
    assert got_code == code
    assert got_message.startswith(message)
    assert got_place.startswith(place)
