"""What a shape rule works on: the arguments and the shapes of one call, read with checks that name the argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kbuild.plan.plan import Shape
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show, show_value

Known = tuple[int | None, ...]
"""A shape whose rank is known, without the batch axis unless a rule says otherwise."""

Shapes = tuple[Shape, ...] | None
REQUIRED = object()


class ShapesOf(Protocol):
    """The function `shapes_of`, for rules of layers that wrap others."""

    def __call__(
        self,
        name: str,
        args: Mapping[str, object],
        inputs: Sequence[object],
        kwinputs: Mapping[str, object] = ...,
        namespace: str = ...,
    ) -> Shapes:
        """See `kbuild.plan.shapes.table`."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """One call.

    Args:
        name: the class name, or `ops.` and the function name.
        args: as the user wrote them; defaults are the rules'.
        inputs: shapes given by position: a tuple is a shape, a list several tensors in one argument, None unknown.
        kwinputs: the same by name; literals (`return_attention_scores`) may be among them.
        of: `shapes_of`, for wrapped layers.
    """

    name: str
    args: Mapping[str, object]
    inputs: Sequence[object]
    kwinputs: Mapping[str, object] = field(default_factory=dict)
    of: ShapesOf | None = None

    def tensor(self, position: int = 0, name: str | None = None, *, outputs: int | None = 1) -> Known:
        """The shape of one input.

        Args:
            position: among the inputs given by position.
            name: its name in `call`; None takes the first one given by name if none is given by position.
            outputs: how many outputs the layer has when this shape is unknown.

        Raises:
            ShapeMistake: there is no such input, or a list where one tensor is taken.
        """
        value = self.find(position, name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list):
            raise ShapeMistake(
                f"`{self.name}` takes one input but gets {len(value)}",
                "join them first, with `Concatenate` or `Add`",
            )
        if value is None:
            raise UnknownShape(outputs)
        if not isinstance(value, tuple):
            raise ShapeMistake(f"`{self.name}` needs a tensor as input, not {show_value(value)}")
        return value

    def tensors(self, least: int = 1, exactly: int | None = None) -> list[Known]:
        """The shapes of a list of inputs, as merging layers take them.

        Raises:
            ShapeMistake: no list, or too few or too many.
        """
        value = self.find(0, None)
        if not isinstance(value, list):
            raise ShapeMistake(
                f"`{self.name}` needs a list of inputs but gets one tensor",
                "name them: `from: [a, b]`",
            )
        wanted = f"{exactly}" if exactly else f"at least {least}"
        if len(value) < least or (exactly and len(value) != exactly):
            raise ShapeMistake(f"`{self.name}` needs {wanted} inputs but gets {len(value)}")
        known = [shape for shape in value if isinstance(shape, tuple)]
        if len(known) < len(value):
            raise UnknownShape
        return known

    def find(self, position: int, name: str | None) -> object:
        """An input as it was given: a tuple, a list, a literal, or None for an unknown shape."""
        if position < len(self.inputs):
            return self.inputs[position]
        if name is not None and name in self.kwinputs:
            return self.kwinputs[name]
        if name is None and position == 0 and self.kwinputs:
            return next(iter(self.kwinputs.values()))
        wanted = f"the input `{name}`" if name else "an input"
        raise ShapeMistake(f"`{self.name}` needs {wanted}", "name it with `from`")

    def has(self, position: int, name: str) -> bool:
        """Whether an optional input is given, and is not null."""
        if position < len(self.inputs):
            return True
        return self.kwinputs.get(name) is not None

    def raw(self, arg: str, default: object = REQUIRED) -> object:
        """An argument as written. A missing required one leaves the shape unknown: the signature has said so."""
        value = self.args.get(arg, default)
        if value is REQUIRED:
            raise UnknownShape
        return value

    def whole(self, arg: str, default: object = REQUIRED, *, least: int | None = 1) -> int:
        """A whole number of at least `least`."""
        value = self.raw(arg, default)
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            limit = "" if least is None else f" of at least {least}"
            raise self.wrong(arg, f"a whole number{limit}", value)
        return value

    def sizes(self, arg: str, rank: int, default: object = REQUIRED, *, least: int = 1) -> tuple[int, ...]:
        """`rank` whole numbers of at least `least`; one alone stands for all of them."""
        value = self.raw(arg, default)
        items = numbers([value] * rank if isinstance(value, int) else value, least)
        if items is None or len(items) != rank:
            several = "" if rank == 1 else f" or a list of {rank}"
            raise self.wrong(arg, f"a whole number of at least {least}{several}", value)
        return items

    def choice(self, arg: str, default: str, options: Sequence[str]) -> str:
        """One of `options`."""
        value = self.raw(arg, default)
        if not isinstance(value, str) or value.lower() not in options:
            raise self.wrong(arg, " or ".join(f"`{option}`" for option in options), value)
        return value.lower()

    def flag(self, arg: str) -> bool:
        """A switch, off by default, given as an argument or at call time."""
        return self.args.get(arg) is True or self.kwinputs.get(arg) is True

    def channels_first(self) -> bool:
        """Whether `data_format` puts the channels before the rows."""
        if self.args.get("data_format") is None:
            return False
        return self.choice("data_format", "channels_last", ("channels_last", "channels_first")) == "channels_first"

    def axis(self, arg: str, default: object, rank: int) -> int:
        """The one axis that `arg` names, as a non-negative number. Raises ShapeMistake, also for several or none."""
        found = self.axes(arg, default, rank)
        if len(found) != 1:
            raise self.wrong(arg, "one whole number", self.raw(arg, default))
        return found[0]

    def axes(self, arg: str, default: object, rank: int) -> tuple[int, ...]:
        """Axes as non-negative numbers. Keras counts the batch axis as 0, and so does `rank`.

        Raises:
            ShapeMistake: no whole number, or beyond the rank.
        """
        value = self.raw(arg, default)
        found = []
        for axis in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(axis, bool) or not isinstance(axis, int):
                raise self.wrong(arg, "a whole number", value)
            if not -rank <= axis < rank:
                raise ShapeMistake(
                    f"`{self.name}` has no axis {axis}: its input has {rank} axes, the batch included",
                    f"axes go from {-rank} to {rank - 1}; axis 0 is the batch",
                )
            found.append(axis % rank)
        return tuple(found)

    def wrong(self, arg: str, wanted: str, value: object) -> ShapeMistake:
        """The mistake that an argument has a value Keras does not take."""
        help = "for a whole number write `//` instead of `/`" if isinstance(value, float) else None
        return ShapeMistake(f"`{arg}` of `{self.name}` must be {wanted}, not {show_value(value)}", help, arg)

    def rank(self, shape: Known, words: Sequence[str]) -> None:
        """Checks that a shape has one size for each word.

        Raises:
            ShapeMistake: naming the axes that are needed, with the way out.
        """
        if len(shape) != len(words):
            wanted = f"({words[0]},)" if len(words) == 1 else f"({', '.join(words)})"
            raise ShapeMistake(
                f"`{self.name}` needs {wanted} but gets {show(shape)}",
                _remedy(shape, words),
                wanted=words,
                got=shape,
            )


Rule = Callable[[Given], Shapes]


def numbers(value: object, least: int | None = None) -> tuple[int, ...] | None:
    """A list of whole numbers of at least `least`, or one alone; None if it is none."""
    items = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(n for n in items if isinstance(n, int) and not isinstance(n, bool) and (least is None or n >= least))
    return found if len(found) == len(items) else None


def _remedy(shape: Known, words: Sequence[str]) -> str:
    missing = len(words) - len(shape)
    if missing == 1 and shape.count(None) <= 1 and shape:
        sizes = ["-1" if size is None else str(size) for size in shape]
        sizes = ["1", *sizes] if words[0] == "channels" else [*sizes, "1"]
        return f"put a `Reshape: [{', '.join(sizes)}]` in front of it"
    if missing > 0:
        return f"put a `Reshape` to ({', '.join(words)}) in front of it"
    if words == ("features",):
        return "put a `Flatten` or a global pooling layer in front of it"
    if missing == -1:
        return "wrap it in `TimeDistributed`, or put a `Reshape` in front of it"
    return f"put a `Reshape` to ({', '.join(words)}) in front of it"
