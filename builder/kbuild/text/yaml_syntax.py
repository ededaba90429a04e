"""What PyYAML says of a syntax error → what the user did. Understands both its scanners, libyaml's and Python's."""

import re
from typing import NamedTuple


class Explanation(NamedTuple):
    """A syntax error in the user's words. Offsets count characters from 0, `end` exclusive.

    Args:
        opened: where the collection begins inside which the error stands, if that helps.
    """

    start: int
    end: int
    message: str
    help: str
    opened: int | None = None


def explain(text: str, at: int, began: int | None, context: str, problem: str) -> Explanation:
    """A syntax error of PyYAML, explained.

    Args:
        at: offset of its problem mark.
        began: offset of its context mark: where the thing begins that was being read.
        context: such as `while parsing a flow mapping`.
        problem: such as `did not find expected ',' or '}'`.
    """
    at = min(at, len(text))
    # Inside brackets a tab may indent.
    if ("flow" not in context or "token" in problem) and (tab := _tab(text, at)) is not None:
        return Explanation(tab, tab + 1, "a tab where only spaces may indent", "indent with spaces")
    for pattern, rule in _RULES:
        if re.search(pattern, f"{context}: {problem}"):
            return rule(text, at, at if began is None else began)
    reason = ", ".join(part for part in (context, problem) if part)
    return Explanation(at, at + 1, f"not valid YAML: {reason}", "quote the value if it is text")


def _tab(text: str, at: int) -> int | None:
    """Offset of a tab in the indentation of the line of `at`, if there is one."""
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    indent = re.compile(r"[ \t]*").match(text, start)
    found = text.find("\t", start, indent.end() if indent else start)
    return found if found >= 0 else None


def _line_end(text: str, at: int) -> int:
    found = re.compile(r"[^\r\n]*").match(text, at)
    return at + len(found[0].rstrip()) if found else at


def _is_first(text: str, at: int) -> bool:
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    return not text[start:at].strip(" -")


def _colon(text: str, at: int, began: int) -> Explanation:
    advice = "quote a value that contains `: `, and start a key in the column of the keys beside it"
    return Explanation(at, at + 1, "`:` cannot stand here: the value before it does not end as a key", advice)


def _quote(text: str, at: int, began: int) -> Explanation:
    return Explanation(began, began + 1, f"the quote {text[began]} is never closed", "close it at the end of the value")


def _escape(text: str, at: int, began: int) -> Explanation:
    start = text.rfind("\\", began, at + 1)
    shown = text[start : start + 2]
    advice = r"write `\\` for a backslash, or put the text in single quotes"
    return Explanation(start, start + len(shown), f"`{shown}` is no escape that can be read here", advice)


def _no_colon(text: str, at: int, began: int) -> Explanation:
    end = _line_end(text, began)
    first = text[began:end] if end - began <= 40 else text[began : began + 40] + "…"
    return Explanation(
        began, end, f"`{first}` stands where a key is expected", "write `key: value`, with a space after the colon"
    )


def _bracket(text: str, at: int, began: int) -> Explanation:
    closing = {"{": "}", "[": "]"}.get(text[began], "]")
    if text[at - 1 : at + 1] == "${":
        stop = text.find("}", at)
        end = stop + 1 if 0 <= stop < _line_end(text, at) else at + 1
        expression = text[at - 1 : end]
        return Explanation(
            at - 1, end, f"an expression inside brackets needs quotes: `{expression}`", f'write `"{expression}"`'
        )
    message = f"expected `,` or `{closing}`" + (" before the end of the text" if at >= len(text.rstrip()) else "")
    return Explanation(at, at + 1, message, f"close the `{text[began]}`, or put a comma between the values", began)


def _start(text: str, at: int, began: int) -> Explanation:
    what = "a backtick" if text[at] == "`" else f"`{text[at]}`"
    return Explanation(at, at + 1, f"an unquoted value cannot begin with {what}", "put the value in quotes")


def _text_block(text: str, at: int, began: int) -> Explanation:
    what = f"`{text[began]}` begins a block of text on the next line"
    return Explanation(began, _line_end(text, began), what, "put the value in quotes if it is one line of text")


def _directive(text: str, at: int, began: int) -> Explanation:
    end = max(_line_end(text, began), began + 1)
    return Explanation(began, end, f"the directive `{text[began:end]}` is not known", "remove it")


def _block(text: str, at: int, began: int) -> Explanation:
    end = max(_line_end(text, at), at + 1)
    if not _is_first(text, at):
        return Explanation(at, end, "text after the end of a value", "quote the whole value, or remove the rest")
    same_column = at - text.rfind("\n", 0, at) == began - text.rfind("\n", 0, began)
    if same_column and text.startswith("-", at):
        return Explanation(
            at, at + 1, "a list item stands among the keys of a map", "indent it, below the key it belongs to", began
        )
    if same_column and text.startswith("-", began):
        return Explanation(at, end, "a key stands among the items of a list", "begin it with `- `, or indent it", began)
    advice = "start it in the column of the line that it belongs with"
    return Explanation(at, end, "this line is indented unlike the lines around it", advice, began)


def _content(text: str, at: int, began: int) -> Explanation:
    what = f"`{text[at]}`" if at < len(text) and not text[at].isspace() else "the end of the line"
    return Explanation(at, at + 1, f"a value is missing before {what}", "write the value, `null` for none")


def _name(text: str, at: int, began: int) -> Explanation:
    mark = text[began]
    kind = "alias" if mark == "*" else "anchor"
    return Explanation(
        began, max(at, began + 1), f"`{mark}` begins the name of an {kind}", "put the value in quotes if it is text"
    )


def _tag(text: str, at: int, began: int) -> Explanation:
    return Explanation(
        began,
        max(_line_end(text, began), began + 1),
        "tags are not allowed",
        "remove the `!…`; quote the value if it is text",
    )


def _document(text: str, at: int, began: int) -> Explanation:
    return Explanation(
        at, max(_line_end(text, at), at + 1), "text after the end of the spec", "a file holds one map: remove the rest"
    )


def _dash(text: str, at: int, began: int) -> Explanation:
    return Explanation(at, at + 1, "a list item cannot begin here", "begin it on a line of its own, or write `[a, b]`")


def _question(text: str, at: int, began: int) -> Explanation:
    return Explanation(at, at + 1, "`?` begins a key and cannot stand here", "put the value in quotes if it is text")


_RULES = (
    (r"tag", _tag),
    (r"mapping values are not allowed|unexpected ':'", _colon),
    (r"sequence entries are not allowed", _dash),
    (r"mapping keys are not allowed", _question),
    (r"quoted scalar: found unexpected", _quote),
    (r"escape (character|code)|quoted scalar: expected escape sequence", _escape),
    (r"could not find expected ':'", _no_colon),
    (r"flow (mapping|sequence): .*expected ','", _bracket),
    (r"cannot start any token", _start),
    (r"block (mapping|collection)", _block),
    (r"node content", _content),
    (r"block scalar", _text_block),
    (r"directive|incompatible", _directive),
    (r"scanning an (anchor|alias)", _name),
    (r"<document start>", _document),
)
