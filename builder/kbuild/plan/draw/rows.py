"""(Plan, Costs) → rows of a table: an input, a layer or a group each."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.draw import words
from kbuild.plan.draw.fold import Fold, to_depth
from kbuild.plan.draw.tree import Tree, tree
from kbuild.plan.draw.wires import Wires, wires
from kbuild.plan.field import Field
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Step

ABOVE = "↑"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        kind: `input`, `step`, or that of a group.
        source: the names of what goes into it; an arrow for what the row above gives: most rows have one, and the
            others are what is to be seen.
        gutter: the lines of the tree before the name: `│ ├ `.
        below: the same where the row goes on below itself: `│ │ `.
        path: where in the spec; that of its first step for a group.
        is_open: whether what is in it follows.
        cost: None where nothing is asked; a group's is the sum.
        share: of all parameters: `12.3 %`.
        field: the receptive field, in pixels of the input: `7`, `3×5`.
    """

    kind: str
    name: str
    call: str
    source: str
    output: str
    path: str = ""
    gutter: str = ""
    below: str = ""
    is_open: bool = False
    cost: Cost | None = None
    share: str = ""
    field: str = ""


def rows(
    plan: Plan, costs: Costs | None = None, depth: int | None = None, fields: Mapping[str, Field] | None = None
) -> list[Row]:
    """A row for each input, each step and each group.

    Args:
        depth: how many levels of groups are open, 0 the top alone; None all.
        fields: receptive fields by step; a folded group has the widest in it.
    """
    trees = tree(plan)
    made = _Rows(plan, costs, to_depth(trees, depth), fields or {}, wires(plan))
    shown = [Row("input", entry.name, "Input", "", words.shape(entry.shape)) for entry in plan.inputs]
    before: tuple[int, Ref | None] = (0, Ref(shown[-1].name))
    for found in made.level(trees, 0, ""):
        is_next = len(found.takes) == 1 and (found.level, found.takes[0]) == before
        shown.append(replace(found.row, source=ABOVE) if is_next else found.row)
        before = found.level, found.gives
    return shown


@dataclass(frozen=True, slots=True)
class _Found:
    """A row with the tensors that it takes, and the one that it gives if that is for what follows on its level."""

    row: Row
    level: int
    takes: Sequence[Ref]
    gives: Ref | None


@dataclass(frozen=True, slots=True)
class _Rows:
    """What rows are made of."""

    plan: Plan
    costs: Costs | None
    fold: Fold
    fields: Mapping[str, Field]
    wires: Wires

    def level(self, items: Sequence[Tree], level: int, before: str) -> Iterator[_Found]:
        """The rows of what stands side by side, with what is in them."""
        for index, item in enumerate(items):
            last = index == len(items) - 1
            here, below = (before + ("└ " if last else "├ "), before + ("  " if last else "│ ")) if level else ("", "")
            if item.is_step:
                takes = list(dict.fromkeys(tensors(item.steps[0])))
                yield _Found(self.step(item, here, below), level, takes, Ref(item.steps[0].name))
                continue
            is_open = item.key not in self.fold.closed
            takes, gives = self.wires.entering(item.steps), self.wires.outgoing(item.steps)
            row = self.group(item, here, below, is_open, takes.values(), gives)
            yield _Found(row, level, list(takes), gives[0] if len(gives) == 1 and not is_open else None)
            if is_open:
                yield from self.level(item.items, level + 1, below)

    def step(self, item: Tree, gutter: str, below: str) -> Row:
        step = item.steps[0]
        call = words.short(step.call) + (" again" if step.layer != step.name else "")
        cost = self.costs.steps.get(step.name) if self.costs else None
        source = ", ".join(dict.fromkeys(self.wires.name(ref, step) for ref in tensors(step)))
        output = words.shapes(step.shapes)
        field = self.field((step,))
        share = self.share(cost)
        return Row("step", item.name, call, source, output, step.path, gutter, below, False, cost, share, field)

    def group(
        self, item: Tree, gutter: str, below: str, is_open: bool, takes: Iterable[str], gives: Sequence[Ref]
    ) -> Row:  # fmt: skip
        cost = total(self.costs, item.steps) if self.costs else None
        source = ", ".join(dict.fromkeys(takes))
        output = ", ".join(words.shape(self.plan.shape(ref)) for ref in gives)
        path, share = item.steps[0].path, self.share(cost)
        field = "" if is_open else self.field(item.steps)
        return Row(item.kind, item.title, item.label, source, output, path, gutter, below, is_open, cost, share, field)

    def field(self, steps: Sequence[Step]) -> str:
        """The widest window of some steps."""
        found = [self.fields[step.name].size for step in steps if step.name in self.fields]
        return words.window(max(found, key=lambda sizes: [inf if n is None else n for n in sizes])) if found else ""

    def share(self, cost: Cost | None) -> str:
        return words.share(cost.params, self.costs.total.params) if cost and self.costs else ""


def total(costs: Costs, steps: Collection[Step]) -> Cost:
    """What some steps cost together; None in it where that of one is not known."""
    cost = Cost()
    for step in steps:
        cost += costs.steps.get(step.name, Cost(None, None, None, None))
    return cost
