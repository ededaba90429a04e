"""Parts → their digest and the ranges of what is in them, in one pass over what is not in memory."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.header import Range
from kbuild.data.lazy import Array, Lazy, chunks
from kbuild.data.loaded import numbers


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen.

    Args:
        digest: hex SHA-256 of names, types, shapes and bytes of all arrays of all parts: it does not depend on where
            they are.
        ranges: of the arrays that are not in memory, by part and by `x.NAME` or `y.NAME`.
    """

    digest: str
    ranges: Mapping[str, Mapping[str, Range]]


def survey(parts: Mapping[str, Part], source: Mapping[str, Part]) -> Survey:
    """Read all that there is, once.

    Args:
        source: the parts before the split, by whose numbers an example that is not finite is told.

    Raises:
        SpecError: K413 for what is not finite.
    """
    found = hashlib.sha256()
    ranges: dict[str, dict[str, Range]] = {}
    for part, content in sorted(parts.items()):
        ranges[part] = {}
        for name, array in sorted(named(content).items()):
            found.update(f"{part}\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            ends = _walk(array, found)
            if ends is None:
                continue
            if not np.isfinite(ends).all():
                _refuse(source, parts)
            ranges[part][name] = Range(*ends)
    return Survey(found.hexdigest(), ranges)


def named(part: Part) -> Mapping[str, Array]:
    """All arrays of a part by `x.NAME`, `y.NAME` and `weights`."""
    arrays = {f"x.{name}": array for name, array in part.x.items()}
    arrays |= {f"y.{name}": array for name, array in part.y.items()}
    return arrays if part.weights is None else {**arrays, "weights": part.weights}


def _walk(array: Array, found: "hashlib._Hash") -> tuple[float, float] | None:
    """Add the bytes of an array; for one that is not in memory its smallest and largest number, nan if there is one."""
    if not isinstance(array, Lazy):
        found.update(np.ascontiguousarray(array).data)
        return None
    ends = []
    for _, rows in chunks(array):
        found.update(np.ascontiguousarray(rows).data)
        if rows.size and array.dtype.kind in "biuf":
            ends.append((float(rows.min()), float(rows.max())))
    if not ends:
        return None
    return float(np.min([low for low, _ in ends])), float(np.max([high for _, high in ends]))


def _refuse(*all_parts: Mapping[str, Part]) -> None:
    """Tell where it stands: in the source, or, where its cells became numbers, in what was made of them."""
    for parts in all_parts:
        for part, content in parts.items():
            for name, array in named(content).items():
                if array.dtype.kind == "f":
                    numbers(array, f"`{name}` of `{part}`")
