"""(step, what goes into it) → whether its result still has a row for each example, and who needs that.

Operations of `keras.ops` may take the examples of a batch together: `ops.mean` without an axis, `ops.reshape` to sizes
of its own. In a penalty for `AddLoss` or in statistics of the batch that is meant. In front of a layer, or as an
output, it is a mistake, and it is told where it was made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from kbuild.plan.graph import Feed, tensors
from kbuild.plan.place import placed
from kbuild.plan.plan import Ref, Shape, Step
from kbuild.plan.shapes.mistake import show_value
from kbuild.plan.shapes.reduction import RULES as REDUCTIONS
from kbuild.plan.shapes.table import takes_any_batch
from kbuild.plan.trail import trail
from kbuild.text.problem import Problem, Related, SpecError

if TYPE_CHECKING:
    from kbuild.plan.graph import Graph
    from kbuild.text.source import Span


@dataclass(frozen=True, slots=True)
class Astray:
    """A tensor whose first axis is not the batch.

    Args:
        rows: how many rows there are for each example; None where the batch is gone.
        problem: what to say where an example's own row is needed.
    """

    rows: Fraction | None
    problem: Problem


def follow(step: Step, gone: bool, feed: Feed, graph: Graph) -> None:
    """Note what a step makes of the batch.

    Args:
        gone: whether its shape rule says that the result has no batch in front.
        feed: what goes into it.

    Raises:
        SpecError: K207 if the step is a layer that needs rows of examples and gets none.
    """
    before = [graph.astray.get(ref.step) for ref in tensors(step)]
    stray = next((each for each in before if each), None)
    if step.call.namespace != "ops":
        lost = before[0] if before else None
        if lost and lost.rows is None and not takes_any_batch(step.call.name):
            raise SpecError(needed(lost, f"`{step.name}` needs a row for each example", step.span))
        if stray and all(before):
            graph.astray[step.name] = stray
        return
    if gone:
        graph.astray[step.name] = Astray(None, stray.problem if stray else _gone(step, feed, graph))
        return
    rows = _rows(step, before, graph)
    if rows is None and stray and all(before):
        graph.astray[step.name] = stray
    elif rows not in (None, 1):
        graph.astray[step.name] = Astray(rows, stray.problem if stray else _folded(step, rows, feed, graph))


def needed(stray: Astray, message: str, span: Span | None) -> Problem:
    """The problem, with the place where the batch is needed and why."""
    if span is None:
        return stray.problem
    where = Related(message, span)
    return replace(stray.problem, related=(where, *stray.problem.related))


def without_examples(outputs: Mapping[str, Ref], graph: Graph) -> list[Problem]:
    """K207 for each output that has not one row for each example."""
    return [
        needed(stray, f"the output `{name}` is made of it", graph.steps[ref.step].span)
        for name, ref in outputs.items()
        if (stray := graph.astray.get(ref.step))
    ]


def _rows(step: Step, before: Sequence[Astray | None], graph: Graph) -> Fraction | None:
    """How many rows for each example come out; None where that cannot be told, or nothing changes it."""
    rows = [Fraction(1) if each is None else each.rows for each in before]
    first, args = rows[0] if rows else None, step.call.args
    if first is None or None in rows:
        return None
    name, shape = step.call.name, graph.shape(tensors(step)[0])
    if name == "reshape":
        return _reshaped(first, shape, args.get("newshape"))
    if args.get("axis") != 0:
        return None
    if name in ("concatenate", "append"):
        return sum((each for each in rows if each is not None), Fraction(0))
    count = args.get("indices_or_sections" if name.endswith("split") else "repeats")
    if not isinstance(count, int) or count < 1:
        return None
    return first / count if name in ("split", "array_split") else first * count if name == "repeat" else None


def _reshaped(rows: Fraction, shape: Shape, target: object) -> Fraction | None:
    if not isinstance(target, (list, tuple)) or shape is None or None in shape or target[:1] not in ([-1], (-1,)):
        return None
    size = math.prod(n for n in target[1:] if isinstance(n, int))
    return rows * math.prod(n for n in shape if n is not None) / size if size > 0 else None


def _gone(step: Step, feed: Feed, graph: Graph) -> Problem:
    name, args = f"ops.{step.call.name}", step.call.args
    shape = graph.shape(next(iter(tensors(step)), Ref("?")))
    axes = ", ".join(str(axis) for axis in range(1, len(shape or ()) + 1))
    key = "axes" if "axes" in args else "axis"
    message, help = f"the result of `{name}` has no batch in front", "use a layer, or an operation along other axes"
    if step.call.name == "reshape":
        target = args.get("newshape")
        sizes = list(target) if isinstance(target, (list, tuple)) else [target]
        rest = show_value([size for size in sizes if size != -1])
        message = f"`{name}` to {show_value(sizes)} leaves no axis for the batch"
        help = f"use `Reshape: {rest}`, which leaves the batch alone; `{name}` counts it as the first size"
    elif step.call.name in ("transpose", "moveaxis", "swapaxes"):
        message = f"`{name}` moves the batch away from axis 0"
        help = "use `Permute`, which leaves the batch alone; here axis 0 is the batch"
    elif args.get(key) is not None:
        message = f"`{name}` over {key} {show_value(args[key])} takes the examples of a batch together"
        help = "axis 0 is the batch" + (f"; the axes of an example are {axes}" if axes else "")
    elif step.call.name in REDUCTIONS:
        message = f"`{name}` without `axis` takes the examples of a batch together"
        help = f"write `{name}: {{axis: [{axes}]}}` for one value of each example" if axes else "leave it out"
    problem = Problem("K207", message, step.span, help=help, related=trail(graph, feed, step.within), path=step.path)
    return placed(problem, step.used)


def _folded(step: Step, rows: Fraction, feed: Feed, graph: Graph) -> Problem:
    made = f"{rows.numerator} row{'' if rows.numerator == 1 else 's'}"
    of = "each example" if rows.denominator == 1 else f"{rows.denominator} examples"
    message = f"`ops.{step.call.name}` makes {made} of {of}, which no labels fit"
    help = "axis 0 is the batch: write another `axis`"
    if step.call.name == "reshape":
        help = "use `Reshape`, which leaves the batch alone"
    problem = Problem("K207", message, step.span, help=help, related=trail(graph, feed, step.within), path=step.path)
    return placed(problem, step.used)
