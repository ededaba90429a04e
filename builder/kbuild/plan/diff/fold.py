"""Layers, one a step → fewer that say the same: copies of a repeat as one, blocks that came or went as one."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kbuild.plan.diff.difference import Change, Layers, Numbers
from kbuild.plan.diff.network import called
from kbuild.plan.plan import Plan
from kbuild.text.node import Plain

_MANY = 4


def fold(rows: Sequence[Layers], one: Plan, other: Plan) -> list[Layers]:
    """The same in fewer rows; counts, parameters and FLOPs are sums.

    Args:
        rows: as `network` gives them.
        one, other: the networks before and after.
    """
    folded = _groups(_groups(rows, "removed", one, other), "added", other, one)
    return _effects(_copies(folded))


@dataclass(frozen=True, slots=True)
class _Scopes:
    """The steps of a plan by the prefixes of their names: `stage-0-conv` stands in `stage` and `stage-0`."""

    inside: Mapping[str, tuple[str, ...]]
    calls: Mapping[str, str]
    places: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> "_Scopes":
        inside: dict[str, list[str]] = {}
        for step in plan.steps:
            for scope in scopes(step.name):
                inside.setdefault(scope, []).append(step.name)
        return cls({k: tuple(v) for k, v in inside.items()}, {s.name: str(called(s)) for s in plan.steps})

    def content(self, scope: str) -> tuple[tuple[str, str], ...]:
        """What stands in it: names from there on, and calls; of a step, itself."""
        inside = self.inside.get(scope, (scope,))
        return tuple((name.removeprefix(scope), self.calls.get(name, "")) for name in inside)

    def copies(self, repeat: str) -> list[str]:
        """The scopes of the copies of a repeat, or their names if each is one step."""
        names = (name.removeprefix(f"{repeat}-").split("-", 1)[0] for name in self.inside.get(repeat, ()))
        return [f"{repeat}-{number}" for number in dict.fromkeys(names) if number.isdigit()]


def scopes(name: str) -> list[str]:
    """The prefixes of a name, outermost first."""
    parts = name.split("-")
    return ["-".join(parts[:end]) for end in range(1, len(parts))]


def general(name: str) -> str:
    """A name with `*` for the numbers of copies: `stage-*-conv`."""
    return re.sub(r"-\d+(?=-|$)", "-*", name)


def pattern(names: Sequence[str]) -> str:
    """Names that differ in numbers of copies alone as one, with `*` for those: `stage-*-conv`."""
    parts = [name.split("-") for name in names]
    if len({len(own) for own in parts}) > 1:
        return general(names[0])
    return "-".join(own[0] if len(set(own)) == 1 else "*" for own in zip(*parts, strict=True))


def _groups(rows: Sequence[Layers], kind: str, plan: Plan, against: Plan) -> list[Layers]:
    """A scope of which everything came (or went) is one row; copies that are as another one count as copies."""
    names = {row.name for row in rows if row.kind == kind}
    if not names:
        return list(rows)
    own, others = _Scopes.of(plan), _Scopes.of(against)
    whole = {scope for scope, inside in own.inside.items() if names.issuperset(inside)}
    found: dict[str, list[Layers]] = {}
    for row in rows:
        place = _place(row.name, names, whole, own, others) if row.kind == kind else f" {row.before} {row.after}"
        found.setdefault(place, []).append(row)
    folded = [(key, _group(key, group, own, others) if key[0] in "=*" else group[0]) for key, group in found.items()]
    return _siblings(folded)


def _siblings(rows: Sequence[tuple[str, Layers]]) -> list[Layers]:
    """Many copies of one repeat that came (or went), of the same kinds of layers, are one row."""
    found: dict[object, list[tuple[str, Layers]]] = {}
    for index, (key, row) in enumerate(rows):
        repeat, _, number = key.rpartition("-")
        kinds = tuple(next(iter(call)) if isinstance(call, dict) else call for call in row.calls)
        found.setdefault((repeat, kinds) if key[0] == "=" and number.isdigit() else index, []).append((key, row))
    return [row for several in found.values() for row in _merged(several)]


def _merged(several: Sequence[tuple[str, Layers]]) -> list[Layers]:
    rows = [row for _, row in several]
    if len(rows) < _MANY:
        return rows
    name = pattern([key[1:] for key, _ in several])
    ends = (None, name) if rows[0].kind == "added" else (name, None)
    calls = tuple(call for row in rows for call in row.calls)
    whole = replace(rows[0], before=ends[0], after=ends[1], calls=calls, changes=(), shapes=(None, None))
    return [_summed(whole, rows)]


def _place(name: str, names: set[str], whole: set[str], own: _Scopes, others: _Scopes) -> str:
    """What a step that came (or went) is folded into: `=scope`, `*repeat`, or nothing but itself."""
    # a copy that is a single step is a scope of its own
    scope = next((scope for scope in scopes(name) if scope in whole), name)
    if scope not in own.places:
        own.places[scope] = _of_scope(scope, names | whole, own, others)
    place = own.places[scope]
    return place if scope in whole or place[0] == "*" else f" {name}"


def _of_scope(scope: str, lost: set[str], own: _Scopes, others: _Scopes) -> str:
    repeat, _, number = scope.rpartition("-")
    if number.isdigit() and others.copies(repeat):
        content = own.content(scope)
        for copy in own.copies(repeat):
            if copy not in lost and own.content(copy) == content:
                return f"*{repeat}"
    return f"={scope}"


def _group(key: str, rows: Sequence[Layers], own: _Scopes, others: _Scopes) -> Layers:
    scope, first = key[1:], rows[0]
    if len(rows) == 1 and key[0] == "=":
        return first
    came = first.kind == "added"
    if key[0] == "=":
        calls = tuple(call for row in rows for call in row.calls)
        name = (None, scope) if came else (scope, None)
        whole = replace(first, before=name[0], after=name[1], calls=calls, changes=(), shapes=rows[-1].shapes)
        return _summed(whole, rows)
    numbers = len(own.copies(scope)), len(others.copies(scope))
    before, after = reversed(numbers) if came else numbers
    return _summed(Layers("copies", scope, scope, (), (Change("repeat", before, after),)), rows)


def _copies(rows: Sequence[Layers]) -> list[Layers]:
    """Copies of a repeat with the same change are one row."""
    found: dict[object, list[Layers]] = {}
    for index, row in enumerate(rows):
        own = row.kind == "changed" and row.changes and "*" in general(row.name)
        changes = tuple((change.path, str(change.before), str(change.after)) for change in _general(row.changes))
        found.setdefault((general(row.before or ""), general(row.name), changes) if own else index, []).append(row)
    return [_one(group) for group in found.values()]


def _one(group: Sequence[Layers]) -> Layers:
    if len(group) == 1:
        return group[0]
    first = group[0]
    whole = replace(
        first,
        before=pattern([row.before or "" for row in group]),
        after=pattern([row.after or "" for row in group]),
        changes=tuple(_general(first.changes)),
        shapes=first.shapes if all(row.shapes == first.shapes for row in group) else (None, None),
    )
    return _summed(whole, group)


def _general(changes: Iterable[Change]) -> Iterator[Change]:
    """Changes in which names of copies are general."""
    for change in changes:
        if change.path in {"from", "name", "layer"}:
            yield Change(change.path, _without_numbers(change.before), _without_numbers(change.after))
        else:
            yield change


def _without_numbers(value: Plain) -> Plain:
    if isinstance(value, list):
        return [_without_numbers(name) for name in value]
    return general(value) if isinstance(value, str) else value


def _effects(rows: Sequence[Layers]) -> list[Layers]:
    """Layers of which nothing was changed by hand: those of a scope that give the same are one row."""
    found: dict[object, list[Layers]] = {}
    last: object = None
    for index, row in enumerate(rows):
        key: object = index
        if row.kind == "changed" and not row.changes:
            scope = general(row.name).rpartition("-")[0]
            # at the top only neighbours: the first and the last name them
            key = (scope, row.shapes) if scope else (last if _joins(last, found, row) else ("", index, row.shapes))
        found.setdefault(key, []).append(row)
        last = key
    return [_named(group) for group in found.values()]


def _joins(key: object, found: Mapping[object, Sequence[Layers]], row: Layers) -> bool:
    return isinstance(key, tuple) and key[0] == "" and found[key][0].shapes == row.shapes


def _named(group: Sequence[Layers]) -> Layers:
    """Rows of effects as one; its name is that of all of them, or the scope's, or the first and the last."""
    if len(group) == 1:
        return group[0]

    def name(names: Sequence[str]) -> str:
        if len(set(map(general, names))) == 1:
            return pattern(names)
        scope = pattern([name.rpartition("-")[0] for name in names])
        return f"{scope}-*" if scope else f"{names[0]} … {names[-1]}"

    calls = dict.fromkeys(call for row in group for call in row.calls if isinstance(call, str))
    before, after = name([row.before or "" for row in group]), name([row.after or "" for row in group])
    return _summed(replace(group[0], before=before, after=after, calls=tuple(calls)), group)


def _summed(row: Layers, rows: Sequence[Layers]) -> Layers:
    """`row`, standing for all of `rows`."""
    return replace(
        row,
        params=_sum([row.params for row in rows]),
        flops=_sum([row.flops for row in rows]),
        count=(sum(row.count[0] for row in rows), sum(row.count[1] for row in rows)),
    )


def _sum(pairs: Sequence[Numbers]) -> Numbers:
    return _total([before for before, _ in pairs]), _total([after for _, after in pairs])


def _total(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
