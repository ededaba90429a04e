"""`keras.ops` that compare two tensors: crossentropies and the like."""

from kbuild.plan.shapes.batched import one, operand
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.indexing import no_list
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def binary(given: Given) -> Shapes:
    """Two tensors of one shape → that shape."""
    target, output = _two(given)
    _same(given, target, output, output)
    return one(output)


def categorical(given: Given) -> Shapes:
    """Two tensors (…, classes) → (…)."""
    target, output = _two(given)
    _same(given, target, output, output)
    return one(output[:-1]) if len(output) > 1 else (None,)


def sparse(given: Given) -> Shapes:
    """Classes (…) or (…, 1), and (…, classes) → (…)."""
    target, output = _two(given)
    axis = given.axis("axis", -1, len(output))
    rest = (*output[:axis], *output[axis + 1 :])
    if len(target) == len(output) and target[-1] == 1:
        target = target[:-1]
    _same(given, target, rest, output)
    return one(rest, None if axis == 0 else 0)


def over_time(given: Given) -> Shapes:
    """`ctc_loss`: one number for each example."""
    _two(given)
    return ((),)


def decoded(given: Given) -> Shapes:
    """`ctc_decode` gives sequences and scores, whose lengths depend on the values."""
    raise UnknownShape(2)


def whole(given: Given) -> Shapes:
    """`psnr` and `allclose`: one number for the whole batch."""
    operand(given, 0, "x1")
    operand(given, 1, "x2")
    return (None,)


def _two(given: Given) -> tuple[Known, Known]:
    target, first = operand(given, 0, "target")
    output, second = operand(given, 1, "output")
    if not first or not second:
        raise no_list(given, "output" if first else "target")
    return target, output


def _same(given: Given, one: Known, other: Known, output: Known) -> None:
    if one != other:
        raise ShapeMistake(
            f"`{given.name}` needs a target of {show(other[1:])} for an output of {show(output[1:])} "
            f"but gets {show(one[1:])}",
            "bring them to one shape with `Reshape`",
        )


RULES: dict[str, Rule] = {
    "binary_crossentropy": binary,
    "categorical_crossentropy": categorical,
    "sparse_categorical_crossentropy": sparse,
    "ctc_loss": over_time,
    "ctc_decode": decoded,
    **dict.fromkeys(("psnr", "allclose"), whole),
}
