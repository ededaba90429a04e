"""Names of the numbers of an epoch: a last check of every `monitor` (SpecError K160), and whether more is better."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from kbuild.plan.logs import Logs, monitors, unknown
from kbuild.spec.call import Call
from kbuild.spec.names import snake_case
from kbuild.spec.spec import Spec
from kbuild.text.problem import SpecError

Direction = Literal["min", "max"]

# of the metrics that Keras has, those of which more is better; all others are losses, errors and divergences
MORE = re.compile(
    r"accuracy|(^|_)acc$|auc|precision|recall|f1|f_?beta|sensitivity|specificity|io_?u|r2|cosine_similarity"
    r"|true_(positives|negatives)|correlation|concordance"
)
COUNTS = re.compile(r"(true|false)_(positives|negatives)")


def check(spec: Spec, training: Sequence[str], validation: bool) -> tuple[str, ...]:
    """What the logs of an epoch will hold: a last look, for metrics of one's own, whose names no signature tells.

    Args:
        training: names that the compiled model reports for a batch: `loss`, `accuracy`, `digit_accuracy`, …
        validation: whether there is validation data.

    Raises:
        SpecError: K160, with all of them, for each `monitor` that names nothing that an epoch will yield.
    """
    found = Logs(tuple(training), validation, complete=True)
    problems = [
        unknown("K160", monitor, path, call.spans.get("monitor", call.span) if call else None, found)
        for monitor, path, call in monitors(spec.train)
        if found.lacks(monitor)
    ]
    if problems:
        raise SpecError(problems)
    return found.names


def direction(name: str, mode: str = "auto", metrics: Iterable[Call] = ()) -> Direction:
    """Whether a smaller or a bigger `name` is better.

    Args:
        name: of the logs: `val_digit_accuracy`.
        mode: `min` or `max` decide by themselves.
        metrics: those of the run; a metric with a `name` of its own goes by its class.
    """
    if mode in ("min", "max"):
        return "min" if mode == "min" else "max"
    bare = name.removeprefix("val_")
    if bare == "loss" or bare.endswith("_loss"):
        return "min"
    for call in metrics:
        own = call.args.get("name")
        if own and (bare == own or bare.endswith(f"_{own}")):
            bare = snake_case(call.name)
    if COUNTS.search(bare):
        return "min" if "false_" in bare else "max"
    return "max" if MORE.search(bare) else "min"
