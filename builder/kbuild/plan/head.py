"""(Spec, Plan, Header) → Head for each output: the task, the loss and the metrics.

The one place where they are decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kbuild.data.header import Header, Target, Task
from kbuild.plan.activation import last_activation
from kbuild.plan.agree import (
    CATEGORICAL,
    EXCLUSIVE,
    SPARSE,
    Facts,
    disagreements,
    elementwise,
    wrong_places,
    wrong_sequence,
    wrong_shape,
    wrong_units,
)
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Shape
from kbuild.plan.shapes.keep import RULES as HAND_ON
from kbuild.spec.call import Call
from kbuild.spec.names import suggestion
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Span

PROBABILITIES = frozenset({"softmax", "sigmoid", "hard_sigmoid", "sparsemax", "sparse_sigmoid"})
_ON_LOGITS: Mapping[str, tuple[str, object]] = {
    "AUC": ("from_logits", True),
    "BinaryAccuracy": ("threshold", 0.0),
    "Precision": ("thresholds", 0.0),
    "Recall": ("thresholds", 0.0),
}


@dataclass(frozen=True, slots=True)
class Head:
    """What is learned at one output.

    Args:
        loss: None where nothing is compared: the network adds its losses itself.
        why: for people, how the loss was found: ``multiclass, 10 classes; logits``.
        logits: whether the output still needs a softmax or sigmoid to be probabilities.
    """

    output: str
    task: Task | None
    loss: Call | None
    weight: float = 1.0
    metrics: tuple[Call, ...] = ()
    classes: tuple[str, ...] = ()
    count: int | None = None
    why: str = ""
    logits: bool = False


def heads(spec: Spec, plan: Plan, header: Header | None) -> tuple[Head, ...]:
    """Decide for every output.

    Raises:
        SpecError: K220 for units that do not fit the classes, K221 for a loss that does not fit the labels, K223
            for one
            that does not fit the activation, K201 for outputs that are not there. All at once.
    """
    problems = _unknown(spec, plan)
    found: list[Head] = []
    for name, ref in plan.outputs.items():
        target = _target(name, plan, header, spec, problems)
        found.append(_head(spec, plan, name, ref, target, problems))
    if [p for p in problems if p.severity == "error"]:
        raise SpecError(problems)
    return tuple(found)


def _unknown(spec: Spec, plan: Plan) -> list[Problem]:
    problems: list[Problem] = []
    for key in ("loss", "loss_weights", "metrics"):
        value = getattr(spec.train, key)
        for name in value if isinstance(value, Mapping) else ():
            if name not in plan.outputs:
                problems.append(
                    Problem(
                        "K201",
                        f"`train.{key}` names the output `{name}`, which is not there",
                        spec.span(f"train.{key}.{name}"),
                        help=suggestion(name, plan.outputs),
                        path=f"train.{key}.{name}",
                    )
                )
    return problems


def _target(name: str, plan: Plan, header: Header | None, spec: Spec, problems: list[Problem]) -> Target | None:
    if header is None or not header.targets:
        return None
    if len(plan.outputs) == 1 and len(header.targets) == 1:
        return next(iter(header.targets.values()))
    if name in header.targets:
        return header.targets[name]
    if _loss(spec, name) is not None or (isinstance(spec.train.metrics, Mapping) and spec.train.metrics.get(name)):
        problems.append(
            Problem(
                "K217",
                f"the data have no target for the output `{name}`",
                spec.span("model.outputs"),
                help=suggestion(
                    name, header.targets, "name the targets as the outputs, or give this output the loss null"
                ),
            )
        )
    return None


def _loss(spec: Spec, name: str) -> Call | str | None:
    loss = spec.train.loss
    return loss.get(name) if isinstance(loss, Mapping) else loss


def _metrics(spec: Spec, name: str) -> tuple[Call, ...] | None:
    metrics = spec.train.metrics
    return metrics.get(name, ()) if isinstance(metrics, Mapping) else metrics


def _head(spec: Spec, plan: Plan, name: str, ref: Ref, target: Target | None, problems: list[Problem]) -> Head:
    activation = last_activation(plan, ref)
    shape = plan.shape(ref)
    units = shape[-1] if shape else None
    weight = float((spec.train.loss_weights or {}).get(name, 1.0))
    wanted = _loss(spec, name)
    task = target.task if target else None
    count = target.count if target else None
    span = _span(plan, ref) or spec.span("model")
    mixed = _mixes(spec)
    one_hot = bool(target and target.one_hot) or mixed
    facts = Facts(name, span, activation, task, units, count, one_hot, mixed)
    logits = activation not in PROBABILITIES and task in {"binary", "multiclass", "multilabel"}
    if isinstance(wanted, Call):
        problems += disagreements(wanted, wanted.span or spec.span("train.loss"), facts)
        logits = bool(wanted.args.get("from_logits", False))
        loss: Call | None = wanted
        why = f"{task or 'task not known'}, as written"
    elif wanted == "auto" and task is not None:
        problems += wrong_units(facts, one_will_do=True)
        loss, why = _automatic(task, activation, units, count, one_hot)
    else:
        loss, why = None, "no loss here" if wanted is None else "what the data hold is not known"
    if target is not None and target.task is not None and loss is not None and elementwise(loss):
        problems += wrong_shape(name, span, shape, _compared(plan, name, target), target.task, _took(plan, ref))
    elif target is not None and loss is not None and loss.name in ("CTC", "ctc"):
        problems += wrong_sequence(name, span, shape, target.shape)
    elif target is not None and loss is not None and _by_place(loss, task, one_hot):
        problems += wrong_places(name, span, shape, _compared(plan, name, target), one_hot, _took(plan, ref))
    metrics = _metrics(spec, name)
    if metrics is None:
        metrics = _usual(task, loss)
    metrics = tuple(_thresholds(metric, task, units, logits) for metric in metrics)
    return Head(name, task, loss, weight, metrics, target.classes if target else (), count, why, logits)


def _by_place(loss: Call, task: Task | None, one_hot: bool) -> bool:
    """Whether a row of probabilities belongs to each label; a sparse loss says so of labels that are not read yet."""
    known = task in EXCLUSIVE and loss.name in SPARSE | CATEGORICAL
    return known or (task is None and loss.name in SPARSE and not one_hot)


def _span(plan: Plan, ref: Ref) -> Span | None:
    step = plan.step(ref.step)
    if step is None:
        return None
    return step.used[0] if step.used and step.span and step.span.source.name.startswith("kbuild:") else step.span


def _mixes(spec: Spec) -> bool:
    """MixUp and CutMix turn labels into mixtures, which are vectors."""
    return any(call.name in {"MixUp", "CutMix"} for calls in spec.augment.values() for call in calls)


def _automatic(
    task: Task, activation: str | None, units: int | None, count: int | None, one_hot: bool
) -> tuple[Call, str]:
    logits = activation not in PROBABILITIES
    said = f"the last layer gives {'logits' if logits else f'probabilities ({activation})'}"
    args = {"from_logits": True} if logits else {}
    if task in {"regression", "reconstruction"}:
        return Call("losses", "MeanSquaredError"), f"{task}: mean squared error"
    if task == "multilabel" or (task == "binary" and units == 1):
        return Call("losses", "BinaryCrossentropy", args), f"{task}; {said}"
    if one_hot:
        return Call("losses", "CategoricalCrossentropy", args), f"{task}, {count} classes as vectors; {said}"
    return Call("losses", "SparseCategoricalCrossentropy", args), f"{task}, {count} classes; {said}"


def _usual(task: Task | None, loss: Call | None) -> tuple[Call, ...]:
    if loss is None or task is None or task == "reconstruction":
        return ()
    return (Call("identifier", "mae" if task == "regression" else "accuracy"),)


def _took(plan: Plan, ref: Ref) -> Shape:
    """What the layer got that gives an output its shape; activations and the like are passed over."""
    step = plan.step(ref.step)
    while step is not None and (inputs := tensors(step)):
        if step.call.name not in HAND_ON:
            return plan.shape(inputs[0])
        step = plan.step(inputs[0].step)
    return None


def _compared(plan: Plan, name: str, target: Target) -> Shape:
    """The shape of what a loss compares an output with, number by number."""
    if target.task == "reconstruction":
        return plan.shape(plan.features.get(name) or next(iter(plan.features.values())))
    return (target.count,) if target.one_hot else target.shape


def _thresholds(metric: Call, task: Task | None, units: int | None, logits: bool) -> Call:
    """A metric that tells yes from no, where Keras would put the line elsewhere: logits part at 0.

    Of several labels that are each yes or no Keras takes `accuracy` to be about the greatest.
    """
    if task not in {"binary", "multilabel"} or (task == "binary" and units != 1):
        return metric
    if metric.name in {"accuracy", "acc"} and metric.namespace == "identifier" and (logits or task == "multilabel"):
        return Call(
            "metrics", "BinaryAccuracy", {"name": metric.name, "threshold": 0.0 if logits else 0.5}, metric.span
        )
    name, value = _ON_LOGITS.get(metric.name, ("", None))
    if not logits or not name or name in metric.args:
        return metric
    return replace(metric, namespace="metrics", args={**metric.args, name: value})
