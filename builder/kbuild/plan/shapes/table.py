"""Name of a call → the rule for its shapes. The one place where the families meet."""

from collections.abc import Mapping, Sequence

from kbuild.plan.plan import Shape
from kbuild.plan.shapes import (
    attention,
    axes,
    border,
    convolution,
    dense,
    einsum,
    elementwise,
    indexing,
    joining,
    keep,
    losses,
    matrices,
    merge,
    normalization,
    own,
    pooling,
    preprocessing,
    products,
    recurrent,
    reduction,
    reshape,
    signal,
    spectrogram,
    transposed,
    windows,
    wrapper,
)
from kbuild.plan.shapes.given import Given, Rule
from kbuild.plan.shapes.mistake import UnknownShape

_LAYERS = (
    dense,
    convolution,
    transposed,
    pooling,
    normalization,
    keep,
    merge,
    reshape,
    border,
    attention,
    recurrent,
    wrapper,
    preprocessing,
    spectrogram,
    own,
)
_OPS = (elementwise, reduction, axes, joining, indexing, einsum, products, matrices, windows, signal, losses)

RULES: dict[str, dict[str, Rule]] = {
    "layers": {name: rule for family in _LAYERS for name, rule in family.RULES.items()},
    "ops": {name: rule for family in _OPS for name, rule in family.RULES.items()},
}
"""By namespace, by the name of the class or function."""


def shapes_of(
    name: str,
    args: Mapping[str, object],
    inputs: Sequence[object],
    kwinputs: Mapping[str, object] | None = None,
    namespace: str = "layers",
) -> tuple[Shape, ...] | None:
    """The shapes of what a call gives, without the batch axis.

    Args:
        name: class name, or for the namespace `ops` the function's.
        args: the call's arguments as the user gave them, by name; defaults left out.
        inputs: shapes given by position; a list stands for several tensors in one argument.
        kwinputs: shapes and literals given by name.
        namespace: `layers` or `ops`; others have no rules.

    Returns:
        One shape for each tensor that comes out, None for one that is unknown. None if not even their number is known.

    Raises:
        ShapeMistake: the inputs or the arguments do not fit, and Keras would refuse them too.

    Example:
        >>> shapes_of("Conv2D", {"filters": 8, "kernel_size": 3}, [(28, 28, 1)])
        ((26, 26, 8),)
        >>> shapes_of("LSTM", {"units": 4, "return_state": True}, [(10, 3)])
        ((4,), (4,), (4,))
    """
    return reckoned(name, args, inputs, kwinputs, namespace)[0]


def reckoned(
    name: str,
    args: Mapping[str, object],
    inputs: Sequence[object],
    kwinputs: Mapping[str, object] | None = None,
    namespace: str = "layers",
) -> tuple[tuple[Shape, ...] | None, bool]:
    """As `shapes_of`; and whether the result of an operation is known to have no batch in front.

    A rule that does not know says so with `UnknownShape`; None in what it returns is a tensor without a batch.
    """
    rule = RULES.get(namespace, {}).get(name)
    if rule is None:
        return None, False
    label = f"ops.{name}" if namespace == "ops" else name
    try:
        shapes = rule(Given(label, args, inputs, kwinputs or {}, shapes_of))
    except UnknownShape as unknown:
        return None if unknown.outputs is None else (None,) * unknown.outputs, False
    return shapes, namespace == "ops" and shapes is not None and None in shapes


def takes_any_batch(name: str) -> bool:
    """Whether a layer may be given a tensor that has no row for each example: value by value, merged, or a penalty."""
    rule = RULES["layers"].get(name)
    return rule is None or rule is keep.same or name in merge.RULES or name == "AddLoss"
