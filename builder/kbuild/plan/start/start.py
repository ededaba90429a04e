"""(Guess, Options) → the text of a spec, a reason beside each line."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbuild.data.guess import Guess
from kbuild.data.guess.guess import relative
from kbuild.data.header import Target
from kbuild.plan.start import thumb
from kbuild.plan.start.form import Form, form
from kbuild.plan.start.lines import WIDTH, Line, indented, laid
from kbuild.plan.start.network import network
from kbuild.text.write import write

_UNEVEN = 3
"""Classes that differ so many times in size are weighed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said.

    Args:
        dest: the file that the spec is for; absolute.
        shown: the same as the user would type it.
        command: how they asked for it, for the comment.
        residual: blocks with a shortcut.
        schema: the name of the schema that lies in the folder of `dest`; empty if there is none.
    """

    dest: Path
    shown: str
    command: str
    residual: bool = False
    schema: str = ""


def start(guess: Guess, options: Options) -> str:
    """A spec that can be trained as it is.

    Raises:
        SpecError: K401 for data that there are no rules of thumb for.
    """
    made = form(guess)
    net = network(guess, made, options.residual)
    sections = [
        [Line("kbuild: 1", "the version of the format"), Line(f"name: {_scalar(_name(options.dest))}")],
        _data(guess, made, options.dest.parent),
        [Line("blocks:"), *indented(net.blocks, 2)] if net.blocks else [],
        _model(guess, made, net.model),
        _train(guess, made),
    ]
    written = ["\n".join(laid(lines)) for lines in sections if lines]
    return "\n".join(_comment(guess, options)) + "\n" + "\n\n".join(written) + "\n"


def root(guess: Guess, home: Path) -> Path | None:
    """The folder to allow with `--data-root`; None if the data lie in the spec's own, or have no folder."""
    if guess.root is None or Path(os.path.realpath(guess.root)).is_relative_to(os.path.realpath(home)):
        return None
    return guess.root


def _comment(guess: Guess, options: Options) -> list[str]:
    outside = root(guess, options.dest.parent)
    allow = f" --data-root {shlex.quote(os.path.relpath(outside))}" if outside else ""
    said = f"A start for {_about(guess)}. Made by rules of thumb with `{options.command}`: each line says its reason."
    lines = [said, *(f"{note[0].upper()}{note[1:]}." for note in guess.notes)]
    wrapped = [row for line in lines for row in _wrapped(line)]
    editor = [f"# yaml-language-server: $schema={options.schema}"] if options.schema else []
    return [*editor, f"# kbuild fit {shlex.quote(options.shown)}{allow}", "#", *(f"# {row}" for row in wrapped)]


def _about(guess: Guess) -> str:
    header = guess.header
    (tensor,), (target,) = header.inputs.values(), header.targets.values()
    count = header.counts.get("train")
    many = f"{count:,} examples, " if count else ""
    size = "×".join("?" if side is None else str(side) for side in tensor.shape) or "one number"
    return f"`{guess.name}`: {many}{size} {tensor.dtype} → {_goal(target)}"


def _goal(target: Target) -> str:
    if target.task == "regression":
        return "a number" if target.shape in {(), (1,)} else f"{target.shape[0]} numbers"
    if target.task == "multilabel":
        return f"{target.count} labels at once"
    names = target.classes if len(target.classes) <= 10 else ()
    listed = f" ({', '.join(names)})" if names and not names[0].isdigit() else ""
    return f"{target.count} classes{listed}"


def _data(guess: Guess, made: Form, home: Path) -> list[Line]:
    outside = root(guess, home)
    source = _literal(relative(guess.source, (outside or home).absolute()))
    text = write({"source": source}).rstrip().split("\n")  # type: ignore[dict-item]
    why = "paths start at this file's folder" if guess.root and not outside else "lies in the folder of --data-root"
    lines = [Line("data:"), Line(f"  {text[0]}", why if guess.root else ""), *(Line(f"  {row}") for row in text[1:])]
    lines += _split(guess)
    train = _trained(guess)
    size = thumb.batch(train)
    count = -(-train // size) if train else 0
    steps = f"; {count:,} step{'s' if count > 1 else ''} to an epoch" if count else ""
    lines.append(Line(f"  batch_size: {size}", f"examples in a step{steps}"))
    if made.augment:
        lines += [
            Line("  augment:", "in training only: what it sees is never twice the same"),
            *indented(made.augment, 4),
        ]
    if made.preprocess:
        lines += [Line("  preprocess:", "stays inside the model, which takes raw data"), *indented(made.preprocess, 4)]
    return lines


def _literal(value: object) -> object:
    """A dollar in the name of a column or file is no variable."""
    if isinstance(value, Mapping):
        return {_literal(key): _literal(item) for key, item in value.items()}
    return value.replace("$", "$$") if isinstance(value, str) else value


def _model(guess: Guess, made: Form, layers: Sequence[Line]) -> list[Line]:
    why = "each entry takes the output of the one before"
    if guess.input is None:
        return [Line("model:", why), *indented(layers, 2)]
    (length,) = made.shape
    declared = Line(f"  inputs: {{{guess.input}: {{shape: [{length}], dtype: int32}}}}", "the numbers of its words")
    return [Line("model:"), declared, Line("  layers:", why), *indented(layers, 4)]


def _split(guess: Guess) -> list[Line]:
    counts = guess.header.counts
    share = thumb.kept(counts.get("train"))
    missing = [part for part in ("validation", "test") if part not in counts]
    if not missing:
        return []
    written = ", ".join(f"{part}: {share}" for part in missing)
    why = {
        2: "one part tells when to stop, the other what was reached",
        1: f"the source has its own {'test' if missing == ['validation'] else 'validation'} part",
    }[len(missing)]
    return [Line(f"  split: {{{written}}}", why)]


def _trained(guess: Guess) -> int | None:
    """Examples that are left to train on, about."""
    counts = guess.header.counts
    whole = counts.get("train")
    missing = sum(part not in counts for part in ("validation", "test"))
    return None if whole is None else round(whole * (1 - missing * thumb.kept(whole)))


def _train(guess: Guess, made: Form) -> list[Line]:
    (target,) = guess.header.targets.values()
    count = _trained(guess)
    epochs = thumb.epochs(count, thumb.batch(count))
    lines = [
        Line("train:"),
        _optimizer(made, count),
        Line("  loss: auto", _loss(target)),
        Line(f"  metrics: [{_metrics(guess, target)}]", "what is shown beside the loss"),
    ]
    if _uneven(guess):
        lines.append(Line("  class_weight: balanced", "rare classes count as much as frequent ones"))
    return [
        *lines,
        Line(f"  epochs: {epochs}", "at most so often through the training part"),
        Line(
            "  schedule: {cosine: {to: 1e-5}}",
            "the rate falls along half a cosine: large steps, then fine ones",
        ),
        Line(
            f"  early_stopping: {{monitor: val_loss, patience: {thumb.patience(epochs)}}}",
            "ends when nothing gets better, and takes the best weights",
        ),
    ]


def _optimizer(made: Form, examples: int | None) -> Line:
    if made.kind == "columns" and examples is not None and examples < 1000:
        return Line(
            f"  optimizer: {{Adam: {_power(thumb.FAST)}}}", "ten times the usual: so small a network takes large steps"
        )
    return Line(
        f"  optimizer: {{Adam: {_power(thumb.RATE)}}}", "the rate of Adam's paper (arXiv:1412.6980), mostly right"
    )


def _power(rate: float) -> str:
    return f"{rate:.0e}".replace("e-0", "e-")


def _loss(target: Target) -> str:
    if target.task == "regression":
        return "a number to predict: mean squared error"
    if target.task == "multilabel":
        return "labels that are each yes or no: binary crossentropy"
    if target.task == "binary" and not target.one_hot:
        return "two classes and a sigmoid: binary crossentropy"
    return "classes and a softmax: crossentropy"


def _metrics(guess: Guess, target: Target) -> str:
    if target.task == "regression":
        return "mae"
    return "accuracy, AUC" if target.task == "binary" and not target.one_hot else "accuracy"


def _uneven(guess: Guess) -> bool:
    sizes = [size for found in guess.header.seen.sizes.values() for size in found]
    return bool(sizes) and min(sizes) > 0 and max(sizes) >= _UNEVEN * min(sizes)


def _name(dest: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", dest.stem).strip("._-")[:64] or "spec"


def _scalar(text: str) -> str:
    return write({"name": text}).rstrip().removeprefix("name: ")


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
