"""(loss, what is known of an output) → Problems: what would train the wrong thing without a word."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbuild.data.header import Task
from kbuild.plan.plan import Shape
from kbuild.spec.call import Call
from kbuild.spec.identifiers import table
from kbuild.spec.signature import signature
from kbuild.text.problem import Problem
from kbuild.text.source import Span

SPARSE = frozenset(
    {
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        "categorical_generalized_cross_entropy",
        "CategoricalGeneralizedCrossEntropy",
    }
)
CATEGORICAL = frozenset(
    {
        "categorical_crossentropy",
        "CategoricalCrossentropy",
        "categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy",
    }
)
BINARY = frozenset(
    {"binary_crossentropy", "BinaryCrossentropy", "binary_focal_crossentropy", "BinaryFocalCrossentropy"}
)
EXCLUSIVE = frozenset({"binary", "multiclass"})
"""Tasks in which an example has one class."""
ELEMENTWISE = (
    frozenset(
        {"mse", "mae", "mape", "msle", "huber", "log_cosh", "logcosh", "poisson"}
        | {"mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"}
        | {"mean_squared_logarithmic_error", "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"}
        | {"MeanSquaredLogarithmicError", "Huber", "LogCosh", "Poisson"}
    )
    | BINARY
)
"""Losses of numbers that are measured or yes and no."""
OTHERWISE = SPARSE | CATEGORICAL | {"Circle", "circle", "CTC", "ctc", "ce", "crossentropy"}
"""Losses that do not compare number with number, or not always."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one output and its labels.

    Args:
        span: where the layer stands that gives the output.
        activation: what the output went through last; None if it cannot be told.
        units: size of the output's last axis; count: number of classes; None where not known.
        one_hot: whether the labels are vectors; mixed: because MixUp or CutMix makes them so.
    """

    output: str
    span: Span
    activation: str | None
    task: Task | None
    units: int | None
    count: int | None
    one_hot: bool
    mixed: bool


def disagreements(loss: Call, where: Span, facts: Facts) -> Iterator[Problem]:
    """What a written loss and the rest say against each other: labels (K221), units (K220), activation (K223)."""
    if loss.name in SPARSE | CATEGORICAL and facts.task in ("regression", "reconstruction"):
        what = "a number" if facts.task == "regression" else "the input itself"
        help = "write `loss: auto`, or another loss of numbers"
        yield Problem("K221", f"the target is {what}, and `{loss.name}` wants classes", where, help=help)
        return
    if loss.name in CATEGORICAL and facts.task in EXCLUSIVE and not facts.one_hot:
        message = f"the labels are integers, and `{loss.name}` wants vectors"
        yield Problem("K221", message, where, help="write `sparse_categorical_crossentropy`")
    if loss.name in SPARSE and facts.one_hot:
        why = "MixUp and CutMix make vectors of the labels" if facts.mixed else "the labels are vectors"
        yield Problem(
            "K221", f"{why}, and `{loss.name}` wants integers", where, help="write `categorical_crossentropy`"
        )
    if loss.name in SPARSE | CATEGORICAL:
        yield from wrong_units(facts)
    if loss.name in SPARSE | CATEGORICAL | BINARY and "eneralized" not in loss.name:
        yield from _activation(loss, where, facts)


def elementwise(loss: Call) -> bool:
    """Whether a loss compares number with number: shapes that differ are broadcast, or fail in the first step."""
    known = loss.name in table("losses") or signature("losses", loss.name) is not None
    return known and loss.name not in OTHERWISE


def wrong_units(facts: Facts, one_will_do: bool = False) -> Iterator[Problem]:
    """K220 if the output has not a unit for each class; with `one_will_do` one unit is enough for two classes."""
    if facts.task not in EXCLUSIVE or facts.units is None or facts.count is None or facts.units == facts.count:
        return
    binary = facts.task == "binary" and one_will_do
    if binary and facts.units == 1:
        return
    units = "1 unit" if facts.units == 1 else f"{facts.units} units"
    message = f"the output `{facts.output}` has {units} and the data have {facts.count} classes"
    help = f"give the last layer {facts.count} units" + (", or 1 with a sigmoid" if binary else "")
    yield Problem("K220", message, facts.span, help=help)


def wrong_places(
    output: str, span: Span, given: Shape, labels: Shape, one_hot: bool, took: Shape = None
) -> Iterator[Problem]:
    """K222 if an output has places of its own: a row of probabilities for every row and column, and one label for all.

    A `Dense` straight on a map does that: it works at every place by itself.

    Args:
        labels: their shape: () one for each example, (rows, columns) one for each place.
        one_hot: whether the labels are vectors, whose last axis is that of the classes.
        took: what the layer got that gives the output, if it is known.
    """
    if given is None or labels is None or None in given or None in labels or not given:
        return
    places = labels[:-1] if one_hot else labels
    if given[:-1] == places or (*given[:-1], 1) == places:
        return
    said = f"{list(labels)}" if labels else "one number"
    message = f"the output `{output}` is {list(given)} for each example and its label is {said}"
    yield Problem(
        "K222", message, span, help=_flattened(given, took) if not places else f"end with {list(places)} places"
    )


def _flattened(given: Sequence[int | None], took: Shape) -> str:
    pool = {2: "GlobalAveragePooling1D", 3: "GlobalAveragePooling2D", 4: "GlobalAveragePooling3D"}.get(len(given))
    first = f"`Flatten` or `{pool}`" if pool else "`Flatten`"
    last = ", or leave `return_sequences` out" if len(given) == 2 else ""
    made = f" and makes {list(given)} of {list(took)}" if took else ""
    return f"put {first} in front of the last `Dense`, which works at each place by itself{made}{last}"


def wrong_shape(
    output: str, span: Span, given: Shape, wanted: Shape, task: Task, took: Shape = None
) -> Iterator[Problem]:
    """K222 if an output has not the shape of what it is compared with; a last axis of size 1 makes no difference.

    Args:
        took: as in `wrong_places`.
    """
    if given is None or wanted is None or None in given or None in wanted:
        return
    if given == wanted or (*given, 1) == wanted or given == (*wanted, 1):
        return
    said = f"{list(wanted)}" if wanted else "one number"
    whose = "its target, the preprocessed input," if task == "reconstruction" else "its target"
    if task in EXCLUSIVE and len(given) == 1:
        help = "write `loss: auto`, or give the last layer 1 unit"
    elif len(given) == 1 and len(wanted) < 2:
        units = next(iter(wanted), 1)
        help = f"give the last layer {units} unit{'' if units == 1 else 's'}"
    elif wanted and _values(wanted) == _values(given):
        help = f"end with `Reshape: {list(wanted)}`"
    elif len(wanted) < 2:
        help = _flattened(given, took)
    else:
        help = f"give the last layers {list(wanted)}"
    yield Problem("K222", f"the output `{output}` is {list(given)} and {whose} is {said}", span, help=help)


def wrong_sequence(output: str, span: Span, given: Shape, labels: Shape) -> Iterator[Problem]:
    """K222 for CTC, which finds a row of labels in a longer row of probabilities."""
    if given is None or labels is None or (len(given), len(labels)) == (2, 1):
        return
    said = f"{list(labels)}" if labels else "one number"
    found = f"the output `{output}` is {list(given)} and its target is {said}"
    help = "end with a `Dense` on a sequence, and give each example a row of labels, 0 where it is shorter"
    yield Problem("K222", f"`CTC` compares [times, classes] with a row of labels; {found}", span, help=help)


def _values(shape: Sequence[int | None]) -> int:
    return math.prod(size for size in shape if size is not None)


def _activation(loss: Call, where: Span, facts: Facts) -> Iterator[Problem]:
    logits = bool(loss.args.get("from_logits", False))
    if facts.activation == "linear" and not logits:
        needed = "sigmoid" if loss.name in BINARY else "softmax"
        written = f"loss: {{{_class_name(loss.name)}: {{from_logits: true}}}}"
        yield Problem(
            "K223",
            f"`{loss.name}` wants probabilities, and the output `{facts.output}` has no activation",
            facts.span,
            help=f"give the last layer `activation: {needed}`, or write `{written}`",
        )
    if facts.activation in {"softmax", "sigmoid"} and logits:
        gone = f"the output `{facts.output}` has gone through {facts.activation}"
        message = f"`{loss.name}` is told to expect logits, and {gone}"
        yield Problem("K223", message, where, help="leave `from_logits` out")


def _class_name(name: str) -> str:
    return name if name[:1].isupper() else "".join(word.capitalize() for word in name.split("_"))
