"""(Plan, Fold) → Scene: what is to be drawn, boxes in frames and the edges between them, without a place for it yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.draw import words
from kbuild.plan.draw.colours import family
from kbuild.plan.draw.fold import Fold
from kbuild.plan.draw.rows import total
from kbuild.plan.draw.tree import Tree, tree
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Ref, Shape, Step


@dataclass(frozen=True, slots=True)
class Box:
    """One thing: an input, an output, a layer or operation, or a folded group.

    Args:
        kind: `input`, `output`, `step` or `fold`.
        call: the call's name, or that of a folded group.
        rest: its arguments, briefly.
        output: the shape of what comes out.
        steps: the names of the steps that it stands for.
        again: whether its layer is applied once more.
    """

    key: str
    kind: str
    name: str
    call: str
    rest: str
    output: str
    family: str
    cost: Cost | None
    steps: tuple[str, ...] = ()
    again: bool = False

    @property
    def written(self) -> str:
        """The call as it is shown: `Dense(64)`, `Dense(64) again`."""
        call = f"{self.call}({self.rest})" if self.rest and self.kind != "fold" else self.call
        return f"{call} again" if self.again else call

    @property
    def about(self) -> str:
        """What stands below the call: its name; of a folded group what it is."""
        return self.rest if self.kind == "fold" else self.name

    @property
    def note(self) -> str:
        """Its parameters, if it has any: `9,472`."""
        return words.number(self.cost.params) if self.cost and self.cost.params != 0 else ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A group that is open: a titled border around what is in it.

    Args:
        note: its parameters: `Σ 8,320`.
        copies: so many of it stand one after the other, and this one stands for all.
    """

    key: str
    title: str
    note: str
    items: "tuple[Item, ...]"
    copies: int = 1


Item = Box | Frame


@dataclass(frozen=True, slots=True)
class Edge:
    """What goes from one box to another.

    Args:
        label: its shape, where that is not the shape of what went into the box that it leaves.
    """

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is drawn."""

    name: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]


def scene(plan: Plan, costs: Costs | None, fold: Fold) -> Scene:
    """Put a plan into boxes, frames and edges.

    Every step is in exactly one box: its own, that of the group that is folded around it, or that of the same step in
    the copy that stands for all.
    """
    stands: dict[str, str] = {entry.name: entry.name for entry in plan.inputs}
    copy_of: dict[str, tuple[str, ...]] = {}
    items = [*_inputs(plan), *_items(tree(plan), _Look(plan, costs, fold, stands, copy_of), ()), *_outputs(plan)]
    return Scene(plan.name, tuple(items), tuple(_edges(plan, stands, copy_of)))


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked at, and what is filled in: the box of each step, and the copies of examples it stands in."""

    plan: Plan
    costs: Costs | None
    fold: Fold
    stands: dict[str, str]
    copy_of: dict[str, tuple[str, ...]]


def _inputs(plan: Plan) -> Iterator[Box]:
    for entry in plan.inputs:
        yield Box(entry.name, "input", entry.name, "Input", "", words.grid(entry.shape), "input", None)


def _outputs(plan: Plan) -> Iterator[Box]:
    for name, ref in plan.outputs.items():
        yield Box(f"output:{name}", "output", name, "Output", "", words.grid(plan.shape(ref)), "output", None)


def _items(trees: Sequence[Tree], look: _Look, copies: tuple[str, ...]) -> Iterator[Item]:
    for item in trees:
        if item.is_step:
            yield _step(item, look, copies)
        elif item.key in look.fold.closed:
            yield _folded(item, look, copies)
        elif item.key in look.fold.examples:
            yield _example(item, look, copies)
        else:
            inside = tuple(_items(item.items, look, copies))
            if item.kind == "repeat" or item.is_quiet:
                yield from inside
            else:
                is_around = len(inside) == 1 and isinstance(inside[0], Frame)
                yield Frame(item.key, _title(item), "" if is_around else _note(look, item), inside)


def _step(item: Tree, look: _Look, copies: tuple[str, ...]) -> Box:
    step = item.steps[0]
    look.stands[step.name], look.copy_of[step.name] = step.name, copies
    cost = look.costs.steps.get(step.name) if look.costs else None
    call, rest, again = words.title(step.call), words.arguments(step.call), step.layer != step.name
    return Box(
        step.name, "step", item.name, call, rest, _given(step), family(step.call), cost, (step.name,), again
    )  # fmt: skip


def _folded(item: Tree, look: _Look, copies: tuple[str, ...]) -> Box:
    for step in item.steps:
        look.stands[step.name], look.copy_of[step.name] = item.key, copies
    cost = total(look.costs, item.steps) if look.costs else None
    count = len({step.layer for step in item.steps})
    rest = f"{item.label}, {count} layer{'' if count == 1 else 's'}"
    output = _given(item.steps[-1])
    names = tuple(step.name for step in item.steps)
    return Box(item.key, "fold", item.name, item.title, rest, output, "fold", cost, names)


def _example(item: Tree, look: _Look, copies: tuple[str, ...]) -> Frame:
    """The first copy, which stands for all: what leaves the last one leaves it."""
    first = item.items[0]
    inner = (first,) if first.is_step else first.items
    inside = tuple(_items(inner, look, (*copies, f"{item.key}#0")))
    for number, copy in enumerate(item.items[1:], 1):
        for step, like in zip(copy.steps, first.steps, strict=True):
            look.stands[step.name] = look.stands[like.name]
            inner_copies = look.copy_of[like.name][len(copies) + 1 :]
            look.copy_of[step.name] = (*copies, f"{item.key}#{number}", *inner_copies)
    return Frame(item.key, item.title, _note(look, item), inside, len(item.items))


def _given(step: Step) -> str:
    return ", ".join(words.grid(shape) for shape in step.shapes) if step.shapes is not None else words.UNKNOWN


def _title(item: Tree) -> str:
    return item.title if item.name.startswith(item.what) else f"{item.title} · {item.label.removeprefix('block ')}"


def _note(look: _Look, item: Tree) -> str:
    cost = total(look.costs, item.steps) if look.costs else None
    return f"Σ {words.number(cost.params)}" if cost and cost.params != 0 else ""


def _edges(plan: Plan, stands: Mapping[str, str], copy_of: Mapping[str, tuple[str, ...]]) -> Iterator[Edge]:
    found: dict[tuple[str, str], list[Ref]] = {}
    for step in plan.steps:
        copies = copy_of[step.name]
        for ref in tensors(step):
            pair, others = (stands[ref.step], stands[step.name]), copy_of.get(ref.step, ())
            # a later copy's shapes are not told where the first one stands for it, but new edges are drawn
            is_copy = not all(copy.endswith("#0") for copy in copies)
            if pair[0] != pair[1] and not _between_copies(others, copies) and not (is_copy and pair in found):
                found.setdefault(pair, []).append(ref)
    for name, ref in plan.outputs.items():
        found.setdefault((stands[ref.step], f"output:{name}"), []).append(ref)
    for (source, target), refs in found.items():
        yield Edge(source, target, ", ".join(dict.fromkeys(_label(plan, ref) for ref in refs)).strip(", "))


def _between_copies(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two steps stand in different copies of one repeat of which only one is drawn."""
    for a, b in zip(one, other, strict=False):
        if a != b:
            return a.rpartition("#")[0] == b.rpartition("#")[0]
    return False


def _label(plan: Plan, ref: Ref) -> str:
    step = plan.step(ref.step)
    shape = plan.shape(ref)
    return words.grid(shape) if step is None or shape is None or shape != _first(plan, step) else ""


def _first(plan: Plan, step: Step) -> Shape:
    given = tensors(step)
    return plan.shape(given[0]) if given else None
