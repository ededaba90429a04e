"""(Plan, Plan) → which step of the one is which step of the other.

The best alignment of two sequences (Needleman and Wunsch, J. Mol. Biol. 48, 1970): what has the same name that a person
gave it belongs together, then what is called with the same arguments, then what is called by the same name. What has
moved is found among the rest.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.diff.meaning import arguments
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan, Step
from kbuild.spec.names import snake_case
from kbuild.text.node import Plain

_SIZES = frozenset({"units", "filters", "output_dim", "num_heads"})
"""Arguments that a layer can be told by, wherever it stands."""
_TRANSPARENT = frozenset({"chain", "branches"})
MOST_CELLS = 250_000
"""Beyond so many comparisons names alone decide."""
_NAMED, _SAME, _CALL, _SHARE, _AUTOMATIC = 8.0, 2.0, 1.0, 0.5, 0.25


@dataclass(frozen=True, slots=True)
class _Item:
    """A step as the alignment sees it.

    Args:
        own: whether a person chose its name.
        scope: the blocks and named groups that it stands in.
        key: equal for calls that mean the same.
        source: the step or input of its first tensor.
    """

    name: str
    own: bool
    scope: str
    call: str
    args: Mapping[str, Plain]
    key: str
    source: str


def align(one: Plan, other: Plan) -> dict[str, str]:
    """Names of steps of `one` → of those of `other` that they are. The same pairs whichever comes first."""
    a, b = [_item(step) for step in one.steps], [_item(step) for step in other.steps]
    if [(i.name, i.key) for i in a] > [(i.name, i.key) for i in b]:
        return {mine: theirs for theirs, mine in _pairs(b, a).items()}
    return _pairs(a, b)


def automatic(name: str, call: str) -> bool:
    """Whether nobody chose the last part of a step's name."""
    return re.fullmatch(rf"{re.escape(snake_case(call))}(_\d+)?|\d+", name.rsplit("-", 1)[-1]) is not None


def scope(name: str) -> str:
    """The blocks and named groups of a step, without the numbers that nobody chose: `stage-1-mb_conv_2-add` →
    `stage-mb_conv`.
    """
    parts = [re.sub(r"_\d+$", "", part) for part in name.split("-")[:-1]]
    return "-".join(part for part in parts if not part.isdigit() and part not in _TRANSPARENT)


def _item(step: Step) -> _Item:
    call = f"{step.call.namespace}.{step.call.name}" if step.layer == step.name else "reuse"
    args = arguments(step.call)
    key = f"{call} {json.dumps(args, sort_keys=True, default=str)}"
    source = next((ref.step for ref in tensors(step)), "")
    return _Item(step.name, not automatic(step.name, step.call.name), scope(step.name), call, args, key, source)


def _pairs(a: list[_Item], b: list[_Item]) -> dict[str, str]:
    start, stop = 0, 0
    most = min(len(a), len(b))
    while start < most and _equal(a[start], b[start]):
        start += 1
    while stop < most - start and _equal(a[-1 - stop], b[-1 - stop]):
        stop += 1
    found = {x.name: y.name for x, y in zip(a[:start], b[:start], strict=True)}
    found |= {x.name: y.name for x, y in zip(a[len(a) - stop :], b[len(b) - stop :], strict=True)}
    a, b = a[start : len(a) - stop], b[start : len(b) - stop]
    best = _believed(_best(a, b), a, b) if len(a) * len(b) <= MOST_CELLS else _by_name(a, b)
    return found | best | _moved([x for x in a if x.name not in best], [y for y in b if y.name not in best.values()])


def _equal(x: _Item, y: _Item) -> bool:
    return x.name == y.name and x.key == y.key


def _best(a: Sequence[_Item], b: Sequence[_Item]) -> dict[str, str]:
    """The alignment, in order, of the highest score."""
    width = len(b) + 1
    table = [[0.0] * width]
    for x in a:
        above, row = table[-1], [0.0]
        for j, y in enumerate(b):
            score = _score(x, y)
            diagonal = above[j] + score if score else -1.0
            row.append(max(diagonal, above[j + 1], row[j]))
        table.append(row)
    found: dict[str, str] = {}
    i, j = len(a), len(b)
    while i and j:
        score = _score(a[i - 1], b[j - 1])
        if score and table[i][j] == table[i - 1][j - 1] + score:
            i, j = i - 1, j - 1
            found[a[i].name] = b[j].name
        elif table[i][j] == table[i - 1][j]:
            i -= 1
        else:
            j -= 1
    return found


def _score(x: _Item, y: _Item) -> float:
    named = x.name == y.name
    if x.call != y.call:
        return _NAMED if named and x.own and y.own else 0.0
    if x.scope != y.scope and x.key != y.key:
        return 0.0
    score = _CALL
    if x.key == y.key:
        score += _SAME if x.args else 0.0
    else:
        shared = sum(1 for key, value in x.args.items() if key in y.args and y.args[key] == value)
        score += _SHARE * shared / len(x.args.keys() | y.args.keys())
    if named:
        score += _NAMED if x.own else _AUTOMATIC
    return score


def _believed(pairs: Mapping[str, str], a: Sequence[_Item], b: Sequence[_Item]) -> dict[str, str]:
    """The pairs without those of layers like any other, in different blocks, that do not even follow a pair."""
    here, there = {x.name: x for x in a}, {y.name: y for y in b}
    kept: dict[str, str] = {}
    for x in a:
        if x.name not in pairs:
            continue
        y = there[pairs[x.name]]
        # before the part that is aligned here everything is a pair, of the same name
        follows = kept.get(x.source) == y.source if x.source in here else x.source == y.source
        if x.scope == y.scope or _SIZES & x.args.keys() or (x.own and x.name == y.name) or follows:
            kept[x.name] = y.name
    return kept


def _by_name(a: Sequence[_Item], b: Sequence[_Item]) -> dict[str, str]:
    other = {y.name: y for y in b}
    return {x.name: x.name for x in a if x.name in other and (other[x.name].call == x.call or x.own)}


def _moved(a: Sequence[_Item], b: Sequence[_Item]) -> dict[str, str]:
    """What stands elsewhere now: of the same name, or the only one left with its call and arguments."""
    other = {y.name: y for y in b}
    found = {
        x.name: x.name for x in a if x.name in other and (x.key == other[x.name].key or (x.own and other[x.name].own))
    }
    once = [_once([x for x in items if x.name not in taken]) for items, taken in ((a, found), (b, found.values()))]
    return found | {name: once[1][key] for key, name in once[0].items() if key in once[1]}


def _once(items: Sequence[_Item]) -> Mapping[str, str]:
    keys = [(x, x.key if _SIZES & x.args.keys() else f"{x.scope} {x.key}") for x in items if x.args]
    counts = Counter(key for _, key in keys)
    return {key: x.name for x, key in keys if counts[key] == 1}
