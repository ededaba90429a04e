"""Plan → what a program reads of it, and its names for people: JSON values, one line, the name of a tensor."""

from collections.abc import Mapping

from kbuild.plan.cost.cost import Costs
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Shape, Step
from kbuild.spec.call import Call, Nested, Value


def summary(plan: Plan) -> str:
    """`7 layers, 8×8×1 → 10`."""
    count = len({step.layer for step in plan.steps})
    return f"{count} layer{'' if count == 1 else 's'}, {_ends([i.shape for i in plan.inputs], 'inputs')} → " + _ends(
        [plan.shape(ref) for ref in plan.outputs.values()], "outputs"
    )


def as_json(plan: Plan, costs: Costs | None = None) -> dict[str, object]:
    """What `show --json` prints. Shapes are without the batch axis, None is an unknown size, shape or number."""
    known = costs.steps if costs else {}
    return {
        "name": plan.name,
        "inputs": {entry.name: {"shape": _list(entry.shape), "dtype": entry.dtype} for entry in plan.inputs},
        "layers": [
            {
                "name": step.name,
                "call": step.call.name if step.call.namespace != "ops" else f"ops.{step.call.name}",
                "arguments": {key: plain(value) for key, value in step.call.args.items()},
                "from": _sources(plan, step),
                "output_shape": _output(step),
                "params": known[step.name].params if step.name in known else None,
                "flops": known[step.name].flops if step.name in known else None,
                "path": step.path,
            }
            for step in plan.steps
        ],
        "outputs": {
            name: {"from": refer(plan, ref), "shape": _list(plan.shape(ref))} for name, ref in plan.outputs.items()
        },
    }


def plain(value: Value) -> object:
    """A value with its calls written as in a spec, ready for JSON."""
    if isinstance(value, Call):
        return {value.name: {key: plain(item) for key, item in value.args.items()}} if value.args else value.name
    if isinstance(value, Nested):
        return as_json(value.plan) if isinstance(value.plan, Plan) else None
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def refer(plan: Plan, ref: Ref) -> str:
    """A tensor by the name that a spec would give it: `conv`, `enc.h`, `enc[1]` where it has none."""
    step = plan.step(ref.step)
    if step is None:
        return ref.step
    names = ("", *step.nodes) if step.nodes else step.names
    if ref.index < len(names):
        name = names[ref.index]
        return f"{ref.step}.{name}" if name not in {"", "_"} else f"{ref.step}[{ref.index}]" if ref.index else ref.step
    return f"{ref.step}[{ref.index}]" if ref.index else ref.step


def _sources(plan: Plan, step: Step) -> list[str]:
    return [refer(plan, ref) for ref in tensors(step)]


def _output(step: Step) -> object:
    """One shape as a list of sizes, several as a list of lists."""
    if step.shapes is None:
        return None
    return _list(step.shapes[0]) if len(step.shapes) == 1 else [_list(shape) for shape in step.shapes]


def _list(shape: Shape) -> list[int | None] | None:
    return None if shape is None else list(shape)


def _ends(shapes: list[Shape], what: str) -> str:
    if len(shapes) != 1:
        return f"{len(shapes)} {what}"
    return "?" if shapes[0] is None else "×".join("?" if size is None else str(size) for size in shapes[0]) or "1"
