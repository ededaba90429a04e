"""`ops.einsum`: shapes from the letters. Equations with `...` or repeated letters have no rule."""

from kbuild.plan.shapes.batched import one
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def einsum(given: Given) -> Shapes:
    """`bth,bsh->bts`: the size of each letter of the result. Where the first is not the batch's letter, unknown."""
    equation = given.raw("subscripts")
    if not isinstance(equation, str):
        raise given.wrong("subscripts", "an equation such as `bth,bsh->bts`", equation)
    left, arrow, result = equation.replace(" ", "").partition("->")
    letters = left.split(",")
    operands = _operands(given)
    if len(letters) != len(operands):
        raise ShapeMistake(
            f"`{equation}` has {len(letters)} operands but `ops.einsum` gets {len(operands)}",
            "write as many letters, parted by commas, as `from` names entries",
            "subscripts",
        )
    if not arrow or not all(one.isalpha() for one in (*letters, result)):
        raise UnknownShape
    sizes: dict[str, int | None] = {}
    for names, shape in zip(letters, operands, strict=True):
        if len(names) != len(shape):
            raise ShapeMistake(
                f"`{names}` names {len(names)} axes but the tensor has {len(shape)}, the batch included: {show(shape)}",
                "the first letter of each operand is that of the batch",
                "subscripts",
            )
        _learn(equation, sizes, names, shape)
    missing = [letter for letter in result if letter not in sizes]
    if missing:
        raise ShapeMistake(
            f"`{missing[0]}` stands in the result of `{equation}` but in no operand",
            "its size would not be known",
            "subscripts",
        )
    return one(
        [sizes[letter] for letter in result],
        0 if result[0] in {names[0] for names in letters} else None,
    )


def _operands(given: Given) -> list[Known]:
    items = given.inputs[0] if len(given.inputs) == 1 and isinstance(given.inputs[0], list) else given.inputs
    shapes: list[Known] = [(None, *item) for item in items if isinstance(item, tuple)]
    if len(shapes) < len(items):
        raise UnknownShape
    return shapes


def _learn(equation: str, sizes: dict[str, int | None], names: str, shape: Known) -> None:
    for letter, size in zip(names, shape, strict=True):
        known = sizes.get(letter)
        if None not in (known, size) and known != size and 1 not in (known, size):
            raise ShapeMistake(
                f"axis `{letter}` of `{equation}` has {known} in one operand and {size} in another",
                "each letter stands for one size; give axes of other sizes letters of their own",
                "subscripts",
            )
        if known is None or known == 1:
            sizes[letter] = size if known != 1 or size is not None else None


RULES: dict[str, Rule] = {"einsum": einsum}
