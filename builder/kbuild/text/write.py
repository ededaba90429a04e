"""Node → canonical YAML, laid out as a person would: short collections in brackets, the others in blocks."""

import re
from collections.abc import Iterator

from kbuild.text.node import Mapping, Node, Plain, Scalar, Sequence
from kbuild.text.node import node as as_node
from kbuild.text.quote import block_text, quoted, scalar_text

WIDTH = 100

_LIST_WIDTH = 60
# YAML looks for the colon of a simple key within 1,024 characters.
_KEY = 1000


def write(value: Node | Plain, *, comments: str = "") -> str:
    """YAML that `read` gives back as an equal value, keys in the same order.

    Args:
        value: at most 64 levels deep; plain lists, dicts with string keys and scalars are taken too.
        comments: lines to stand above the value, each after a `# `.

    Returns:
        Text that ends in a line break.

    Raises:
        ValueError: for a number or a text that YAML cannot hold here: see `scalar_text`.

    >>> print(write({"model": ["Flatten", {"Dense": {"units": 10, "activation": "softmax"}}]}), end="")
    model:
      - Flatten
      - Dense: {units: 10, activation: softmax}
    """
    tree = value if isinstance(value, Scalar | Sequence | Mapping) else as_node(value)
    head = [f"# {_harmless(row)}".rstrip() for row in comments.splitlines()]
    return "\n".join([*head, *_top(tree)]) + "\n"


def _top(node: Node) -> list[str]:
    if isinstance(node, Mapping) and node.pairs:
        return [row for key, value in node.pairs for row in _pair(key, value, WIDTH, is_top=True)]
    if isinstance(node, Sequence) and node.items:
        return _items(node, WIDTH)
    return [_flow(node)]


def _block(node: Node, room: int) -> list[str]:
    """The rows of a collection that does not fit in brackets, `room` columns wide."""
    if isinstance(node, Mapping):
        return [row for key, value in node.pairs for row in _pair(key, value, room)]
    assert isinstance(node, Sequence)
    return _items(node, room)


def _pair(key: Scalar, value: Node, room: int, is_top: bool = False) -> list[str]:
    name = _key(key)
    if len(name) > _KEY:
        return [f"? {name}", *_hung(": ", _item(value, room - 2))]
    if (text := _inline(value, room - len(name) - 2, is_top)) is not None:
        return [f"{name}: {text}"]
    if isinstance(value, Scalar):
        mark, *rows = block_text(str(value.value)) or [""]
        return [f"{name}: {mark}", *_indented(rows)]
    return [f"{name}:", *_indented(_block(value, room - 2))]


def _items(node: Sequence, room: int) -> list[str]:
    return [row for item in node.items for row in _hung("- ", _item(item, room - 2))]


def _item(node: Node, room: int) -> list[str]:
    """The rows of a list item, or of the value of a key that is too long for one line."""
    if isinstance(node, Mapping) and len(node) == 1:
        return _block(node, room)
    if (text := _inline(node, room)) is not None:
        return [text]
    if isinstance(node, Scalar):
        mark, *rows = block_text(str(node.value)) or [""]
        return [mark, *_indented(rows)]
    return _block(node, room)


def _inline(node: Node, room: int, is_top: bool = False) -> str | None:
    """The value on the line of its key or dash; None if it reads better as a block."""
    if isinstance(node, Scalar):
        is_block = isinstance(node.value, str) and block_text(node.value) is not None
        return None if is_block else scalar_text(node.value, in_brackets=False)
    height = _height(node, 3)
    if height > 2 or (is_top and isinstance(node, Mapping) and (height > 1 or len(node) > 3)):
        return None
    if height > 1 and isinstance(node, Sequence):
        room = min(room, _LIST_WIDTH)
        if is_top and any(isinstance(item, Mapping) for item in node.items):
            return None
    if len(node) * 3 > room or any(len(_key(key)) > room for key in _keys(node)):
        return None
    text = _flow(node)
    return text if len(text) <= room else None


def _keys(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            yield key
            yield from _keys(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _keys(item)


def _height(node: Node, limit: int) -> int:
    """How many collections stand in each other, counted up to `limit`; a text of several lines counts as too many."""
    if isinstance(node, Scalar):
        return limit if isinstance(node.value, str) and block_text(node.value) is not None else 0
    if limit <= 0:
        return 0
    children = node.items if isinstance(node, Sequence) else [value for _, value in node.pairs]
    return min(limit, 1 + max((_height(child, limit - 1) for child in children), default=0))


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return scalar_text(node.value)
    if isinstance(node, Sequence):
        return "[" + ", ".join(map(_flow, node.items)) + "]"
    return "{" + ", ".join(f"{_key(key)}: {_flow(value)}" for key, value in node.pairs) + "}"


def _key(key: Scalar) -> str:
    text = str(key.value)
    # A plain key that begins with a question mark or contains a colon would need more care than quotes cost.
    return quoted(text) if ":" in text else scalar_text(text)


def _indented(rows: list[str]) -> list[str]:
    return [f"  {row}" if row else row for row in rows]


def _hung(mark: str, rows: list[str]) -> list[str]:
    return [mark + rows[0], *_indented(rows[1:])]


def _harmless(comment: str) -> str:
    return re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", "�", comment)
