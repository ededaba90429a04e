"""Characters of one plain scalar → null, bool, int, float or str, by the YAML 1.2 core schema. Raises ScalarError.

kbuild refuses what another reader of YAML would take for another number: `017`, `0x1F`, `1_000`; and infinities.
"""

import math
import re

Value = None | bool | int | float | str

_CONSTANTS: dict[str, Value] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)")
_GROUPED = re.compile(r"[-+]?[0-9]+(?:_++[0-9]++)++(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(?:\.inf|\.Inf|\.INF|Infinity)|\.nan|\.NaN|\.NAN|NaN")
_BIGGEST = 2**63 - 1
_SHOWN = 24


class ScalarError(ValueError):
    """A scalar that is nearly a number, with the code, message and help that the problem about it takes."""

    def __init__(self, code: str, message: str, help: str):
        super().__init__(message)
        self.code, self.message, self.help = code, message, help


def resolve(text: str) -> Value:
    """What an unquoted scalar means: `1e-3` is a float, `yes`, `1:30` and `2024-01-01` are strings.

    Returns:
        An int is within ±(2**63 - 1), a float is finite.

    Raises:
        ScalarError: K013 for a number that means different things to different readers (`017`, `0x1F`, `1_000`);
            K014 for one that is not finite, or too large or too small to be kept.

    >>> resolve("1e-3"), resolve("no"), resolve("~")
    (0.001, 'no', None)
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789IN":
        return text
    if _INT.fullmatch(text):
        return _int(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(
            "K014", f"{shown(text)} is not a finite number", "write a finite number, or quote it if it is text"
        )
    if _BASED.fullmatch(text):
        raise ScalarError("K013", f"{shown(text)} is not a decimal number", _in_decimal(text))
    if _GROUPED.fullmatch(text):
        plain = text.replace("_", "")
        advice = f"write {shown(plain)}, or quote it if it is text"
        raise ScalarError("K013", f"{shown(text)} is a number with underscores", advice)
    return text


def shown(text: str) -> str:
    """A text in backticks, cut in its middle if it is long.

    >>> shown("9" * 5000)
    '`999999999999…999999999999` (5000 characters)'
    """
    if len(text) <= 2 * _SHOWN:
        return f"`{text}`"
    half = _SHOWN // 2
    return f"`{text[:half]}…{text[-half:]}` ({len(text)} characters)"


def _int(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        advice = "write it without the leading zero, or quote it if it is text"
        raise ScalarError("K013", f"{shown(text)} begins with a zero, which is octal to some readers", advice)
    # Python itself refuses to convert more than 4,300 digits.
    if len(digits) > len(str(_BIGGEST)) or abs(int(text)) > _BIGGEST:
        raise ScalarError("K014", f"{shown(text)} is too large for an integer", "integers go up to 2**63 - 1")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    mantissa = re.split("[eE]", text)[0]
    if math.isinf(value) or (value == 0 and mantissa.strip("+-0.")):
        size = "large" if value else "small"
        raise ScalarError("K014", f"{shown(text)} is too {size} for a number", "numbers go from 5e-324 to 1.79e308")
    return value


def _in_decimal(text: str) -> str:
    digits = text.lower().replace("_", "")
    try:
        value = int(digits, 0)
    except ValueError:
        return "write it in decimal, or quote it if it is text"
    number = f"`{value}`" if abs(value) <= _BIGGEST else "it in decimal"
    return f"write {number}, or quote it if it is text"
