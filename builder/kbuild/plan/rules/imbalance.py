"""classes of very different size, and nothing that says so

What it does
    Counts the examples of each class where the source tells: the largest class has more than 9 times the examples of
    the smallest, and there is no `class_weight`, no weight of examples, no focal loss, and no metric that looks at
    classes.

Why is this bad?
    The loss is a mean over examples, so the network learns the large class first, and `accuracy` praises it for that:
    with 95 examples of 100 in one class, 95 % is what always saying that class reaches.

Example
    train: {metrics: [accuracy]}                     # 950 healthy, 50 ill

Use instead
    train: {metrics: [accuracy, AUC], class_weight: balanced}

Source
    He and Garcia: Learning from imbalanced data, IEEE TKDE 21 (2009). A ratio above 9 is what Fernández et al. call
    highly imbalanced: Learning from Imbalanced Data Sets (2018), chapter 2, and the KEEL repository.
"""

import re
from collections.abc import Iterator

from kbuild.plan.head import Head
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.text.problem import Problem

CODE = "K339"
SEVERITY = "warning"

RATIO = 9
_OF_CLASSES = re.compile(
    r"auc|f_?1|f_?beta|precision|recall|sensitivity|specificity|io_?u|balanced|(true|false)_?(positives|negatives)"
)


def find(net: Net) -> Iterator[Problem]:
    """Targets with a class that the loss hardly sees."""
    if net.spec is None or net.header is None or net.header.weighted or net.spec.train.class_weight is not None:
        return
    for head in net.heads:
        sizes = _sizes(net, head)
        present = {name: size for name, size in zip(head.classes, sizes, strict=False) if size}
        if head.loss is None or "ocal" in head.loss.name or len(present) < 2 or any(map(_of_classes, head.metrics)):
            continue
        large, small = max(present, key=lambda name: present[name]), min(present, key=lambda name: present[name])
        if present[large] <= RATIO * present[small]:
            continue
        share = present[large] / sum(present.values())
        counted = f"{present[large]:,} examples of `{large}` and {present[small]:,} of `{small}`"
        message = (
            f"the classes differ in size, {counted}, and nothing says so: always `{large}` is right in {share:.0%}"
        )
        help = "write `class_weight: balanced`, or add a metric that looks at classes: `metrics: [accuracy, AUC]`"
        if len(present) > 2:
            help = "write `class_weight: balanced`"
        yield at_path(CODE, SEVERITY, net.spec, "train", message, help)


def _sizes(net: Net, head: Head) -> tuple[int, ...]:
    known = net.header.seen.sizes if net.header else {}
    return next(iter(known.values())) if len(net.heads) == len(known) == 1 else known.get(head.output, ())


def _of_classes(metric: object) -> bool:
    return bool(_OF_CLASSES.search(getattr(metric, "name", "").lower()))
