"""a schedule that the run is too short for

What it does
    Compares the warm-up of a schedule, the time after which `step` acts first, and the times of `piecewise` with the
    length of the run.

Why is this bad?
    A warm-up that does not end trains the whole network at rates below the one that was chosen; a step that never
    comes leaves the rate where it began.

Example
    train: {epochs: 5, schedule: {cosine: {warmup: 10 epochs}}}

Use instead
    train: {epochs: 50, schedule: {cosine: {warmup: 10%}}}

Source
    Goyal et al.: Accurate, large minibatch SGD, arXiv:1706.02677, section 2.2: 5 epochs of 90 warm up.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.rules.run import called, epochs_of
from kbuild.spec.call import Call
from kbuild.spec.train import Piecewise, Step
from kbuild.text.problem import Problem

CODE = "K347"
SEVERITY = "warning"


def find(net: Net) -> Iterator[Problem]:
    """Times that do not come."""
    schedule = net.spec.train.schedule if net.spec else None
    if net.spec is None or schedule is None or isinstance(schedule, Call):
        return
    epochs, run = net.spec.train.epochs, called(net)
    path = f"train.schedule.{schedule.kind}"

    def late(time: str) -> bool:
        length = epochs_of(time, net)
        return length is not None and length >= epochs

    if late(str(schedule.warmup)):
        message = (
            f"the warm-up takes {_said(schedule.warmup)} and {run} has {_epochs(epochs)}: it never reaches its rate"
        )
        yield at_path(CODE, SEVERITY, net.spec, f"{path}.warmup", message, "write a share of the run: `warmup: 10%`")
    if isinstance(schedule, Step) and late(str(schedule.every)):
        message = f"`step` acts every {_said(schedule.every)} and {run} has {_epochs(epochs)}: the rate never changes"
        yield at_path(CODE, SEVERITY, net.spec, f"{path}.every", message, "write a share of the run: `every: 30%`")
    for number, time in enumerate(schedule.at if isinstance(schedule, Piecewise) else ()):
        if late(str(time)):
            message = f"the rate changes after {_said(time)} and {run} has {_epochs(epochs)}: it never does"
            yield at_path(
                CODE, SEVERITY, net.spec, f"{path}.at.{number}", message, "write shares of the run: `at: [50%, 75%]`"
            )


def _said(duration: object) -> str:
    amount, unit = str(duration).split()
    return f"{amount} {unit[:-1] if amount == '1' and unit.endswith('s') else unit}"


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"
