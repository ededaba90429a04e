"""(Checked, Checked) → Layers for every step that is not as it was, in the order of the second network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kbuild.plan.check import Checked
from kbuild.plan.cost import Cost
from kbuild.plan.describe import refer
from kbuild.plan.diff.align import align, automatic
from kbuild.plan.diff.difference import Change, Layers
from kbuild.plan.diff.meaning import alike, between, plain
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Step
from kbuild.text.node import Plain


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two networks, and the names that its steps and inputs have in the other."""

    checked: Checked
    named: Mapping[str, str]

    @property
    def plan(self) -> Plan:
        """The network."""
        return self.checked.plan

    def cost(self, step: Step) -> Cost:
        """What a step costs."""
        return self.checked.costs.steps[step.name]

    def source(self, ref: Ref) -> Ref:
        """Where a tensor comes from, past the steps that the other network has not: through their first input."""
        while ref.step not in self.named and (step := self.plan.step(ref.step)) is not None and tensors(step):
            ref = tensors(step)[0]
        return ref

    def across(self, ref: Ref) -> Ref:
        """The same tensor, by the name that its step has in the other network."""
        found = self.source(ref)
        return Ref(self.named.get(found.step, found.step), found.index)


def sides(one: Checked, other: Checked) -> tuple[Side, Side]:
    """Both networks, aligned."""
    named = {**_inputs(one.plan, other.plan), **align(one.plan, other.plan)}
    return Side(one, named), Side(other, {theirs: mine for mine, theirs in named.items()})


def network(one: Side, other: Side) -> list[Layers]:
    """What is different, step by step; a step that is as it was is left out."""
    order = {step.name: index for index, step in enumerate(other.plan.steps)}
    rows: list[tuple[tuple[int, int], Layers]] = []
    at = -1
    for index, step in enumerate(one.plan.steps):
        if step.name not in one.named:
            rows.append(((at, index + 1), _alone("removed", one, step)))
            continue
        at = order[one.named[step.name]]
        found = _pair(one, other, step, other.plan.steps[at])
        if found is not None:
            rows.append(((at, 0), found))
    rows += [
        ((index, 0), _alone("added", other, step))
        for index, step in enumerate(other.plan.steps)
        if step.name not in other.named
    ]
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def called(step: Step) -> Plain:
    """A step's call as a spec writes it; a `reuse` by what it applies again."""
    return plain(step.call) if step.layer == step.name else {"reuse": step.layer}


def _inputs(one: Plan, other: Plan) -> dict[str, str]:
    """Inputs by name; a single one is the single other one."""
    mine, theirs = [given.name for given in one.inputs], [given.name for given in other.inputs]
    found = {name: name for name in mine if name in theirs}
    left = [name for name in mine if name not in found], [name for name in theirs if name not in found]
    return found | (dict(zip(*left, strict=True)) if len(left[0]) == len(left[1]) else {})


def _alone(kind: str, side: Side, step: Step) -> Layers:
    gone = kind == "removed"
    cost = side.cost(step)
    sources = tensors(step)
    changes: tuple[Change, ...] = ()
    if len(sources) > 1:
        refs: list[Plain] = [refer(side.plan, ref) for ref in sources]
        changes = (Change("from", refs, None) if gone else Change("from", None, refs),)
    return Layers(
        kind="removed" if gone else "added",
        before=step.name if gone else None,
        after=None if gone else step.name,
        calls=(called(step),),
        changes=changes,
        shapes=(step.shapes, None) if gone else (None, step.shapes),
        params=(cost.params, 0) if gone else (0, cost.params),
        flops=(cost.flops, 0) if gone else (0, cost.flops),
        count=(_counted(step), 0) if gone else (0, _counted(step)),
    )


def _pair(one: Side, other: Side, had: Step, has: Step) -> Layers | None:
    costs = one.cost(had), other.cost(has)
    changes = tuple(_changes(one, other, had, has))
    row = Layers(
        kind="changed",
        before=had.name,
        after=has.name,
        calls=(has.call.name,),
        changes=changes,
        shapes=(had.shapes, has.shapes),
        params=(costs[0].params, costs[1].params),
        flops=(costs[0].flops, costs[1].flops),
        count=(_counted(had), _counted(has)),
    )
    return row if changes or any(a != b for a, b in (row.shapes, row.params, row.flops, row.count)) else None


def _changes(one: Side, other: Side, had: Step, has: Step) -> list[Change]:
    found: list[Change] = []
    if had.name != has.name and _renamed(had, has):
        found.append(Change("name", had.name, has.name))
    if (had.call.namespace, had.call.name) != (has.call.namespace, has.call.name):
        found.append(Change("call", called(had), called(has)))
    else:
        found += between(had.call, has.call)
    found += _wiring(one, other, had, has)
    if _layer(one, had) != has.layer:
        found.append(Change("layer", had.layer, has.layer))
    before, after = (True if step.trainable is None else plain(step.trainable) for step in (had, has))
    if not alike(before, after):
        found.append(Change("trainable", before, after))
    paths = [step.weights and step.weights.path for step in (had, has)]
    if paths[0] != paths[1]:
        found.append(Change("weights", *paths))
    if (had.remat is None) != (has.remat is None):
        found.append(Change("remat", had.remat is not None, has.remat is not None))
    return found


def _wiring(one: Side, other: Side, had: Step, has: Step) -> list[Change]:
    """Tensors from elsewhere, and other literals given to the call. What was put in between is told of as added."""
    found: list[Change] = []

    def walk(value: object, side: Side, mapped: bool) -> object:
        if isinstance(value, Ref):
            return side.across(value) if mapped else side.source(value)
        return [walk(item, side, mapped) for item in value] if isinstance(value, list | tuple) else value

    before = walk(had.args, one, True), {k: walk(v, one, True) for k, v in had.kwargs.items() if _is_tensor(v)}
    after = walk(has.args, other, False), {k: walk(v, other, False) for k, v in has.kwargs.items() if _is_tensor(v)}
    if before != after:
        names = ([refer(side.plan, ref) for ref in tensors(step)] for side, step in ((one, had), (other, has)))
        sources: tuple[Plain, Plain] = tuple(own[0] if len(own) == 1 else list(own) for own in names)  # type: ignore[assignment]
        found.append(Change("from", *sources))
    literals = [{k: plain(v) for k, v in step.kwargs.items() if not _is_tensor(v)} for step in (had, has)]
    for key in dict.fromkeys([*literals[0], *literals[1]]):
        if not alike(literals[0].get(key), literals[1].get(key)):
            found.append(Change(f"call.{key}", literals[0].get(key), literals[1].get(key)))
    return found


def _is_tensor(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_tensor, value))
    return isinstance(value, Ref)


def _renamed(had: Step, has: Step) -> bool:
    """Whether a person gave another name: numbers that tell layers of one kind apart are nobody's choice."""
    if automatic(had.name, had.call.name) and automatic(has.name, has.call.name):
        return _skeleton(had.name) != _skeleton(has.name)
    return re.sub(r"-\d+(?=-|$)", "-*", had.name) != re.sub(r"-\d+(?=-|$)", "-*", has.name)


def _skeleton(name: str) -> str:
    """`inception_1-conv2d_2` → `inception-conv2d`."""
    return re.sub(r"-\d+(?=-|$)", "-*", re.sub(r"_\d+(?=-|$)", "", name))


def _layer(side: Side, step: Step) -> str:
    """The layer that a step applies, by the other network's name."""
    return side.named.get(step.layer, step.layer)


def _counted(step: Step) -> int:
    return 1 if step.layer == step.name else 0
