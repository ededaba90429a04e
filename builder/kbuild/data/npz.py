"""Npz → Header or Loaded: arrays of an npz file or a folder of npy files, by their keys."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kbuild.data import arrays
from kbuild.data.arrays import Entry, Index
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown, there, unknown
from kbuild.data.header import Header, Tensor
from kbuild.data.labels import guess, told
from kbuild.data.lazy import Array
from kbuild.data.loaded import Loaded, checked, numbers, same
from kbuild.data.memory import InMemory, fits
from kbuild.spec.data import Npz, NpzPart

Section = Npz | NpzPart
SMALL = 64
"""Bytes of a label. Labels of more, such as pictures, may stay on disk; to keep a place for the others costs little
beside the order of an epoch, which is in memory too.
"""


def header(source: Npz) -> Header:
    """From the headers of the arrays; no array is read. Raises SpecError K402, K404, K410, K411, K412."""
    index = _index(source)
    sections = _sections(source)
    names = {part: _keys(section, index, source.npz, part) for part, section in sections.items()}
    x, y, _ = names["train"]
    inputs: dict[str, Tensor] = {}
    for name, key in x.items():
        numbers(np.empty(0, index[key].dtype), f"`{key}`")
        inputs[name] = Tensor(index[key].shape[1:], index[key].dtype.name)
    targets = {name: guess(index[key].shape[1:], index[key].dtype.kind) for name, key in y.items()}
    counts = {part: index[next(iter(keys[0].values()))].shape[0] for part, keys in names.items()}
    return Header(inputs, targets, counts, source.weights is not None)


def read(source: Npz, in_memory: InMemory = "auto") -> Loaded:
    """All arrays, checked. Raises SpecError K402, K404, K410–K418."""
    index = _index(source)
    names = {part: _keys(section, index, source.npz, part) for part, section in _sections(source).items()}
    used = {key for x, y, weights in names.values() for key in (*x.values(), *y.values(), weights) if key is not None}
    kept = fits(sum(index[key].nbytes for key in used), in_memory)

    def label(entry: Entry) -> Array:
        small = entry.dtype.kind not in "biuf" or entry.nbytes <= SMALL * entry.shape[0]
        return arrays.whole(entry) if kept or small else arrays.on_disk(entry)

    raw = {
        part: Part(
            {name: arrays.whole(index[key]) if kept else arrays.on_disk(index[key]) for name, key in x.items()},
            {name: label(index[key]) for name, key in y.items()},
            None if weights is None else arrays.whole(index[weights]),
        )
        for part, (x, y, weights) in names.items()
    }
    return finished(raw)


def finished(raw: Mapping[str, Part], classes: tuple[str, ...] = ()) -> Loaded:
    """Parts of raw arrays, checked, with their targets told. Raises SpecError K411–K415."""
    parts = {name: checked(part, name) for name, part in raw.items()}
    same(parts)
    y: dict[str, dict[str, Array]] = {part: {} for part in parts}
    targets = {}
    for name in parts["train"].y:
        found, targets[name] = told(name, {part: p.y[name] for part, p in parts.items()}, classes)
        for part, array in found.items():
            y[part][name] = array
    done = {
        name: Part(part.x, y[name], None if part.weights is None else part.weights.astype(np.float32), part.ids)
        for name, part in parts.items()
    }
    return Loaded(done, targets, {"kind": "array"})


def _index(source: Npz) -> Index:
    return arrays.arrays(there(source.npz, folder=source.kind == "npy"))


def _sections(source: Npz) -> Mapping[str, Section]:
    found = {"train": source, "validation": source.validation, "test": source.test}
    return {name: section for name, section in found.items() if section is not None}


def _keys(
    section: Section, index: Index, path: Path, part: str
) -> tuple[Mapping[str, str], Mapping[str, str], str | None]:
    """Keys by name of input and output, and that of the weights: all there, and with as many examples as each other."""
    x = {"input": section.x} if isinstance(section.x, str) else section.x
    y = {"output": section.y} if isinstance(section.y, str) else section.y or {}
    prefix = "data.source" if part == "train" else f"data.source.{part}"
    wanted = [("x", key) for key in x.values()] + [("y", key) for key in y.values()]
    wanted += [("weights", section.weights)] if section.weights else []
    for place, key in wanted:
        if key not in index:
            raise unknown("K410", f"`{shown(path)}` has no array `{key}`", key, index, f"{prefix}.{place}")
        if index[key].dtype.hasobject:
            raise fail(
                "K412",
                f"`{key}` holds Python objects, which would run code when read",
                "store numbers or text",
                f"{prefix}.{place}",
            )
        if not index[key].shape:
            raise fail(
                "K411",
                f"`{key}` is a single value",
                "the first axis of an array counts the examples",
                f"{prefix}.{place}",
            )
    lengths = {key: index[key].shape[0] for _, key in wanted}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{key}` {length:,}" for key, length in lengths.items())
        raise fail(
            "K411",
            f"the arrays of `{part}` differ in length: {said}",
            "the first axis of all counts the same examples",
            prefix,
        )
    return x, y, section.weights
