"""hidden widths against the rules of thumb

What it does
    In a network that is one chain of dense layers, compares each hidden layer with the usual rules of thumb, and says
    what they come to: between the sizes of input and output; near ⅔ of the input plus the output; under twice the
    input; and no wider than the layer before it. It names the first layer that breaks one.

    Autoencoders, whose output is as wide as their input, are left alone.

Why is this bad?
    It may be right: the rules know nothing of how many examples there are or how hard the task is. They are a place
    to start from when nothing else is known; far from them, more layers or units rarely help and overfit sooner.

Example
    model: 13 -> 200 -> 400 -> 3

Use instead
    model: 13 -> 12 -> 6 -> 3

Source
    Heaton: Introduction to neural networks for Java, second edition (2008), chapter 5. Against: the
    comp.ai.neural-nets FAQ, part 3, "How many hidden units should I use?".
"""

from collections.abc import Iterator, Sequence

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import family, fan_in, width
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K320"
SEVERITY = "hint"

_THROUGH = frozenset({"activation", "norm", "dropout", "dense", "shape", "frame"})


def find(net: Net) -> Iterator[Problem]:
    """The first hidden layer of a dense net that breaks a rule."""
    layers = _layers(net)
    entering, units = (fan_in(net, layers[0]) if layers else None), [width(net, each) for each in layers]
    if len(layers) < 2 or entering is None or entering == units[-1]:
        return
    known = [size for size in units if size is not None]
    if len(known) < len(units):
        return
    for number, layer in enumerate(layers[:-1]):
        broken = _broken(entering, known, number)
        if broken:
            leaving = known[-1]
            ends = f"{_count(entering, 'input')} and {_count(leaving, 'output')}"
            thumb = f"⅔ · {entering} + {leaving} = {_thumb(entering, leaving)}"
            said = " and ".join(broken)
            message = f"`{layer.name}` has {known[number]} units between {ends}: {said}; a rule of thumb is {thumb}"
            yield at_step(CODE, SEVERITY, layer, message)
            return


def _layers(net: Net) -> list[Step]:
    """The dense layers of a network that is one chain of them on vectors; none of any other."""
    learned = [step for step in net.steps if step.name not in net.plan.preprocess]
    one = len(net.plan.inputs) == len(net.plan.outputs) == 1
    if not one or any(family(s) not in _THROUGH or len(net.after(s.name)) > 1 for s in learned):
        return []
    layers = [step for step in learned if family(step) == "dense"]
    return layers if all(len(net.output_shape(step) or ()) == 1 for step in layers) else []


def _broken(entering: int, units: Sequence[int], number: int) -> list[str]:
    here, leaving = units[number], units[-1]
    low, high = sorted((entering, leaving))
    found = []
    if here >= 2 * entering:
        found.append(f"not under twice the inputs ({2 * entering})")
    elif not low <= here <= high:
        found.append(f"not between {low} and {high}")
    if number and here > units[number - 1]:
        found.append(f"wider than the {units[number - 1]} before it")
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _thumb(entering: int, leaving: int) -> int:
    """⅔ of the inputs, and the outputs (Heaton 2008)."""
    return round(2 * entering / 3 + leaving)
