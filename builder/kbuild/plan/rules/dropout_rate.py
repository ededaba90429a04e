"""a dropout rate outside 0.1–0.5

What it does
    Looks at `rate` of every dropout layer, and at `dropout` and `recurrent_dropout` where a layer has them. Outside
    0.1–0.5 it hints; above 0.9 it warns. `AlphaDropout` is made for smaller rates; stochastic depth is none of these.

Why is this bad?
    Below 0.1 there is little effect. Above 0.5 a layer loses more than it keeps; by then it is usually better to make
    the layer smaller. Above 0.9 hardly anything passes: often that is the share to keep, which other tools and papers
    write where Keras takes the share to drop. Temporal networks on few videos have used 0.9, so that is not more than
    a hint.

Example
    - Dense: {units: 256, activation: relu}
    - Dropout: 0.95

Use instead
    - Dense: {units: 256, activation: relu}
    - Dropout: 0.5

Source
    Srivastava et al.: Dropout, Journal of Machine Learning Research 15 (2014), appendix A.4: keep 0.8 of the input,
    0.5 to 0.8 of hidden units. 0.1: Vaswani et al., arXiv:1706.03762, section 5.4. 0.9: Simonyan and Zisserman,
    arXiv:1406.2199.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import kind, layer, rate
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K316"
SEVERITY = "hint"

_LOWEST, _HIGHEST, _EXTREME = 0.1, 0.5, 0.9


def find(net: Net) -> Iterator[Problem]:
    """Rates that drop almost nothing or most; 0 is no dropout."""
    for step in net.steps:
        for argument, dropped in _rates(step):
            lowest = 0.0 if kind(step) == "AlphaDropout" else _LOWEST
            if dropped == 0 or lowest <= dropped <= _HIGHEST:
                continue
            wide = dropped > _EXTREME
            message = f"`{step.name}` drops {dropped:.3g} of what goes through it, outside 0.1–0.5"
            help = f"if {dropped:g} is the share to keep, write {1 - dropped:.3g}" if wide else None
            yield at_step(CODE, "warning" if wide else "hint", step, message, help, argument=argument)


def _rates(step: Step) -> Iterator[tuple[str, float]]:
    dropped = rate(step)
    if dropped is not None:
        yield "rate", dropped
    for argument in ("dropout", "recurrent_dropout"):
        value = layer(step).args.get(argument)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield argument, float(value)
