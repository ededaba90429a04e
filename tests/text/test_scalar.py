"""The scalars of YAML 1.2, and the numbers that kbuild refuses because readers disagree on them (R2, R3, R4, R10)."""

import pytest

from kbuild.text.scalar import ScalarError, resolve, shown


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null(text: str):
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("TRUE", True), ("false", False), ("FALSE", False)]
)
def test_bool(text: str, value: bool):
    assert resolve(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-0", 0), ("+5", 5), ("-17", -17), (str(2**63 - 1), 2**63 - 1), (str(1 - 2**63), 1 - 2**63)],
)
def test_int(text: str, value: int):
    assert resolve(text) == value
    assert type(resolve(text)) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E-4", 0.0001),
        ("+1e3", 1000.0),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e+2", -50.0),
        ("0.0", 0.0),
        ("0e-400", 0.0),
        ("5e-324", 5e-324),
        ("1e30", 1e30),
    ],
)
def test_float(text: str, value: float):
    assert resolve(text) == value
    assert type(resolve(text)) is float


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "NO",
        "Yes",
        "tRUE",
        "nulL",
        "1:30",
        "3:3",
        "2024-01-01",
        "1e",
        "1e+",
        ".",
        "-",
        "+",
        "--",
        "1-2",
        "1.2.3",
        "0x",
        "0o9",
        "_1",
        "1_",
        "inf",
        "nan",
        ".infinity",
        "Info",
        "٣",
        "3x3",
        "$x",
        "784->10",
    ],
)
def test_string(text: str):
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        (
            "017",
            "`017` begins with a zero, which is octal to some readers",
            "write it without the leading zero, or quote it if it is text",
        ),
        (
            "-010",
            "`-010` begins with a zero, which is octal to some readers",
            "write it without the leading zero, or quote it if it is text",
        ),
        ("0x1F", "`0x1F` is not a decimal number", "write `31`, or quote it if it is text"),
        ("0o17", "`0o17` is not a decimal number", "write `15`, or quote it if it is text"),
        ("-0b101", "`-0b101` is not a decimal number", "write `-5`, or quote it if it is text"),
        ("1_000", "`1_000` is a number with underscores", "write `1000`, or quote it if it is text"),
        ("1_000.5e3", "`1_000.5e3` is a number with underscores", "write `1000.5e3`, or quote it if it is text"),
    ],
)
def test_a_number_that_readers_disagree_on(text: str, message: str, help: str):
    with pytest.raises(ScalarError) as caught:
        resolve(text)
    assert (caught.value.code, caught.value.message, caught.value.help) == ("K013", message, help)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inf", "`.inf` is not a finite number"),
        ("-.INF", "`-.INF` is not a finite number"),
        (".nan", "`.nan` is not a finite number"),
        ("NaN", "`NaN` is not a finite number"),
        ("-Infinity", "`-Infinity` is not a finite number"),
        ("1e400", "`1e400` is too large for a number"),
        ("-1e400", "`-1e400` is too large for a number"),
        ("1e-400", "`1e-400` is too small for a number"),
        (str(2**63), "`9223372036854775808` is too large for an integer"),
        ("9" * 5000, "`999999999999…999999999999` (5000 characters) is too large for an integer"),
    ],
)
def test_a_number_out_of_range(text: str, message: str):
    with pytest.raises(ScalarError) as caught:
        resolve(text)
    assert (caught.value.code, caught.value.message) == ("K014", message)


def test_a_hexadecimal_of_a_hundred_thousand_digits_is_not_converted():
    with pytest.raises(ScalarError, match="is not a decimal number") as caught:
        resolve("0x" + "f" * 100_000)
    assert caught.value.help == "write it in decimal, or quote it if it is text"


def test_shown_cuts_what_is_long():
    assert shown("relu") == "`relu`"
    assert shown("x" * 49) == "`xxxxxxxxxxxx…xxxxxxxxxxxx` (49 characters)"
