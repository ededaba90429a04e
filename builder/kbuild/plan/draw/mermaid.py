"""Plan → a Mermaid flowchart: blocks as subgraphs, shapes on the edges."""

from collections.abc import Iterator, Mapping, Sequence

from kbuild.plan.draw.colours import FAMILIES, INK, PLAIN
from kbuild.plan.draw.fold import Fold, to_depth, to_fit
from kbuild.plan.draw.scene import Box, Frame, Item, scene
from kbuild.plan.draw.tree import tree
from kbuild.plan.plan import Plan

MOST_CHARACTERS, MOST_EDGES = 50_000, 500
"""What Mermaid takes unless it is told otherwise (`maxTextSize`, `maxEdges`)."""
_SHAPES = {"input": ("([", "])"), "output": ("([", "])"), "fold": ("[[", "]]"), "step": ("[", "]")}


def flowchart(plan: Plan, depth: int | None = None) -> str:
    """A network as a Mermaid flowchart, top to bottom.

    Args:
        depth: how many levels of groups are open; None all, or as many as a drawing holds where Mermaid would refuse
            them all.
    """
    trees = tree(plan)
    text = _flowchart(plan, to_depth(trees, depth))
    if depth is None and (len(text) > MOST_CHARACTERS or text.count(" -->") > MOST_EDGES):
        return _flowchart(plan, to_fit(trees))
    return text


def _flowchart(plan: Plan, fold: Fold) -> str:
    found = scene(plan, None, fold)
    boxes = list(_boxes(found.items))
    ids = {box.key: f"n{number}" for number, box in enumerate(boxes)}
    lines = ["flowchart TB", *_items(found.items, ids, "  ", iter(range(len(plan.steps) + 1)))]
    for edge in found.edges:
        label = f'|"{_safe(edge.label)}"|' if edge.label else ""
        lines.append(f"  {ids[edge.source]} -->{label} {ids[edge.target]}")
    families = sorted({box.family for box in boxes if box.family in FAMILIES})
    for family in families:
        paint = FAMILIES.get(family, PLAIN)
        members = ",".join(ids[box.key] for box in boxes if box.family == family)
        lines += [
            f"  classDef {family} fill:{paint.fill},stroke:{paint.line},color:{INK}",
            f"  class {members} {family}",
        ]
    return "\n".join(lines)


def _boxes(items: Sequence[Item]) -> Iterator[Box]:
    for item in items:
        if isinstance(item, Frame):
            yield from _boxes(item.items)
        else:
            yield item


def _items(items: Sequence[Item], ids: Mapping[str, str], indent: str, numbers: Iterator[int]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Frame):
            yield f'{indent}subgraph g{next(numbers)} ["{_safe(item.title)}"]'
            yield f"{indent}  direction TB"
            yield from _items(item.items, ids, f"{indent}  ", numbers)
            yield f"{indent}end"
            continue
        left, right = _SHAPES[item.kind]
        yield f'{indent}{ids[item.key]}{left}"{_label(item)}"{right}'


def _label(box: Box) -> str:
    """The call in bold, the name below it where it says more."""
    if box.kind in {"input", "output"}:
        return f"<b>{_safe(box.name)}</b><br/>{_safe(box.output)}"
    about = box.rest if box.kind == "fold" else box.name
    return f"<b>{_safe(box.written)}</b><br/>{_safe(about)}"


def _safe(text: str) -> str:
    """Text inside quotation marks: Mermaid knows `#35;` for a character by its number."""
    return "".join(mark if mark not in '"#<>&`\\;|{}\n' else f"#{ord(mark)};" for mark in text)
