"""(Form, Target) → lines of `blocks` and `model`."""

from collections.abc import Sequence
from dataclasses import dataclass

from kbuild.data.fail import fail
from kbuild.data.guess import Guess
from kbuild.data.header import Target
from kbuild.plan.start import thumb
from kbuild.plan.start.form import Form
from kbuild.plan.start.lines import Line


@dataclass(frozen=True, slots=True)
class Network:
    """Lines of the two sections."""

    blocks: tuple[Line, ...]
    model: tuple[Line, ...]


def network(guess: Guess, form: Form, residual: bool = False) -> Network:
    """A network for one input and one target.

    Args:
        residual: blocks with a shortcut in place of plain convolutions; for pictures.

    Raises:
        SpecError: K401 for a target that there are no rules of thumb for, or `residual` without a picture.
    """
    (target,) = guess.header.targets.values()
    units = _units(target)
    examples = guess.header.counts.get("train")
    if residual and (form.kind != "maps" or len(form.shape) != 3):
        raise fail("K401", "residual blocks are for pictures", "leave `--residual` out", "--residual")
    blocks: Sequence[Line] = ()
    if form.kind == "columns":
        body = _dense(form.shape[0], units, examples)
    elif form.kind == "words":
        body = _words(guess.words or 0)
    elif residual:
        body = _residual(form.shape)
    else:
        blocks, body = _convolutions(form.shape)
    return Network(tuple(blocks), (*body, *_head(guess, target, units)))


def _units(target: Target) -> int:
    """Numbers that the network is to give."""
    if target.task == "regression" and len(target.shape) <= 1:
        units = target.shape[0] if target.shape else 1
    elif target.task == "binary" and not target.one_hot and target.shape == ():
        units = 1
    elif target.task in {"binary", "multiclass", "multilabel"} and (target.one_hot or len(target.shape) <= 1):
        units = target.count
    else:
        units = None
    if units is None or (target.task == "multiclass" and not target.one_hot and target.shape):
        raise fail(
            "K401",
            f"there is no rule of thumb for a target of shape {list(target.shape)}",
            "begin with a spec of `kbuild ls` that is near to what you have, and copy it with `kbuild cp`",
        )
    return units


def _dense(entering: int | None, units: int, examples: int | None) -> list[Line]:
    if entering is None:
        # the number of columns is known when all rows are read
        widths, why = [64, 32][: 1 + (units < 32)], "the inputs are counted when the data are read"
    else:
        widths = thumb.hidden(entering, units, examples)
        near = round(2 * entering / 3 + units)
        ends = "between inputs and outputs" if widths[0] != near else f"⅔ · {entering} inputs + {units}"
        why = f"Heaton's rule of thumb: {ends}" + (", then √ of what is before times behind" if len(widths) > 1 else "")
    rates = thumb.dropout(widths)
    lines = [
        Line("- mlp:", f"Dense without bias, for the norm shifts; norm; ReLU{'; Dropout' if any(rates) else ''}"),
        Line(f"    units: {widths}", why),
        Line("    norm: BatchNormalization", "mean 0, variance 1 over the batch: trains faster"),
    ]
    if any(rates):
        written = f"[{', '.join(f'{rate:g}' for rate in rates)}]" if len(rates) > 1 else f"{rates[0]:g}"
        where = " after the last norm" if len(rates) > 1 else ""
        lines.append(
            Line(f"    dropout: {written}", f"so much is left out of each step{where}, against learning by heart")
        )
    return lines


def _words(vocabulary: int) -> list[Line]:
    return [
        Line(
            f"- Embedding: {{input_dim: {vocabulary}, output_dim: {thumb.WORD}, mask_zero: true}}",
            f"{thumb.WORD} numbers for each word; 0 only fills up",
        ),
        Line("- GlobalAveragePooling1D", "their mean: which words, not their order (arXiv:1607.01759)"),
        Line("- Dropout: 0.3", "so much is left out of each step, against learning by heart"),
    ]


def _convolutions(shape: Sequence[int | None]) -> tuple[list[Line], list[Line]]:
    axes = len(shape) - 1
    sizes = thumb.stages(shape[:-1])
    stages = len(sizes) - 1
    filters = thumb.filters(stages + 1)
    odd = any(side % 2 for sides in sizes[:-1] for side in sides)
    pool = f"MaxPooling{axes}D" + (": {padding: same}" if odd else "")
    blocks = [
        Line("conv_bn:", "a convolution as most networks have it"),
        Line("  params: {filters: $required}"),
        Line("  layers:"),
        Line(
            f"    - Conv{axes}D: {{filters: $filters, kernel_size: 3, padding: same, use_bias: false}}",
            "the norm shifts: no bias",
        ),
        Line("    - BatchNormalization", "mean 0, variance 1 over the batch: trains faster"),
        Line("    - ReLU"),
    ]
    halves = " → ".join("×".join(map(str, sides)) for sides in sizes) if sizes[0][0] else "halved three times"
    body: list[Line] = []
    if stages == 1:
        body = [
            Line(f"- {{conv_bn: {filters[0]}, repeat: 2}}", "two kernels of 3 see 5, with fewer weights"),
            Line(f"- {pool}", f"{halves}: the largest of each two"),
        ]
    elif stages:
        body = [
            Line("- chain:", "a stage: two kernels of 3 see 5, with fewer weights; then pooling"),
            Line("    - {conv_bn: $filters, repeat: 2}"),
            Line(f"    - {pool}", "halves the map"),
            Line(f"  repeat: {{filters: {filters[:-1]}}}", f"{halves}; twice the filters for half the map"),
        ]
    last = f"- {{conv_bn: {filters[-1]}, repeat: 2}}"
    return blocks, [*body, Line(last, "on the smallest map"), *_pooled(axes, filters[-1])]


def _residual(shape: Sequence[int | None]) -> list[Line]:
    sizes = thumb.stages(shape[:-1])
    filters = thumb.filters(len(sizes))
    strides = [1, *[2] * (len(filters) - 1)]
    halves = " → ".join("×".join(map(str, sides)) for sides in sizes) if sizes[0][0] else "halved three times"
    return [
        Line(
            f"- Conv2D: {{filters: {filters[0]}, kernel_size: 3, padding: same, use_bias: false}}",
            "the norm shifts: no bias",
        ),
        Line("- BatchNormalization"),
        Line("- ReLU"),
        Line("- residual: {filters: $filters, stride: $stride}", "with a way around them (ResNet, arXiv:1512.03385)"),
        Line(f"  repeat: {{filters: {filters}, stride: {strides}}}", f"{halves}; twice the filters for half the map"),
        *_pooled(2, filters[-1]),
    ]


def _pooled(axes: int, filters: int) -> list[Line]:
    return [
        Line(f"- GlobalAveragePooling{axes}D", f"the mean of each of {filters} maps: far fewer weights than Flatten"),
        Line("- Dropout: 0.3", "so much is left out of each step, against learning by heart"),
    ]


def _head(guess: Guess, target: Target, units: int) -> list[Line]:
    if target.task == "regression":
        lines = [Line(f"- Dense: {units}", "no activation: any number")]
        if guess.center is not None and units == 1:
            scale, mean = (_short(number) for number in (guess.center.spread, guess.center.mean))
            why = "from around 0 to the deviation and mean of the target"
            lines.append(Line(f"- Rescaling: {{scale: {scale}, offset: {mean}}}", why))
        return lines
    if target.task == "multilabel":
        return [Line(f"- Dense: {{units: {units}, activation: sigmoid}}", "a probability for each label, yes or no")]
    if units == 1:
        names = f"that it is {target.classes[1]}" if len(target.classes) == 2 else "of the second class"
        return [Line("- Dense: {units: 1, activation: sigmoid}", f"one probability is enough for two classes: {names}")]
    return [Line(f"- Dense: {{units: {units}, activation: softmax}}", "a probability for each class; they sum to 1")]


def _short(number: float) -> str:
    """Three digits are enough, as a float."""
    return repr(float(f"{number:.3g}"))
