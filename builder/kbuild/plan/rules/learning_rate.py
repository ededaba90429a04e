"""a learning rate outside the optimizer's sane range

What it does
    Compares the learning rate, the highest that a schedule reaches, and its product with the decoupled
    `weight_decay`, with wide ranges for each family of optimizers.

Why is this bad?
    Adam and its relatives move every weight by about the learning rate in every step, however small the gradient is:
    a rate near 1 is larger than the weights themselves. Plain gradient descent takes far larger rates. A step that is
    too large diverges or kills the units; one below the precision of float32 changes nothing.

Example
    train: {optimizer: {Adam: 10}}

Use instead
    train: {optimizer: {Adam: 1e-3}}

Source
    The ranges hold what is published. SGD: 30 (Merity et al., arXiv:1708.02182) down to 1e-10 (Long et al.,
    arXiv:1411.4038). Adam: arXiv:1412.6980, section 2.1, for the size of a step; RealMLP's 0.2 (Holzmüller et al.,
    arXiv:2407.04491) and the 1e-6 of preference tuning (Rafailov et al., arXiv:2305.18290). Decay: Loshchilov and
    Hutter, arXiv:1711.05101: each step takes the rate times the decay off every weight.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.spec.call import Call
from kbuild.spec.signature import signature
from kbuild.spec.train import OneCycle, Piecewise, Train
from kbuild.text.problem import Problem
from kbuild.text.source import Span

CODE = "K336"
SEVERITY = "warning"

_ADAM = (1e-8, 0.5)
_SCALED = (1e-8, 10.0)
_RANGES = {
    "SGD": (1e-10, 100.0),
    **dict.fromkeys(["Adam", "AdamW", "Adamax", "Nadam", "RAdam", "Lamb", "Lion", "Muon"], _ADAM),
    # with a large epsilon RMSprop is gradient descent; the others divide the rate by what they have seen
    **dict.fromkeys(["RMSprop", "Adagrad", "Adadelta", "Adafactor", "Ftrl"], _SCALED),
}
_DECAY = 0.1
"""The share of every weight that a step may take off before it is said."""


def find(net: Net) -> Iterator[Problem]:
    """Rates that no published recipe has."""
    if net.spec is None:
        return
    train = net.spec.train
    call = _inner(train.optimizer)
    limits = _RANGES.get(call.name)
    rates = list(_rates(train, call))
    for rate, what, path, span in rates if limits else ():
        low, high = limits or (0.0, 0.0)
        if low <= rate <= high:
            continue
        usual = _default(call, "learning_rate")
        message = f"{what} is {rate:g}, and `{call.name}` learns with {low:g} to {high:g}"
        help = f"Keras's own is {usual:g}" if isinstance(usual, float) else None
        yield at_path(CODE, SEVERITY, net.spec, path, message, help, span)
    decay = call.args.get("weight_decay")
    top = max((rate for rate, *_ in rates), default=None)
    if isinstance(decay, int | float) and top is not None and decay * top >= _DECAY:
        share = f"{min(decay * top, 1e6):.0%}"
        message = f"each step takes {share} off every weight: `weight_decay` {decay:g} times the rate {top:g}"
        help = f"write `weight_decay: 0.01`, or less than {_DECAY / top:g}"
        span = call.spans.get("weight_decay", call.span)
        yield at_path(CODE, SEVERITY, net.spec, "train.optimizer", message, help, span)


def _inner(call: Call) -> Call:
    """The optimizer that others are wrapped around."""
    for name in ("inner_optimizer", "optimizer"):
        inner = call.args.get(name)
        if isinstance(inner, Call):
            return _inner(inner)
    return call


def _rates(train: Train, call: Call) -> Iterator[tuple[float, str, str, Span | None]]:
    """Rates, what each is called, its path and its place."""
    schedule, path = train.schedule, "train.optimizer"
    if isinstance(schedule, Piecewise):
        for value in schedule.values:
            yield float(value), "a rate of `piecewise`", "train.schedule.piecewise.values", None
        return
    if isinstance(schedule, OneCycle) and schedule.peak is not None:
        yield float(schedule.peak), "the `peak` of `one_cycle`", "train.schedule.one_cycle.peak", None
        return
    rate = schedule if isinstance(schedule, Call) else call.args.get("learning_rate", _default(call, "learning_rate"))
    span = call.spans.get("learning_rate", call.span)
    if isinstance(rate, Call):
        span = rate.spans.get("initial_learning_rate", rate.span)
        path = "train.schedule" if rate is schedule else path
        rate = rate.args.get("warmup_target") or rate.args.get("initial_learning_rate")
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        yield float(rate), "the learning rate", path, span


def _default(call: Call, name: str) -> object:
    found = signature("optimizers", call.name)
    return next((p.default for p in found.parameters if p.name == name), None) if found else None
