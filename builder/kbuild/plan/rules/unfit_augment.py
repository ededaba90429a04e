"""augmentation that the data cannot go through

What it does
    Sends the shape of an input through `data.augment`, layer by layer.

Why is this bad?
    Layers that are made for pictures fail on columns, in the first batch. One that changes the shape gives the model
    other examples in training than it is built for: `RandomCrop` belongs into `preprocess` or into the model, where
    validation and prediction meet it too.

Example
    data: {source: digits, augment: [{RandomCrop: {height: 6, width: 6}}]}

Use instead
    data: {source: digits, augment: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}]}

Source
    The rules of shapes, which hold for the layers of a model too.
"""

from collections.abc import Iterator, Sequence

from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.plan.shapes.given import Known
from kbuild.spec.call import Call
from kbuild.text.problem import Problem

CODE = "K350"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Layers that fail on their input, and chains that end in another shape."""
    if net.spec is None or net.phase:
        return
    shapes = {given.name: given.shape for given in net.plan.inputs}
    for name, calls in net.spec.augment.items():
        shape = shapes.get(name) if name else next(iter(shapes.values()), None)
        path = f"data.augment.{name}".rstrip(".")
        wrong = None if shape is None else _wrong(shape, calls)
        if wrong is not None:
            call, message, help = wrong
            yield at_path(CODE, SEVERITY, net.spec, path, message, help, call.span)


def _wrong(shape: Known, calls: Sequence[Call]) -> tuple[Call, str, str] | None:
    now = shape
    for call in calls:
        try:
            found = shapes_of(call.name, call.args, [now])
        except ShapeMistake as mistake:
            return call, mistake.message, "take layers that are made for such examples"
        if not found or found[0] is None:
            return None
        before, now = now, found[0]
        if len(now) != len(before) or any(_differ(*pair) for pair in zip(now, before, strict=True)):
            return call, f"`{call.name}` makes {_written(now)} of {_written(before)}", "put it into `preprocess`"
    return None


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _written(shape: Known) -> str:
    return "×".join("?" if size is None else str(size) for size in shape) or "a number"
