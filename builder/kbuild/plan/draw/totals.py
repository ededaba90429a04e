"""(Plan, Costs) → the lines below a table: what a network costs in all, and what of it is not known."""

from collections.abc import Iterator, Sequence

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.draw import words
from kbuild.plan.graph import tensors
from kbuild.plan.memory import Memory, memory
from kbuild.plan.phases import Phase
from kbuild.plan.plan import Plan, Step
from kbuild.spec.train import Train

_MOST = 4


def totals(
    plan: Plan, costs: Costs, train: Train | None = None, batch: int = 1, is_built: bool = False,
    parts: Sequence[Phase] = (),
) -> list[str]:  # fmt: skip
    """Parameters, operations and memory, a line each; and a line for what of it is not known.

    Args:
        train: how it is trained; None says nothing of memory.
        batch: examples in a training step.
        is_built: whether Keras was asked: what it did not tell is not known after `--build` either.
        parts: the phases of the training: memory is that of the one that takes most.
    """
    known = _known(costs)
    lines = [_parameters(costs.total, known), _flops(costs.total, known)]
    if train is not None:
        needs = [memory(_known(part.costs), part.spec.train, batch) for part in parts if len(parts) > 1]
        most = max(needs, key=lambda found: found.at_least, default=memory(known, train, batch))
        lines.append(_memory(most, costs.total, batch))
    lines += [_phase(part) for part in parts if part.spec.train is not train]
    return lines + [f"? is not known: {text}" for text in _unknown(plan, costs, is_built)]


def _phase(part: Phase) -> str:
    """`phase 2: 10 epochs, 1,898 parameters learn, Adam`."""
    train, learned = part.spec.train, part.costs.total.trainable
    epochs = f"{train.epochs} epoch{'' if train.epochs == 1 else 's'}"
    many = words.UNKNOWN if learned is None else words.number(learned)
    return f"phase {part.number + 1}: {epochs}, {many} parameters learn, {train.optimizer.name}"


def _known(costs: Costs) -> Cost:
    """The sum of what is known."""
    every = costs.steps.values()
    return Cost(
        sum(cost.trainable or 0 for cost in every),
        sum(cost.frozen or 0 for cost in every),
        sum(cost.flops or 0 for cost in every),
        sum(cost.kept or 0 for cost in every),
    )


def _parameters(total: Cost, known: Cost) -> str:
    if total.params is None:
        return f"parameters: {f'at least {words.number(known.params)}' if known.params else words.UNKNOWN}"
    if not total.params:
        return "parameters: none"
    rest = f", {words.number(total.frozen)} not" if total.frozen else ""
    return f"parameters: {words.number(total.params)} ({words.number(total.trainable)} trainable{rest})"


def _flops(total: Cost, known: Cost) -> str:
    least = "at least " if total.flops is None else ""
    found = known.flops if total.flops is None else total.flops
    if total.flops is None and not found:
        return f"FLOPs: {words.UNKNOWN}"
    return f"FLOPs: {least}{words.scaled(found)} for one example forward, a multiply–add counted as two"


def _memory(found: Memory, total: Cost, batch: int) -> str:
    told = ", ".join(f"{part} {words.size(size)}" for part, size in _parts(found, total))
    if not found.at_least and None in (total.trainable, total.frozen, total.kept):
        return f"memory: {words.UNKNOWN}"
    examples = "one example" if batch == 1 else f"a batch of {batch:,}"
    least = None in (total.trainable, total.frozen, total.kept) or found.total is None
    return f"memory: {'at least' if least else 'about'} {words.size(found.at_least)} to train on {examples} ({told})"


def _parts(found: Memory, total: Cost) -> Iterator[tuple[str, int | None]]:
    """The parts of a training step; None where nothing of it is known."""
    yield "weights", found.weights or (0 if total.params is not None else None)
    yield "gradients", found.gradients or (0 if total.trainable is not None else None)
    yield "optimizer", found.optimizer
    yield "activations", found.activations or (0 if total.kept is not None else None)


def _unknown(plan: Plan, costs: Costs, is_built: bool) -> Iterator[str]:
    """Which layers it is, and what would tell."""
    unknown = [step for step in plan.steps if _asks(step, costs.steps.get(step.name))]
    open_, closed = [], []
    for step in unknown:
        (open_ if _has_open_size(plan, step) else closed).append(step)
    if open_:
        yield f"{_names(open_)} {_verb(open_)} a size that the data or `inputs` leave open"
    if closed:
        yield f"{_names(closed)}, {'which Keras does not tell' if is_built else 'known after `--build`'}"


def _asks(step: Step, cost: Cost | None) -> bool:
    return cost is None or cost.params is None or cost.flops is None or step.shapes is None or None in step.shapes


def _has_open_size(plan: Plan, step: Step) -> bool:
    shapes = [*(plan.shape(ref) for ref in tensors(step)), *(step.shapes or ())]
    return None not in shapes and any(length is None for shape in shapes for length in shape or ())


def _names(steps: Sequence[Step]) -> str:
    told = ", ".join(f"`{step.name}`" for step in steps[:_MOST])
    rest = len(steps) - _MOST
    return told if rest <= 0 else f"{told} and {rest} {'other' if rest == 1 else 'others'}"


def _verb(steps: Sequence[Step]) -> str:
    return "has" if len(steps) == 1 else "have"
