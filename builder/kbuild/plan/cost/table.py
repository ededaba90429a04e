"""Name of a call → the rule for its cost. The one place where the families meet."""

from collections.abc import Mapping, Sequence

from kbuild.plan.cost import (
    activation,
    arrange,
    attention,
    convolution,
    dense,
    einsum_dense,
    keep,
    merge,
    normalization,
    ops,
    own,
    pooling,
    preprocessing,
    recurrent,
    wrapper,
)
from kbuild.plan.cost.cost import UNKNOWN, Cost
from kbuild.plan.cost.use import Rule, Use
from kbuild.plan.plan import Plan, Shape
from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.plan.shapes.given import Given
from kbuild.plan.shapes.mistake import UnknownShape
from kbuild.spec.call import Call, Nested

_LAYERS = (
    dense,
    einsum_dense,
    convolution,
    pooling,
    normalization,
    activation,
    keep,
    merge,
    arrange,
    attention,
    recurrent,
    wrapper,
    preprocessing,
    own,
)

RULES: dict[str, dict[str, Rule]] = {
    "layers": {name: rule for family in _LAYERS for name, rule in family.RULES.items()},
    "ops": ops.RULES,
}
"""By namespace, by the name of the class or function."""


def cost_of(
    name: str,
    args: Mapping[str, object],
    inputs: Sequence[object],
    outputs: tuple[Shape, ...] | None,
    kwinputs: Mapping[str, object] | None = None,
    namespace: str = "layers",
) -> Cost:
    """The cost of one call.

    Args:
        name: class name, or for the namespace `ops` the function's.
        args: the call's arguments as the user gave them, by name; defaults left out.
        inputs: shapes given by position, without the batch axis; a list stands for several tensors in one argument.
        outputs: what `shapes_of` said.
        kwinputs: shapes and literals given by name.
        namespace: `layers` or `ops`; others have no rules.

    Returns:
        UNKNOWN where there is no rule or a size is unknown; a rule may know some of the four numbers.

    Example:
        >>> cost_of("Dense", {"units": 10}, [(64,)], ((10,),))
        Cost(trainable=650, frozen=0, flops=1290, kept=10)
    """
    found = RULES.get(namespace, {}).get(name)
    if found is None or _quantized(args):
        return Cost(0, 0, None, None) if namespace == "ops" else UNKNOWN
    label = f"ops.{name}" if namespace == "ops" else name
    try:
        return found(Use(Given(label, args, inputs, kwinputs or {}, shapes_of), outputs, inside))
    except (UnknownShape, ShapeMistake):
        return UNKNOWN


def inside(layer: object, shape: Shape) -> tuple[Cost, Shape]:
    """The cost of a layer inside another, and the shape of what it gives: unknown for what is no layer."""
    if isinstance(layer, Nested) and isinstance(layer.plan, Plan):
        from kbuild.plan.cost.costs import costs

        ends = list(layer.plan.outputs.values())
        return costs(layer.plan).total, layer.plan.shape(ends[0]) if len(ends) == 1 else None
    if not isinstance(layer, Call):
        return UNKNOWN, None
    try:
        shapes = shapes_of(layer.name, layer.args, [shape], namespace=layer.namespace)
    except ShapeMistake:
        return UNKNOWN, None
    found = cost_of(layer.name, layer.args, [shape], shapes, namespace=layer.namespace)
    return found, shapes[0] if shapes else None


def _quantized(args: Mapping[str, object]) -> bool:
    """Whether the layer packs its weights: Keras then makes other ones."""
    policy = args.get("dtype")
    return args.get("quantization_config") is not None or not (
        policy is None or (isinstance(policy, str) and "_from_" not in policy)
    )
