"""an output that computes in half precision

What it does
    Finds outputs whose layer is told a `dtype` of 16 bits, or a mixed policy.

Why is this bad?
    A float16 holds three digits and nothing above 65,504: a softmax or loss of it loses small probabilities and
    overflows, and the loss becomes NaN. Under `precision: mixed_float16` kbuild computes the last layer in float32 by
    itself.

Example
    model: [Flatten, {Dense: {units: 10, activation: softmax, dtype: mixed_float16}}]

Use instead
    model: [Flatten, {Dense: {units: 10, activation: softmax}}]
    train: {precision: mixed_float16}

Source
    Micikevicius et al.: Mixed precision training, arXiv:1710.03740; Keras's guide to mixed precision ends models in
    float32.
"""

import re
from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K348"
SEVERITY = "warning"

_HALF = re.compile(r"(mixed_)?b?float16")


def find(net: Net) -> Iterator[Problem]:
    """Outputs with three digits."""
    for name, ref in net.plan.outputs.items():
        step = net.plan.step(ref.step)
        dtype = step.call.args.get("dtype") if step else None
        if step is not None and isinstance(dtype, str) and _HALF.fullmatch(dtype):
            message = f"the output `{name}` computes in `{dtype}`"
            help = "leave `dtype` out: `train: {precision: mixed_float16}` keeps the last layer in float32"
            yield at_step(CODE, SEVERITY, step, message, help, argument="dtype")
