"""What YAML and JSON have in common: a document as a flat run of `Event`s, in the order in which it is written."""

from typing import Literal, NamedTuple


class Event(NamedTuple):
    """One step through a document. Offsets count characters of the source from 0, `end` exclusive.

    Args:
        kind: `map` and `list` open a collection, `end` closes the innermost one.
        end: of `map` and `list`, that of the opening mark; of the `end` of a block collection, unknown.
        text: the value of a scalar, the name of an alias.
        quoted: the scalar is a string whatever it says.
        flow: the collection stands in brackets.
    """

    kind: Literal["scalar", "alias", "map", "list", "end"]
    start: int
    end: int
    text: str = ""
    quoted: bool = False
    flow: bool = True
    anchor: str | None = None
    tag: str | None = None
