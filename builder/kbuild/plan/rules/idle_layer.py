"""a layer that changes nothing

What it does
    Finds layers that hand on what they get: `Flatten` of what is flat (after global pooling, say), `Reshape` to the
    same shape, pooling with windows of 1, padding or cropping by 0, `UpSampling` by 1, and dropout of 0.

Why is this bad?
    It does no harm. But who reads it takes it for something that happens, and often it shows that another size was
    meant.

Example
    - GlobalAveragePooling2D
    - Flatten
    - Dense: {units: 10, activation: softmax}

Use instead
    - GlobalAveragePooling2D
    - Dense: {units: 10, activation: softmax}

Source
    Keras's documentation of each of these layers.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import argument, family, kind, layer, rank, rate, sizes
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.node import Scalar
from kbuild.text.problem import Problem

CODE = "K328"
SEVERITY = "hint"


def find(net: Net) -> Iterator[Problem]:
    """Layers without an effect; the arrow shorthand's own `Flatten` is nothing that a person could leave out."""
    if net.spec and isinstance(net.spec.layers, Scalar):
        return
    for step in net.steps:
        shapes = net.input_shapes(step)
        why = _why(net, step) if len(shapes) == 1 else None
        if why:
            yield at_step(CODE, SEVERITY, step, f"`{step.name}` changes nothing: {why}", "leave it out")


def _why(net: Net, step: Step) -> str | None:
    before, after, name = net.input_shapes(step)[0], net.output_shape(step), kind(step)
    if layer(step) is not step.call:
        return None
    if name == "Flatten" and before is not None and len(before) == 1:
        return f"its input is flat, ({before[0]},)"
    if name == "Reshape" and before is not None and before == after:
        return "its input has that shape"
    if family(step) == "dropout" and rate(step) == 0:
        return "its rate is 0"
    if family(step) == "pool":
        window = sizes(step, "pool_size", rank(step))
        strides = sizes(step, "strides", rank(step)) if argument(step, "strides") is not None else window
        return "its windows are 1 wide" if window and set(window) == {1} == set(strides or ()) else None
    if family(step) == "frame":
        written = argument(step, "padding" if name.startswith("Zero") else "cropping")
        return "it adds or takes 0" if _all(written, 0) else None
    return "its size is 1" if name.startswith("UpSampling") and _all(argument(step, "size"), 1) else None


def _all(value: object, number: int) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(_all(item, number) for item in value)
    return type(value) is int and value == number
