"""nothing is trained

What it does
    Finds networks with data and a loss, and no weight that may change: all is frozen, or no layer has weights.

Why is this bad?
    Every epoch ends with the weights that it began with. Keras only warns, and the loss stands still.

Example
    model:
      - {MobileNetV2: {include_top: true, weights: imagenet}, trainable: false}

Use instead
    model:
      - {MobileNetV2: {include_top: false, weights: imagenet}, trainable: false}
      - GlobalAveragePooling2D
      - Dense: {units: 2, activation: softmax}

Source
    `keras.Model.fit` and `keras.src.backend.tensorflow.trainer`: a model without trainable weights is only run.
"""

from collections.abc import Iterator

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.text.problem import Problem

CODE = "K342"
SEVERITY = "warning"


def find(net: Net) -> Iterator[Problem]:
    """A network that is to learn and has nothing to learn with."""
    if net.spec is None or net.spec.data is None or all(head.loss is None for head in net.heads):
        return
    if net.costs.total.trainable != 0 or net.phase is not None:
        # of a phase it is an error, K243
        return
    frozen = net.costs.total.frozen or 0
    why = f"all {frozen:,} weights are frozen" if frozen else "no layer has weights"
    help = (
        "take `trainable: false` away from an entry, or add one with weights" if frozen else "add a layer with weights"
    )
    yield at_path(CODE, SEVERITY, net.spec, "model", f"nothing is trained: {why}", help)
