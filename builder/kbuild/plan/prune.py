"""Steps that lead to no output: left out if the spec itself left out what they were for, a Problem otherwise."""

from collections.abc import Mapping

from kbuild.plan.graph import LOST, Graph, tensors
from kbuild.plan.place import placed
from kbuild.plan.plan import Ref, Step
from kbuild.text.problem import Problem, SpecError


def pruned(graph: Graph, outputs: Mapping[str, Ref]) -> tuple[Step, ...]:
    """The steps that the outputs need, in order.

    A step is left out without a word if a `when` dropped what it was for, if it only serves an output of a block that
    nobody uses, or if it stands in a block of which something else is used and either is that block's value or has
    another copy that is needed.

    Raises:
        SpecError: K202 for every other step that leads nowhere, once for each place, and for inputs that nothing uses.
    """
    live = reached(graph, {ref.step for ref in outputs.values()})
    spared = reached(graph, {name for name in graph.spared if name in graph.steps})
    needed = [graph.steps[name] for name in live if name in graph.steps]
    used_blocks = {step.used[0] for step in needed if step.used}
    somewhere = {step.span for step in needed}
    problems: dict[object, Problem] = {}
    dead = [name for name in graph.order if name not in live and name not in spared]
    feeding = {ref.step for name in dead for ref in tensors(graph.steps[name])}
    for name in dead:
        step = graph.steps[name]
        inside = step.used and step.used[0] in used_blocks
        if name in feeding or (inside and (name in graph.values or step.span in somewhere)):
            continue
        problem = Problem(
            "K202",
            f"`{name}` leads to no output",
            step.span,
            help="use it with `from`, name it in `model.outputs`, or remove it"
            if not inside
            else "use it with `from`, name it in the block's `outputs`, or remove it",
            path=step.path,
        )
        problems.setdefault(step.span or name, placed(problem, step.used))
    for given in graph.inputs.values():
        if given.name not in live and given.name not in spared and not dead:
            problems[given] = Problem(
                "K202", f"nothing uses the input `{given.name}`", given.span, help="use it with `from`, or remove it"
            )
    if problems:
        raise SpecError(list(problems.values()))
    return tuple(graph.steps[name] for name in graph.order if name in live)


def reached(graph: Graph, start: set[str]) -> set[str]:
    """All that `start` is computed from, itself included."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in found or name == LOST.step:
            continue
        found.add(name)
        step = graph.steps.get(name)
        if step is not None:
            waiting += [ref.step for ref in tensors(step)]
            if step.layer != name:
                waiting.append(step.layer)
    return found
