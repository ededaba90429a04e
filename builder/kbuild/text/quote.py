"""One value → the characters of a YAML scalar that reads back equal, quoted only where it must be."""

import json
import math
import re

from kbuild.text.scalar import ScalarError, Value, resolve

LARGEST = 2**63 - 1

# What may stand unquoted between brackets; outside them a comma may, too. Braces never: `${…}` is always shown quoted.
_PLAIN = re.compile(r"(?![-?:,&*!|>%@`#'\"=]|\.\.\.)[^\s{}\[\],](?:[^\r\n\t{}\[\],]*[^\s{}\[\],:])?")
_DASHED = re.compile(r"-[^\s\-{}\[\],](?:[^\r\n\t{}\[\],]*[^\s{}\[\],:])?")
_NOT_PLAIN = re.compile(
    r": |:$| #|[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]"
)
_ESCAPED = re.compile(r"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")


def scalar_text(value: Value, *, in_brackets: bool = True) -> str:
    """The scalar on one line.

    Args:
        in_brackets: a comma ends the scalar there.

    Raises:
        ValueError: an infinity, a NaN, an integer beyond ±(2**63 - 1), or a text with half a surrogate pair: `read`
            takes none of them.

    >>> scalar_text(1e-05), scalar_text("1e-5"), scalar_text("${a + 1}")
    ('1e-5', '"1e-5"', '"${a + 1}"')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise ValueError(f"an integer of {value.bit_length()} bits cannot be written")
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    return value if _is_plain(value, in_brackets) else quoted(value)


def quoted(text: str) -> str:
    """The text in double quotes, as JSON would write it."""
    text.encode()
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def block_text(text: str) -> list[str] | None:
    """The lines of a text of several lines as a block: `|` or `|-`, then the lines; None if it needs quotes.

    A block keeps no trailing spaces from people's eyes and no leading ones from the reader's guess at the indentation.
    """
    body = text.removesuffix("\n")
    rows = body.split("\n")
    if "\n" not in text or _ESCAPED.search(text) or not body:
        return None
    if rows[0][:1] in ("", " ") or not rows[-1] or any(row != row.rstrip() for row in rows):
        return None
    return ["|" if text.endswith("\n") else "|-", *rows]


def _float(value: float) -> str:
    """The shortest decimal that reads back bit-equal, as `repr` finds it, its exponent without padding."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    mantissa, _, exponent = repr(float(value)).partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _is_plain(text: str, in_brackets: bool) -> bool:
    outline = text if in_brackets else text.replace(",", ".")
    if not (_PLAIN.fullmatch(outline) or _DASHED.fullmatch(outline)) or text[:1] == "," or _NOT_PLAIN.search(text):
        return False
    try:
        return resolve(text) == text and text != "<<"
    except ScalarError:
        return False
