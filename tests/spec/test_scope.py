"""Variables, expressions and `$$`: what stands in their place, and what is wrong with them."""

import pytest

from kbuild.spec.hole import default
from kbuild.spec.scope import Scope, evaluate, is_open, used, variables
from kbuild.text.node import node, plain
from kbuild.text.problem import SpecError

BOUND = {"width": 8, "name": "stem", "norm": {"BatchNormalization": {"axis": -1}}, "sizes": [1, 2]}
SCOPE = Scope({key: node(value) for key, value in BOUND.items()}, shape=(None, 4, 3), has_shape=True)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("$width", 8),
        ("${width / 2}", 4.0),
        ("${width // 2}", 4),
        ("conv_${width // 2}", "conv_4"),
        ("${name}_${width == 8}", "stem_true"),
        ("costs $$5", "costs $5"),
        ("$$width", "$width"),
        ("$norm", {"BatchNormalization": {"axis": -1}}),
        ("${sizes + [3]}", [1, 2, 3]),
        (["$name", ["${input_shape[-1]}"]], ["stem", [3]]),
        ("${len(input_shape)}", 3),
        ({"$choice": ["$name", 3]}, "stem"),
        ({"units": {"$int": ["$width", 16]}}, {"units": 8}),
    ],
)
def test_what_stands_in_its_place(written, wanted):
    found = plain(evaluate(node(written), SCOPE))
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("written", "code", "message"),
    [
        ("$widht", "K120", "there is no variable `widht` here"),
        ("$Width", "K121", "`$Width` begins with `$` and is no variable"),
        ("${width", "K121", "`${width` begins with `$` and is no variable"),
        ("${widht}", "K121", "`${widht}`: there is no variable `widht` here; did you mean `width`?"),
        ("$input_shape", "K124", "`$input_shape` is not known here"),
        ("${input_shape[0]}", "K124", "`${input_shape[0]}` is a size that is not known here"),
        (
            "${input_shape[0] + 1}",
            "K124",
            "`${input_shape[0] + 1}`: it needs a size that is not known when the network is expanded",
        ),
    ],
)
def test_what_is_wrong_is_said(written, code, message):
    with pytest.raises(SpecError) as caught:
        evaluate(node(written), SCOPE)
    assert [(p.code, p.message) for p in caught.value.problems] == [(code, message)]


def test_variables_use_each_other_in_any_order():
    scope = variables(node({"a": "${b * 2}", "b": "$c", "c": {"$int": [3, 5]}, "d": ["$a"]}), default)
    assert {name: plain(value) for name, value in scope.bound.items()} == {"a": 6, "b": 3, "c": 3, "d": [6]}


def test_a_circle_of_variables_is_told_once():
    with pytest.raises(SpecError) as caught:
        variables(node({"a": "$b", "b": "${c + 1}", "c": "$a", "d": "$a"}), default)
    assert [p.message for p in caught.value.problems] == ["variables need each other: a → b → c → a"]


def test_a_wrong_variable_is_told_once():
    with pytest.raises(SpecError) as caught:
        variables(node({"a": "${1 // 0}", "b": "$a", "c": "${nope}"}), default)
    assert [p.message for p in caught.value.problems] == [
        "`${1 // 0}`: division by zero",
        "`${nope}`: there is no variable `nope` here",
    ]


def test_inner_names_hide_outer_ones():
    inner = SCOPE.bind({"width": node(2)})
    assert plain(evaluate(node(["$width", "$name"]), inner)) == [2, "stem"]
    assert plain(evaluate(node("$width"), SCOPE)) == 8


def test_open_is_what_is_not_yet_known():
    assert [is_open(node(v)) for v in ("$a", "a${b}", "$$a", "a", 3, {"$int": [1, 2]}, {"a": "$b"}, ["$a"])] == [
        True, True, False, False, False, True, False, False,
    ]  # fmt: skip
    assert used(node({"a": ["$b", "x${c[d]}"], "$e": {"$int": [1, "$f"]}})) == {"b", "c", "d", "e", "f"}


def test_a_line_of_variables_may_be_longer_than_the_stack_of_python():
    line = {f"v{i}": f"$v{i + 1}" for i in range(3000)}
    assert plain(variables(node({**line, "v3000": 3}), default).bound["v0"]) == 3


def test_what_needs_a_variable_that_is_wrong_is_not_told_again():
    with pytest.raises(SpecError) as caught:
        variables(node({"a": "$b", "b": "$c", "c": "$nope", "d": "$b", "e": "$f", "f": "$e"}), default)
    assert [p.message for p in caught.value.problems] == [
        "there is no variable `nope` here",
        "variables need each other: e → f → e",
    ]
