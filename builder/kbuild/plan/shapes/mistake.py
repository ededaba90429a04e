"""The error of a shape rule, and how shapes and values are written in it."""

from collections.abc import Sequence

from kbuild.spec.call import Call, Nested


class ShapeMistake(Exception):
    """Inputs or arguments that do not fit. A user's mistake: `expand` turns it into a `Problem` at the entry.

    Args:
        message: what is wrong, in one line, names in backticks, no final period.
        help: the next action.
        argument: the argument whose value is the mistake, if it is one alone.
        wanted, got: what the axes of an input must be called, and its shape, where another number of axes is wanted.
    """

    def __init__(
        self,
        message: str,
        help: str | None = None,
        argument: str | None = None,
        *,
        wanted: Sequence[str] = (),
        got: tuple[int | None, ...] | None = None,
    ):
        super().__init__(message)
        self.wanted = tuple(wanted)
        self.got = got
        self.argument = argument
        self.message = message
        self.help = help


class UnknownShape(Exception):
    """Not enough is known for a rule; it never leaves `shapes_of`.

    Args:
        outputs: how many tensors come out all the same, None if that too is unknown.
    """

    def __init__(self, outputs: int | None = 1):
        super().__init__(outputs)
        self.outputs = outputs


def show(shape: Sequence[object] | None) -> str:
    """A shape as people write it: `(28, 28, 1)`, an unknown size as `?`.

    >>> show((None, 64)), show((8,)), show(None)
    ('(?, 64)', '(8,)', '(?)')
    """
    if shape is None:
        return "(?)"
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def show_value(value: object) -> str:
    """A value as it stands in a spec: `true`, `null`, `[2, 2]`, `same`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Call):
        return f"`{value.name}`"
    if isinstance(value, Nested):
        return "a block"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(show_value(item) for item in value)}]"
    return f"`{value}`" if isinstance(value, str) else str(value)
