"""Operands of `keras.ops`: shapes with the batch axis in front, where functions count their axes from."""

from collections.abc import Sequence

from kbuild.plan.plan import Shape
from kbuild.plan.shapes.given import REQUIRED, Given, Known, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def operand(given: Given, position: int, name: str, *, outputs: int | None = 1) -> tuple[Known, bool]:
    """The full shape of an operand, and whether it is a tensor of the network (whose axis 0 is the batch) or a literal.

    Raises:
        UnknownShape: it is a tensor of unknown shape.
        ShapeMistake: there is none, or a list of tensors where one is taken.
    """
    literal = position >= len(given.inputs) and name not in given.kwinputs
    value = given.args.get(name, REQUIRED) if literal else given.find(position, name)
    if value is REQUIRED and position == 0 and given.kwinputs:
        return full(given, outputs=outputs), True
    if value is REQUIRED:
        raise ShapeMistake(
            f"`{given.name}` needs `{name}`",
            "give it as an input or as an argument",
        )
    if not literal and (value is None or isinstance(value, (tuple, list))):
        shape = given.tensor(position, name, outputs=outputs)
        return (None, *shape), True
    return written(value), False


def full(given: Given, *, outputs: int | None = 1) -> Known:
    """The first input, with the batch axis."""
    return (None, *given.tensor(outputs=outputs))


def listed(given: Given) -> list[Known]:
    """The list of tensors that is the first input, each with the batch axis."""
    return [(None, *shape) for shape in given.tensors()]


def unbatched(shape: Sequence[int | None], batch: int | None = 0) -> Shape:
    """A full shape without its batch axis; unknown unless `batch`, the axis where it is, is 0."""
    return tuple(shape[1:]) if shape and batch == 0 else None


def one(shape: Sequence[int | None], batch: int | None = 0) -> Shapes:
    """`unbatched`, as the only output."""
    return (unbatched(shape, batch),)


def broadcast(given: Given, operands: Sequence[tuple[Known, bool]]) -> Known:
    """The common shape, aligned from the last axis on (Keras: `broadcast_shapes`).

    Raises:
        ShapeMistake: sizes that differ, or one tensor's batch upon another's size.
    """
    if any(shape and not tensor for shape, tensor in operands):
        raise ShapeMistake(f"`{given.name}` takes numbers and tensors, not a list")
    out, tensor = operands[0]
    for shape, other_tensor in operands[1:]:
        if tensor and other_tensor:
            _batches(given, out, shape)
        out, tensor = _pair(given, out, shape), tensor or other_tensor
    if not any(is_tensor and len(shape) == len(out) for shape, is_tensor in operands):
        raise UnknownShape
    return out


def written(value: object) -> Known:
    """The shape of a number or a nested list as it stands."""
    sizes: list[int | None] = []
    while isinstance(value, (list, tuple)):
        sizes.append(len(value))
        value = value[0] if value else None
    return tuple(sizes)


def _pair(given: Given, one: Known, other: Known) -> Known:
    rank = max(len(one), len(other))
    left, right = ((1,) * (rank - len(shape)) + shape for shape in (one, other))
    out: list[int | None] = []
    for a, b in zip(left, right, strict=True):
        if a == 1 or (a is None and b != 1):
            out.append(b)
        elif b in (1, None, a):
            out.append(a)
        else:
            raise ShapeMistake(
                f"`{given.name}` cannot broadcast {show(one)} and {show(other)}, batch included: {a} against {b}",
                "sizes are compared from the last axis on, and must be equal or 1",
            )
    return tuple(out)


def _batches(given: Given, one: Known, other: Known) -> None:
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    met = longer[len(longer) - len(shorter)]
    if len(longer) > len(shorter) and met not in (None, 1):
        raise ShapeMistake(
            f"`{given.name}` would put the batch of {show(shorter[1:])} upon the size {met} of {show(longer[1:])}",
            "axes are compared from the last one on: give both equally many, with `ops.expand_dims` or `Reshape`",
        )
