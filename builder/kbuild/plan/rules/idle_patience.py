"""a patience that outlasts the run

What it does
    Compares the `patience` of `early_stopping`, of a `plateau` schedule and of the callbacks `EarlyStopping` and
    `ReduceLROnPlateau` with the epochs that are left for it.

Why is this bad?
    The first epoch that counts is always the best so far, and `patience` more must pass without a better one. If no
    epoch comes after them, nothing is ever stopped and no rate reduced: the key says something that cannot happen.

Example
    train:
      epochs: 10
      early_stopping: {patience: 20}

Use instead
    train:
      epochs: 100
      early_stopping: {patience: 20}

Source
    `keras.callbacks.EarlyStopping.on_epoch_end` and `ReduceLROnPlateau.on_epoch_end`.
"""

from collections.abc import Iterator
from math import ceil

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.rules.run import called, epochs_of
from kbuild.spec.signature import signature
from kbuild.spec.train import Plateau, Train
from kbuild.text.problem import Problem
from kbuild.text.source import Span

CODE = "K331"
SEVERITY = "warning"


def find(net: Net) -> Iterator[Problem]:
    """What waits for longer than the run lasts."""
    if net.spec is None:
        return
    epochs = net.spec.train.epochs
    for name, path, span, patience, start, baseline in _waiting(net, net.spec.train):
        # the epoch, counted from 1, at whose end it acts at the earliest: the first that counts is the best so far
        earliest = start + (max(patience, 2) if baseline else max(patience, 1) + 1)
        if earliest < epochs:
            continue
        does = "stop it" if "topping" in name else "reduce its learning rate"
        late = f" from epoch {start + 1} on" if start else ""
        message = f"`{name}` waits for {patience} epochs{late}, and {called(net)} has {epochs}: it can never {does}"
        most = epochs - 1 - start - (0 if baseline else 1)
        lower = f", or lower `patience` to {most} or less" if most > 0 else ""
        yield at_path(CODE, SEVERITY, net.spec, path, message, f"raise `epochs` above {earliest}{lower}", span)


def _waiting(net: Net, train: Train) -> Iterator[tuple[str, str, Span | None, int, int, bool]]:
    """Name, path, place, patience, epochs that do not count, and whether there is a baseline."""
    stopping = train.early_stopping
    if stopping is not None:
        baseline = stopping.baseline is not None
        path = "train.early_stopping.patience"
        yield "early_stopping", path, None, stopping.patience, stopping.start_from_epoch, baseline
    if isinstance(train.schedule, Plateau):
        # the epoch in which the warm-up ends counts
        start = max(0, ceil(epochs_of(str(train.schedule.warmup), net) or 0) - 1)
        yield "plateau", "train.schedule.plateau.patience", None, train.schedule.patience, start, False
    for call in train.callbacks:
        found = signature("callbacks", call.name) if call.name in {"EarlyStopping", "ReduceLROnPlateau"} else None
        values = {p.name: call.args.get(p.name, p.default) for p in found.parameters} if found else {}
        patience, start = values.get("patience"), values.get("start_from_epoch", 0)
        if isinstance(patience, int) and isinstance(start, int):
            span = call.spans.get("patience", call.span)
            baseline = values.get("baseline") is not None
            yield call.name, f"train.callbacks.{call.name}.patience", span, patience, start, baseline
