"""Names of the numbers that an epoch yields, checked against every `monitor` before the first batch; SpecError K160."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from kbuild.spec.call import Call
from kbuild.spec.train import Plateau, Train
from kbuild.text.problem import Problem, SpecError

Direction = Literal["min", "max"]

# of the metrics that Keras has, those of which more is better; all others are losses, errors and divergences
MORE = re.compile(
    r"accuracy|(^|_)acc$|auc|precision|recall|f1|f_?beta|sensitivity|specificity|io_?u|r2|cosine_similarity"
    r"|true_(positives|negatives)|correlation|concordance"
)
COUNTS = re.compile(r"(true|false)_(positives|negatives)")


def names(logs: Iterable[str], validation: bool) -> tuple[str, ...]:
    """What the logs of an epoch will hold.

    Args:
        logs: names that the compiled model reports for a batch: `loss`, `accuracy`, `digit_accuracy`, …
        validation: whether there is validation data.
    """
    found = tuple(logs)
    return found + tuple(f"val_{name}" for name in found) if validation else found


def check(train: Train, available: Sequence[str], validation: bool) -> None:
    """Raise SpecError K160, with all of them, if a `monitor` names nothing that an epoch will yield."""
    problems = [
        _problem(monitor, path, call, available, validation)
        for monitor, path, call in _monitors(train)
        if monitor not in available
    ]
    if problems:
        raise SpecError(problems)


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
            bare = snake(call.name)
    if COUNTS.search(bare):
        return "min" if "false_" in bare else "max"
    return "max" if MORE.search(bare) else "min"


def snake(name: str) -> str:
    """`MeanIoU` → `mean_io_u`, as Keras names objects."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def _monitors(train: Train) -> Iterable[tuple[str, str, Call | None]]:
    if train.early_stopping is not None:
        yield train.early_stopping.monitor, "train.early_stopping.monitor", None
    if isinstance(train.schedule, Plateau):
        yield train.schedule.monitor, "train.schedule.plateau.monitor", None
    for call in train.callbacks:
        default = "val_loss" if call.name in ("EarlyStopping", "ReduceLROnPlateau") else None
        monitor = call.args.get("monitor", default)
        if isinstance(monitor, str):
            yield monitor, f"train.callbacks.{call.name}.monitor", call


def _problem(monitor: str, path: str, call: Call | None, available: Sequence[str], validation: bool) -> Problem:
    listed = ", ".join(f"`{name}`" for name in available)
    bare = monitor.removeprefix("val_")
    near = difflib.get_close_matches(monitor, available, n=1, cutoff=0.6)
    if not validation and bare != monitor and bare in available:
        hint = f"there is no validation data: set `data.split.validation`, or monitor `{bare}`"
    elif near:
        hint = f"did you mean `{near[0]}`? An epoch yields {listed}"
    else:
        hint = f"an epoch yields {listed}"
    span = call.spans.get("monitor", call.span) if call is not None else None
    return Problem("K160", f"nothing is called `{monitor}` to monitor", span, help=hint, path=path)
