"""(Plan, tensor) → the activation that it went through last, as far as the plan tells."""

from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref
from kbuild.spec.call import Call
from kbuild.spec.names import snake_case
from kbuild.spec.signature import signature

_HANDING_ON = frozenset({"Flatten", "Reshape", "Permute", "Identity", "ActivityRegularization", "Dropout", "Squeeze"})
_OWN = frozenset({"Softmax", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU"})


def last_activation(plan: Plan, ref: Ref) -> str | None:
    """`softmax`, `sigmoid`, …; `linear` where a layer that could have one has none; None where it cannot be told."""
    step = plan.step(ref.step)
    while step is not None:
        call = step.call
        if call.namespace == "ops":
            return call.name if call.name in {"softmax", "sigmoid", "relu", "tanh", "log_softmax"} else None
        if call.name in _OWN:
            return snake_case(call.name)
        if call.name == "Activation" or "activation" in call.args:
            return _name(call.args.get("activation", "linear"))
        if call.namespace == "applications":
            return (
                _name(call.args.get("classifier_activation", "softmax")) if call.args.get("include_top", True) else None
            )
        found = signature("layers", call.name)
        default = next((p.default for p in found.parameters if p.name == "activation"), "absent") if found else "absent"
        if default != "absent":
            return "linear" if default is None else str(default)
        before = tensors(step)
        if call.name not in _HANDING_ON or not before:
            return None
        step = plan.step(before[0].step)
    return None


def _name(value: object) -> str:
    if isinstance(value, Call):
        return snake_case(value.name)
    return "linear" if value is None else str(value)
