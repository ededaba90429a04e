"""a sigmoid over classes that exclude each other

What it does
    Finds outputs with a sigmoid, or another activation that looks at each unit alone, and a categorical loss; and
    logits that went through a relu.

Why is this bad?
    A categorical loss is about one class of several. Keras divides what it gets by its sum, so the network is trained
    on numbers that it does not give: its predictions do not sum to 1 and are no probabilities of the classes. A relu
    makes all classes equal that are less likely than a point that means nothing, and stops their gradients.

Example
    model: [Flatten, {Dense: {units: 10, activation: sigmoid}}]
    train: {loss: sparse_categorical_crossentropy}

Use instead
    model: [Flatten, {Dense: {units: 10, activation: softmax}}]
    train: {loss: sparse_categorical_crossentropy}

    Where an example may have several labels at once, they are rows of 0 and 1 and the loss is `binary_crossentropy`.

Source
    Goodfellow, Bengio, Courville: Deep Learning (2016), sections 6.2.2.2 and 6.2.2.3;
    `keras.ops.categorical_crossentropy`.
"""

from collections.abc import Iterator

from kbuild.plan.activation import last_activation
from kbuild.plan.agree import CATEGORICAL, SPARSE
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K334"
SEVERITY = "warning"

_ALONE = frozenset({"sigmoid", "hard_sigmoid", "tanh", "relu", "re_lu", "softplus"})


def find(net: Net) -> Iterator[Problem]:
    """Outputs whose units do not know of each other, where a class is to be chosen."""
    for head in net.heads:
        ref = net.plan.outputs.get(head.output)
        step = net.plan.step(ref.step) if ref else None
        if ref is None or step is None or head.loss is None or head.loss.name not in SPARSE | CATEGORICAL:
            continue
        activation = last_activation(net.plan, ref)
        if head.loss.args.get("from_logits"):
            if activation in {"relu", "re_lu"}:
                message = f"the output `{head.output}` gives logits, and a relu cuts off those below 0"
                yield at_step(CODE, SEVERITY, step, message, "write `activation: softmax`", argument="activation")
            continue
        if activation not in _ALONE:
            continue
        shape = net.plan.shape(ref)
        units = shape[-1] if shape else None
        over = f"{units} classes" if units else "classes"
        message = f"the output `{head.output}` has a {activation} over {over} that exclude each other"
        help = "write `activation: softmax`; if an example can have several labels, make them rows of 0 and 1"
        if units == 1:
            chooses = f"`{head.loss.name}` chooses among several"
            message = f"the output `{head.output}` has a {activation} on 1 unit, and {chooses}"
            help = "write `loss: binary_crossentropy`, or give it a unit for each class and `activation: softmax`"
        yield at_step(CODE, SEVERITY, step, message, help, argument="activation")
