"""Name of a call → the rule for its cost. The one place where the families meet."""

from collections.abc import Mapping, Sequence

from kbuild.plan.cost.cost import UNKNOWN, Cost
from kbuild.plan.plan import Shape


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
    """
    return UNKNOWN
