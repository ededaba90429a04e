"""Diff → what `diff --json` prints."""

from collections.abc import Sequence

from kbuild.plan.diff.difference import Change, Diff, Layers, Numbers, Shapes
from kbuild.text.node import Plain


def as_json(found: Diff) -> dict[str, Plain]:
    """Values for JSON; shapes are without the batch axis, null is not known, or not there."""
    return {
        "same": found.empty,
        "same_architecture": found.same_architecture,
        "layers": [_layers(row) for row in found.layers],
        **{key: _changes(getattr(found, key)) for key in ("inputs", "outputs", "data", "train", "tune")},
        "totals": {key: _numbers(both) for key, both in found.totals.items()},
    }


def _layers(row: Layers) -> Plain:
    return {
        "change": row.kind,
        "before": row.before,
        "after": row.after,
        "calls": list(row.calls),
        "changes": _changes(row.changes),
        "output_shape": [_shapes(shapes) for shapes in row.shapes],
        "params": _numbers(row.params),
        "flops": _numbers(row.flops),
        "count": list(row.count),
    }


def _changes(changes: Sequence[Change]) -> Plain:
    return [{"path": change.path, "before": change.before, "after": change.after} for change in changes]


def _numbers(both: Numbers) -> Plain:
    before, after = both
    known = before is not None and after is not None
    difference = after - before if before is not None and after is not None else None
    share = 100 * difference / before if known and before and difference is not None else None
    return {"before": before, "after": after, "difference": difference, "percent": share}


def _shapes(shapes: Shapes) -> Plain:
    """One shape as a list of sizes, several as a list of lists."""
    if shapes is None:
        return None
    told: list[Plain] = [None if shape is None else list(shape) for shape in shapes]
    return told[0] if len(told) == 1 else told
