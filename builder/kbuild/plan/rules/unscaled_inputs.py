"""inputs that are not scaled

What it does
    Follows inputs whose numbers are large, such as pictures of bytes, to the first layer that multiplies them by
    weights, and looks for what scales them on the way: Rescaling, Normalization, another normalization, an
    application that scales inside. Above 100 it is a warning, above 10 a hint. A layer without bounds that a
    normalization follows is silent: it divides by the scale. Bytes of which no range is known count as pictures if
    they have the shape of one.

Why is this bad?
    Initial weights and learning rates are made for inputs near 0 and 1. Inputs of 255 make first outputs and
    gradients hundreds of times too large: units saturate or die, and columns of different scale make the loss a
    narrow valley.

Example
    data: {source: mnist}
    model: [Flatten, {Dense: {units: 64, activation: relu}}, {Dense: {units: 10, activation: softmax}}]

Use instead
    data: {source: mnist, preprocess: [{Rescaling: "${1 / 255}"}]}
    model: [Flatten, {Dense: {units: 64, activation: relu}}, {Dense: {units: 10, activation: softmax}}]

    For columns `preprocess: [Normalization]`, before a network of `keras.applications` `preprocess: auto`.

Source
    LeCun, Bottou, Orr, Müller: Efficient BackProp (1998), section 4.3; Ioffe and Szegedy, arXiv:1502.03167, section
    3.3, for what a normalization behind the layer does.
"""

import ast
from collections.abc import Iterator, Mapping

from kbuild.data.header import Range, Tensor
from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import MAPS, activation, family, kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.spec.call import Call
from kbuild.spec.data import Csv
from kbuild.spec.python_source import definition, module, resolve
from kbuild.spec.signature import signature
from kbuild.text.problem import Problem, Severity

CODE = "K338"
SEVERITY: Severity = "warning"

LARGE, SOME = 100.0, 10.0
"""The largest number of an input from which on it is a warning, and above which a hint."""
_BYTES = Range(0, 255)
_KEEP = frozenset(
    {"Flatten", "Reshape", "Permute", "Identity", "RepeatVector", "Concatenate", "Resizing", "CenterCrop", "Masking"}
    | {"Pipeline", "GaussianNoise", "UpSampling1D", "UpSampling2D", "UpSampling3D"}
)
"""Layers that hand numbers on in their scale, beside pooling, padding, dropout and what is random."""


def find(net: Net) -> Iterator[Problem]:
    """Large numbers where weights wait."""
    for name, (tensor, numbers) in _large(net).items():
        for step in _first(net, name):
            most = max(abs(numbers.low), abs(numbers.high))
            said = "holds bytes, up to 255," if numbers is _BYTES else f"is {numbers.low:,.6g} to {numbers.high:,.6g}"
            message = f"the input `{name}` {said} and reaches `{step.name}` unscaled"
            yield at_step(CODE, "warning" if most >= LARGE else "hint", step, message, _help(tensor, step, most))


def _large(net: Net) -> Mapping[str, tuple[Tensor, Range]]:
    """The model's inputs that the data fill with large numbers."""
    header, spec = net.header, net.spec
    if header is None or spec is None or spec.data is None:
        return {}
    only = len(header.inputs) == len(net.plan.inputs) == 1
    found: dict[str, tuple[Tensor, Range]] = {}
    for given in net.plan.inputs:
        name = next(iter(header.inputs)) if only else given.name
        tensor = header.inputs.get(name)
        if tensor is None or (isinstance(spec.data.source, Csv) and tensor.shape not in {(), (1,)}):
            continue  # what a table joins is normalized
        numbers = header.seen.inputs.get(name) or (_BYTES if _picture(tensor) else None)
        if numbers is not None and max(abs(numbers.low), abs(numbers.high)) > SOME:
            found[given.name] = (tensor, numbers)
    return found


def _picture(tensor: Tensor) -> bool:
    shape = tensor.shape
    if tensor.dtype != "uint8" or len(shape) not in (2, 3):
        return False
    return shape[-1] in (1, 3, 4) or shape[0] in (1, 3) if len(shape) == 3 else shape[0] == shape[1] != 1


def _first(net: Net, name: str) -> Iterator[Step]:
    """The first layers with weights that an input reaches in its own scale."""
    waiting, seen = [name], {name}
    while waiting:
        for step in net.after(waiting.pop()):
            if step.name in seen:
                continue
            seen.add(step.name)
            if _hands_on(step):
                waiting.append(step.name)
            elif _weighs(step) and not _divided(net, step):
                yield step


def _hands_on(step: Step) -> bool:
    what = kind(step)
    return what in _KEEP or what.startswith("Random") or family(step) in {"pool", "global", "dropout", "frame"}


def _weighs(step: Step) -> bool:
    """Whether a step multiplies what it gets by weights, as it is."""
    if step.call.namespace == "applications":
        return not _scales(step.call)
    return family(step) in MAPS | {"recurrent"}


def _divided(net: Net, step: Step) -> bool:
    """Whether a normalization follows, which takes the scale of the inputs out again."""
    after = net.next(step)
    return after is not None and family(after) == "norm" and activation(step) in {"linear", "relu"}


def _scales(call: Call) -> bool:
    """Whether an application scales what it gets, or it cannot be told: its `preprocess_input` does nothing then."""
    found = signature("applications", call.name)
    inside = next((p.default for p in found.parameters if p.name == "include_preprocessing"), None) if found else None
    if inside is not None:
        return bool(call.args.get("include_preprocessing", inside))
    public = module("keras.applications")
    made = resolve(public, call.name) if public else None
    scaling = definition(made.module, "preprocess_input") if made else None
    last = scaling.node.body[-1] if scaling else None
    return last is None or (isinstance(last, ast.Return) and isinstance(last.value, ast.Name))


def _help(tensor: Tensor, step: Step, most: float) -> str:
    if step.call.namespace == "applications":
        return "write `data: {preprocess: auto}`"
    if tensor.dtype.startswith("int"):
        return "begin with an `Embedding` if the numbers stand for words or categories"
    if len(tensor.shape) > 1:
        return f'write `data: {{preprocess: [{{Rescaling: "${{1 / {most:g}}}"}}]}}`'
    return "write `data: {preprocess: [Normalization]}`"
