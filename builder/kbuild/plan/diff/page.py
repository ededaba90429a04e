"""Diff → what a person reads: a heading, a table of layers, lists of changes. No colours, only what each line is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbuild.plan.diff.difference import Change, Diff, Layers, Numbers, Shapes
from kbuild.text.node import Plain

COLUMNS = ("", "layer", "what", "output", "parameters", "FLOPs")
RIGHT = ("parameters", "FLOPs")
_MARKS = {"added": "+", "removed": "-", "changed": "~", "copies": "~"}


@dataclass(frozen=True, slots=True)
class Part:
    """A table under a heading; the first cell of a row is its mark: `+`, `-`, `~`, or nothing."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def headline(found: Diff) -> str:
    """What it comes to, in a line."""
    if found.empty:
        return "no difference: both mean the same"
    names = sum(1 for row in found.layers for change in row.changes if change.path == "name")
    if found.same_architecture:
        elsewhere = [key for key in ("data", "train", "tune") if getattr(found, key)]
        said = f"; {names} layer{'s have' if names > 1 else ' has'} another name" if names else ""
        return "the same architecture" + said + (f"; {' and '.join(elsewhere)} differ" if elsewhere else "")
    before, after = found.totals["layers"]
    return f"{before:,} → {after:,} layers" if before != after else f"{after:,} layers, not all as they were"


def parts(found: Diff) -> Iterator[Part]:
    """The tables, those that have anything to say."""
    if found.layers:
        rows = [_row(row) for row in found.layers]
        kept = [index for index, column in enumerate(COLUMNS) if index < 3 or any(row[index] for row in rows)]
        columns = tuple(COLUMNS[index] for index in kept)
        yield Part("layers", columns, tuple(tuple(row[index] for index in kept) for row in rows))
    sums = [(key, found.totals[key]) for key in ("layers", "params", "trainable", "flops")]
    rows = [("", _LABELS[key], *_total(key, both)) for key, both in sums if both[0] != both[1] or None in both]
    if rows and not found.same_architecture:
        yield Part("total", ("", "", "", ""), tuple(rows))
    for title in ("inputs", "outputs", "data", "train", "tune"):
        changes: Sequence[Change] = getattr(found, title)
        if changes:
            prefix = f"{title}."
            told = [(_mark(c), c.path.removeprefix(prefix), arrow(c)) for c in changes]
            yield Part(title, ("", "", ""), tuple(told))


def arrow(change: Change) -> str:
    """`512 → 256`."""
    if change.path.endswith("shape") and isinstance(change.before, list) and isinstance(change.after, list):
        return f"{_times(change.before)} → {_times(change.after)}"
    return f"{value(change.before)} → {value(change.after)}"


def value(found: Plain, nested: bool = False) -> str:
    """A value in a few characters: `none`, `Adam(learning_rate=0.001)`, `{to: 1e-05}`."""
    if found is None:
        return "none"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float):
        return f"{found:.6g}"
    if isinstance(found, list):
        inner = ", ".join(value(item, True) for item in found)
        return f"[{inner}]" if nested or not found or not all(isinstance(i, str) for i in found) else inner
    if isinstance(found, dict):
        name = next(iter(found), "")
        inside = found.get(name)
        if len(found) == 1 and (name[:1].isupper() or name.startswith("ops.")) and isinstance(inside, dict):
            return f"{name}({', '.join(f'{k}={value(v, True)}' for k, v in inside.items())})"
        if name == "reuse":
            return f"{inside} again"
        return "{" + ", ".join(f"{k}: {value(v, True)}" for k, v in found.items()) + "}"
    return str(found)


def difference(both: Numbers, short: bool = False) -> str:
    """`+1,024 (+50 %)`; empty if there is none, or none that is known.

    Args:
        short: three digits and a letter, as for FLOPs.
    """
    before, after = both
    if before == after:
        return ""
    if before is None or after is None:
        return "?"
    return f"{_number(after - before, short, sign='+')}{percent(both, ' ({})')}"


def percent(both: Numbers, form: str = "{}") -> str:
    """`+50 %`; `×12` from ten times on; empty from nothing or to nothing."""
    before, after = both
    if not before or not after:
        return ""
    if after >= 10 * before:
        return form.format(f"×{after / before:.3g}")
    return form.format(f"{100 * (after - before) / before:+.3g} %")


def short(number: int) -> str:
    """Three digits and a letter, as for FLOPs: `1.21 k`."""
    return _number(number, short=True)


_LABELS: Mapping[str, str] = {"layers": "layers", "params": "parameters", "trainable": "trainable", "flops": "FLOPs"}


def _total(key: str, both: Numbers) -> tuple[str, str]:
    before, after = ("?" if number is None else _number(number, key == "flops") for number in both)
    return f"{before} → {after}", difference(both, key == "flops")


def _row(row: Layers) -> tuple[str, ...]:
    return (_MARKS[row.kind], _name(row), _what(row), _output(row), difference(row.params), difference(row.flops, True))


def _name(row: Layers) -> str:
    if row.kind != "changed" or row.before == row.after or any(change.path == "name" for change in row.changes):
        return row.name
    return f"{row.before} → {row.after}"


def _what(row: Layers) -> str:
    if row.kind == "copies":
        (change,) = row.changes
        more = row.count[1] - row.count[0]
        return f"×{value(change.before)} → ×{value(change.after)}, {more:+,} layer{'' if abs(more) == 1 else 's'}"
    if row.kind != "changed":
        sources = next((c.after or c.before for c in row.changes if c.path == "from"), None)
        calls = _several([value(call) for call in row.calls])
        return calls + (f" of {value(sources)}" if sources else "")
    count = max(row.count)
    several = f" (×{count})" if count > 1 and row.changes else ""
    said = [_change(change, row) for change in row.changes]
    return "; ".join(said) + several if said else f"{count} layers" if count > 1 else ""


def _change(change: Change, row: Layers) -> str:
    if change.path == "name":
        return f"was `{value(change.before)}`"
    if change.path == "layer":
        own = change.after in (row.after, None)
        return "with weights of its own" if own else f"applies `{value(change.after)}` again"
    return f"{change.path} {arrow(change)}" if change.path != "call" else arrow(change)


def _several(calls: Sequence[str], most: int = 6) -> str:
    """`Dense(units=8), ReLU`; of many the number and the kinds."""
    if len(calls) <= most:
        return ", ".join(calls)
    kinds: dict[str, int] = {}
    for call in calls:
        name = call.split("(", 1)[0]
        kinds[name] = kinds.get(name, 0) + 1
    told = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items(), key=lambda kind: -kind[1])[:4])
    return f"{len(calls)} layers: {told}" + (", …" if len(kinds) > 4 else "")


def _output(row: Layers) -> str:
    before, after = (_shapes(shapes) for shapes in row.shapes)
    if row.kind in {"added", "removed"}:
        return "" if row.shapes == (None, None) else after if row.kind == "added" else before
    return f"{before} → {after}" if row.shapes[0] != row.shapes[1] else ""


def _shapes(shapes: Shapes) -> str:
    return "?" if shapes is None else ", ".join("?" if shape is None else _times(shape) for shape in shapes)


def _times(shape: Sequence[object]) -> str:
    """`28×28×1`."""
    return "×".join("?" if size is None else str(size) for size in shape) or "one number"


def _mark(change: Change) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def _number(number: int, short: bool = False, sign: str = "") -> str:
    if not short or abs(number) < 1000:
        return f"{number:{sign},}"
    for letter, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if abs(number) >= size:
            digits = max(0, 2 - (len(str(abs(number) // size)) - 1))
            return f"{number / size:{sign}.{digits}f} {letter}"
    return str(number)
