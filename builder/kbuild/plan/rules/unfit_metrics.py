"""metrics that do not fit what is predicted

What it does
    Compares every metric with the labels and the last layer. Metrics that want a vector beside each prediction meet
    integer labels, metrics for integers meet vectors, metrics of classes meet numbers, and `Accuracy`, which asks
    whether label and prediction are equal, meets probabilities.

Why is this bad?
    Keras fails in the first batch with an error of the graph; or it does not, and reports a number that means
    nothing: `CategoricalAccuracy` of integer labels compares everything with class 0, `Accuracy` of probabilities is
    0.

Example
    data: {source: digits}                       # the labels are integers
    train: {metrics: [F1Score]}

Use instead
    data: {source: digits}
    train: {metrics: [accuracy, SparseTopKCategoricalAccuracy]}

Source
    The classes of `keras.metrics`; the rule is compared with all of them, fitted on a batch of each kind.
"""

import re
from collections.abc import Iterator, Mapping

from kbuild.data.header import Target
from kbuild.plan.activation import last_activation
from kbuild.plan.agree import EXCLUSIVE
from kbuild.plan.head import PROBABILITIES, Head
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.spec.call import Call
from kbuild.spec.identifiers import table
from kbuild.spec.signature import signature
from kbuild.text.problem import Problem, Severity

CODE = "K340"
SEVERITY: Severity = "error"

_EITHER = frozenset({"accuracy", "acc", "Mean", "Sum", "MeanMetricWrapper", "Metric"})
"""What Keras chooses by the shapes, and what is told no labels."""
_UNTOLD = frozenset({"Mean", "Sum"})
_IOU = frozenset({"IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "BinaryIoU"})
_MATRIX = frozenset({"F1Score", "FBetaScore"})
_ROWS = frozenset({"BinaryCrossentropy", "CategoricalCrossentropy", "TopKCategoricalAccuracy"})
_INSTEAD: Mapping[str, str] = {
    "CategoricalAccuracy": "`accuracy`",
    "BinaryAccuracy": "`accuracy`",
    "Accuracy": "`accuracy`, which Keras fits to the labels",
    "TopKCategoricalAccuracy": "`SparseTopKCategoricalAccuracy`",
    "CategoricalCrossentropy": "`SparseCategoricalCrossentropy`",
    "SparseCategoricalAccuracy": "`accuracy`",
    "SparseTopKCategoricalAccuracy": "`TopKCategoricalAccuracy`",
    "SparseCategoricalCrossentropy": "`CategoricalCrossentropy`",
}
_OF_CLASSES = frozenset({"accuracy", "acc", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "AUC"}) | {
    "Precision", "Recall", "SparseCategoricalAccuracy"
}  # fmt: skip


def find(net: Net) -> Iterator[Problem]:
    """Metrics that fail, and those that say nothing."""
    if net.spec is None or net.header is None:
        return
    mixed = any(call.name in {"MixUp", "CutMix"} for calls in net.spec.augment.values() for call in calls)
    for head in net.heads:
        target = _target(net, head)
        if target is None or target.task is None or net.spec.train.metrics is None:
            continue
        for metric in head.metrics:
            name = _class(metric)
            if name is None:
                continue
            wrong = _wrong(name, metric, net, head, target, target.one_hot or mixed)
            if wrong is not None:
                severity, why, help = wrong
                message = f"`{metric.name}` {why}"
                yield at_path(CODE, severity, net.spec, "train.metrics", message, help, metric.span)


def _wrong(
    name: str, metric: Call, net: Net, head: Head, target: Target, vectors: bool
) -> tuple[Severity, str, str | None] | None:
    if name in _UNTOLD:
        return "error", "is told values and their weights, not labels and predictions", "leave it out"
    ref = net.plan.outputs[head.output]
    shape = net.plan.shape(ref)
    units = shape[-1] if shape else None
    instead = f"write {_INSTEAD[name]}" if name in _INSTEAD else None
    if target.task in EXCLUSIVE and not vectors and target.shape == () and shape is not None and len(shape) == 1:
        said = "the labels are integers"
        if units != 1 and name not in _EITHER and not name.startswith("Sparse") and not _sparse(name, metric):
            severity: Severity = "warning" if name.startswith("OneHot") else "error"
            return severity, f"wants a vector for each label, and {said}", instead or _for_integers(name)
        if units == 1 and name in _MATRIX | _ROWS:
            return "error", f"wants a row for each label, and {said}", _help_of_one(name)
        if units == 1 and re.match("Sparse|Categorical", name):
            return _severity(name), "chooses among several units, and the output has 1", "write `accuracy`"
    if vectors and name.startswith("Sparse"):
        return "error", "wants integer labels, and they are vectors", instead
    if target.task == "multilabel" and name.startswith("Sparse"):
        return (
            "error",
            "wants one integer for each example, and the labels are rows of 0 and 1",
            "write `BinaryAccuracy`",
        )
    if target.task not in EXCLUSIVE and units == 1 and target.shape == () and name in _MATRIX | _ROWS:
        return "error", "wants a row for each example, and the target is one number", "write `mean_absolute_error`"
    if name in _MATRIX and metric.args.get("average") is None:
        said = "gives a number for each class, and an epoch has one"
        return "error", said, f"write `{{{name}: {{average: macro}}}}`"
    if name == "BinaryIoU" and target.task not in EXCLUSIVE and target.shape == () and (units or 1) != 1:
        return "error", f"wants {units} numbers for each example, and the target is one", "leave it out"
    if target.task == "regression" and name in _OF_CLASSES:
        return "warning", "counts right and wrong classes, and the target is a number", "write `mean_absolute_error`"
    if name == "Accuracy" and last_activation(net.plan, ref) in PROBABILITIES:
        return "warning", "asks whether label and prediction are equal, and a probability never is", instead
    return None


def _severity(name: str) -> Severity:
    """Of a metric for several units that meets one: the loss fails, the others say what means nothing."""
    return "error" if name.endswith("entropy") else "warning"


def _for_integers(name: str) -> str:
    if name in _MATRIX | {"Precision", "Recall"}:
        return "leave it out: `kbuild evaluate` tells precision, recall and F1 of each class"
    return "leave it out, or write `accuracy`"


def _help_of_one(name: str) -> str:
    if name in _MATRIX:
        return "write `Precision` and `Recall`, whose harmonic mean it is"
    return "leave it out: it is the loss" if name.endswith("entropy") else "write `accuracy`"


def _sparse(name: str, metric: Call) -> bool:
    """Whether an intersection over union is told that labels or predictions are not as it would have them."""
    return name in _IOU and any(key.startswith("sparse_") for key in metric.args)


def _class(metric: Call) -> str | None:
    """The class that a metric is of; None for one's own."""
    if metric.namespace != "identifier":
        return metric.name if signature("metrics", metric.name) else None
    if metric.name in _EITHER:
        return metric.name
    found = table("metrics").get(metric.name)
    return found.name if found else None


def _target(net: Net, head: Head) -> Target | None:
    targets = net.header.targets if net.header else {}
    return next(iter(targets.values())) if len(targets) == len(net.heads) == 1 else targets.get(head.output)
