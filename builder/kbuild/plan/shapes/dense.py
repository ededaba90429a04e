"""Dense, EinsumDense and embeddings: what maps features to features."""

import re

from kbuild.plan.shapes.given import Given, Known, Rule, Shapes, numbers
from kbuild.plan.shapes.mistake import ShapeMistake, show


def dense(given: Given) -> Shapes:
    """(…, features) → (…, units)."""
    units = given.whole("units")
    shape = given.tensor()
    if not shape:
        raise ShapeMistake(
            f"`{given.name}` needs (features,) but gets single numbers",
            "put a `Reshape: [1]` in front of it",
        )
    return ((*shape[:-1], units),)


def embedding(given: Given) -> Shapes:
    """(…,) whole numbers → (…, output_dim); `ReversibleEmbedding` with `reverse`: (…, output_dim) → (…, input_dim)."""
    entries, size = given.whole("input_dim"), given.whole("output_dim")
    shape = given.tensor()
    if given.name == "ReversibleEmbedding" and given.flag("reverse"):
        return ((*shape[:-1], entries),)
    return ((*shape, size),)


def einsum_dense(given: Given) -> Shapes:
    """`ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`: `output_shape`, and the axes that `...` stands for."""
    equation, size = given.raw("equation"), given.raw("output_shape")
    full = (None, *given.tensor())
    match = isinstance(equation, str) and re.fullmatch(
        r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)(\.{3})?",
        equation,
    )
    if not match or (match[1], match[3]) != (match[5], match[7]) or (match[1] and match[3]):
        raise given.wrong(
            "equation",
            "of the form `ab,bc->ac`, `...b,bc->...c` or `ab...,bc->ac...`",
            equation,
        )
    left, inputs, weights, outputs = bool(match[1]), match[2], match[4], match[6]
    elided = len(full) - len(inputs)
    if elided < 0 or (elided and not (left or match[3])):
        raise ShapeMistake(
            f"`{equation}` names {len(inputs)} axes but the input has {len(full)}, the batch included: {show(full)}"
        )
    out = [full[0], *_sizes(given, size)]
    if left:
        out[1:1] = full[1:elided]
    elif elided:
        out += full[-elided:]
    _check(given, (full, inputs), (tuple(out), outputs), weights, elided if left else 0)
    return (tuple(out[1:]),)


def _sizes(given: Given, value: object) -> list[int | None]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if numbers([0 if item is None else item for item in items]) is None:
        raise given.wrong("output_shape", "a whole number or a list of them", value)
    return [item if isinstance(item, int) else None for item in items]


def _check(
    given: Given,
    took: tuple[Known, str],
    gives: tuple[Known, str],
    weights: str,
    shift: int,
) -> None:
    (full, inputs), (out, outputs) = took, gives
    if len(out) != len(outputs) + len(full) - len(inputs):
        letters = outputs if shift else outputs[1:]
        raise ShapeMistake(
            f"`output_shape` of `{given.name}` must have {len(letters)} sizes, one for each of `{letters}`"
        )
    for index, letter in enumerate(inputs):
        if letter in outputs:
            here, there = full[index + shift], out[outputs.index(letter) + shift]
            if there is not None and here is not None and here != there:
                raise ShapeMistake(
                    f"axis `{letter}` of `{given.name}` has {here} in its input but {there} in `output_shape`"
                )
    for letter in outputs:
        if letter not in inputs + weights:
            raise ShapeMistake(f"axis `{letter}` of `{given.name}` stands in its output but in no input")
    for letter in weights:
        if letter not in inputs + outputs:
            raise ShapeMistake(f"axis `{letter}` of `{given.name}` stands in its weights only")
        names, sizes = (outputs, out) if letter in outputs else (inputs, full)
        place = names.index(letter) + shift
        if place == 0 or (letter not in inputs and sizes[place] is None):
            what = "is the batch" if place == 0 else "has no size in `output_shape`"
            raise ShapeMistake(
                f"axis `{letter}` of `{given.name}` stands in its weights but {what}", "weights need fixed sizes"
            )


RULES: dict[str, Rule] = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Embedding": embedding,
    "ReversibleEmbedding": embedding,
}
