"""an embedding with fewer rows than there are words

What it does
    Compares `input_dim` of an `Embedding` with the numbers that the source gives it: an error if one is known to have
    no row, a warning if the source's `vocabulary` allows more words than there are rows.

Why is this bad?
    A number without a row fails on the CPU, gives zeros on a GPU, and on JAX takes the last row for all of them,
    without a word.

Example
    data: {source: imdb}                         # the numbers 0 to 19,999
    model:
      - Embedding: {input_dim: 1000, output_dim: 16}
      - GlobalAveragePooling1D
      - Dense: {units: 1, activation: sigmoid}

Use instead
    data: {source: imdb}
    model:
      - Embedding: {input_dim: 20000, output_dim: 16}
      - GlobalAveragePooling1D
      - Dense: {units: 1, activation: sigmoid}

Source
    `keras.layers.Embedding`: `input_dim` is the largest number plus 1.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import kind
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.spec.data import Texts
from kbuild.text.problem import Problem, Severity

CODE = "K343"
SEVERITY: Severity = "error"


def find(net: Net) -> Iterator[Problem]:
    """Numbers that have no row."""
    if net.header is None or net.spec is None or net.spec.data is None:
        return
    source = net.spec.data.source
    only = len(net.header.inputs) == len(net.plan.inputs) == 1
    for given in net.plan.inputs:
        name = next(iter(net.header.inputs)) if only else given.name
        numbers = net.header.seen.inputs.get(name)
        for step in _embeddings(net, given.name):
            rows = step.call.args.get("input_dim")
            if not isinstance(rows, int):
                continue
            if numbers is not None and numbers.high >= rows:
                message = f"`{step.name}` has {rows:,} rows and `{given.name}` holds numbers up to {numbers.high:,.0f}"
                help = f"write `input_dim: {int(numbers.high) + 1}`"
                yield at_step(CODE, "error", step, message, help, argument="input_dim")
            elif numbers is None and isinstance(source, Texts) and source.vocabulary > rows:
                message = f"`{step.name}` has {rows:,} rows and `vocabulary` allows {source.vocabulary:,} words"
                help = f"write `input_dim: {source.vocabulary}`, or `vocabulary: {rows}` in the source"
                yield at_step(CODE, "warning", step, message, help, argument="input_dim")


def _embeddings(net: Net, name: str) -> Iterator[Step]:
    """Embeddings that get the numbers of an input as they are."""
    waiting, seen = [name], {name}
    while waiting:
        for step in net.after(waiting.pop()):
            if kind(step) == "Embedding":
                yield step
            elif kind(step) in {"Reshape", "Flatten", "Permute", "Identity"} and step.name not in seen:
                seen.add(step.name)
                waiting.append(step.name)
