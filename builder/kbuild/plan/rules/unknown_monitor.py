"""a monitor or objective that will not exist

What it does
    Compares every `monitor` (of `early_stopping`, of a `plateau`, of callbacks) and `tune.objective` with the names
    that the numbers of an epoch will have: the loss, the metrics, the losses of several outputs, and all of them
    again with `val_` before if there is validation data.

Why is this bad?
    Keras notices at the end of the first epoch. With a `mode` it only warns then, after every epoch, and never stops.

Example
    train:
      metrics: [accuracy]
      early_stopping: {monitor: val_acuracy}

Use instead
    train:
      metrics: [accuracy]
      early_stopping: {monitor: val_accuracy}

Source
    The names are those of `keras.src.trainers.compile_utils` (CompileMetrics.result, CompileLoss.build): with several
    outputs a metric is `{output}_{metric}` and a loss `{output}_loss`.
"""

from collections.abc import Iterator

from kbuild.plan.logs import logs, monitors, objective, unknown
from kbuild.plan.rules.net import Net
from kbuild.text.problem import Problem

CODE = "K330"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Names that no epoch yields."""
    if net.spec is None or not net.heads:
        return
    found = logs(net.spec, net.heads)
    for monitor, path, call in monitors(net.spec.train):
        if found.lacks(monitor):
            span = call.spans.get("monitor", call.span) if call else net.spec.span(path)
            yield unknown(CODE, monitor, path, span, found)
    wanted = objective(net.spec)
    if wanted is not None and found.lacks(wanted[0]):
        yield unknown(CODE, *wanted, net.spec.span(wanted[1]), found)
