"""Expressions: what they may say, what they give, and that nothing in them runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbuild.spec.expression import UNKNOWN, ExpressionError, evaluate, names

VALUES = {"width": 3, "rate": 0.5, "sizes": [4, 8], "flag": True, "word": "same", "nothing": None, "size": UNKNOWN}


def value(text):
    return evaluate(text, VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("width * 2 + 1", 7),
        ("width / 2", 1.5),
        ("width // 2", 1),
        ("-width % 2", 1),
        ("2 ** 10", 1024),
        ("1 / 255", 1 / 255),
        ("int(rate * 5)", 2),
        ("round(2.6)", 3),
        ("round(2.567, 1)", 2.6),
        ("ceil(rate) + floor(rate)", 1),
        ("sqrt(16)", 4.0),
        ("min(sizes) + max(1, 2) + sum(sizes) + len(sizes)", 4 + 2 + 12 + 2),
        ("sizes[-1]", 8),
        ("[1, width][1]", 3),
        ("sizes + [1]", [4, 8, 1]),
        ("width == 3 and not flag", False),
        ("flag or 1 // 0 > 1", True),
        ("1 < width <= 3", True),
        ("word == 'same'", True),
        ("nothing == null", True),
        ("word if flag else 1 // 0", "same"),
        ("true", True),
        ("null", None),
    ],
)
def test_it_gives_what_it_says(text, wanted):
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht", "there is no variable `widht` here"),
        ("1 +", "`1 +` is no expression: invalid syntax"),
        ("", "`` is no expression: invalid syntax"),
        ("width.real", "`width.real` is not allowed in an expression"),
        ("(lambda: 1)()", "`(lambda: 1)()` is not allowed in an expression"),
        ("[x for x in sizes]", "`[x for x in sizes]` is not allowed in an expression"),
        ("open('x')", "there is no function `open`; there are ceil, floor, int, len, max, min, round, sqrt, sum"),
        ("sizes[0:1]", "`sizes[0:1]` is not allowed in an expression"),
        ("width @ 2", "`width @ 2` is not allowed in an expression"),
        ("True", "write `true`, `false` and `null` in an expression"),
        ("1 in sizes", "`1 in sizes` is not allowed in an expression"),
        ("sizes[2]", "the list has 2 items, there is no item 2"),
        ("word[0]", "only a list has items, by an integer; got `same` and `0`"),
        ("width % 0", "division by zero"),
        ("2 ** 65", "a power is at most 64, not 65"),
        ("99 ** 60", "a number is at most 1e+18"),
        ("sqrt(-1)", "sqrt: math domain error"),
        ("(-8) ** 0.5", "arithmetic: the result is not a real number"),
        ("'a' * 10", "`a` is not a number"),
        ("flag + 1", "`True` is not a number"),
        ("sizes * 3", "`[4, 8]` is not a number"),
        ("not width", "a condition is `true` or `false`, not `3`; write a comparison"),
        ("width if 1 else 2", "a condition is `true` or `false`, not `1`; write a comparison"),
        ("size + 1", "it needs a size that is not known when the network is expanded"),
        ("max(size, 1)", "it needs a size that is not known when the network is expanded"),
        ("1 + " * 200 + "1", "an expression has at most 500 characters, this one has 801"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert str(caught.value) == message


def test_an_unknown_size_may_be_handed_on():
    assert value("size") is UNKNOWN
    assert value("[size, 3][1]") == 3


def test_the_names_are_those_of_variables():
    assert names("max(width, sizes[i]) if true else null") == {"width", "sizes", "i"}
    assert names("1 +") == frozenset()


@given(st.text(alphabet="0123456789+-*/%()[]<>=. ,'abis_notrue", max_size=40))
def test_no_text_does_anything_else_than_a_value_or_an_error(text):
    try:
        found = evaluate(text, {"a": 2, "b": [1, 2], "s": 0.5}.__getitem__)
    except ExpressionError:
        return
    assert isinstance(found, None | bool | int | float | str | list)
