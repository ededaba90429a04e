"""Npz → Header or Loaded: arrays in one npz file, by their keys. Nothing in it is ever unpickled."""

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown, there, unknown
from kbuild.data.header import Header, Tensor
from kbuild.data.labels import guess, told
from kbuild.data.loaded import Loaded, checked, numbers, same
from kbuild.spec.data import Npz, NpzPart

Index = Mapping[str, tuple[tuple[int, ...], np.dtype]]
Section = Npz | NpzPart


def header(source: Npz) -> Header:
    """From the headers of the arrays; no array is read. Raises SpecError K402, K404, K410, K411, K412."""
    index = arrays(source.npz)
    sections = _sections(source)
    names = {part: _keys(section, index, source.npz, part) for part, section in sections.items()}
    x, y, _ = names["train"]
    inputs: dict[str, Tensor] = {}
    for name, key in x.items():
        shape, dtype = index[key]
        numbers(np.empty(0, dtype), f"`{key}`")
        inputs[name] = Tensor(shape[1:], dtype.name)
    targets = {name: guess(index[key][0][1:], index[key][1].kind) for name, key in y.items()}
    counts = {part: index[next(iter(keys[0].values()))][0][0] for part, keys in names.items()}
    return Header(inputs, targets, counts, source.weights is not None)


def read(source: Npz) -> Loaded:
    """All arrays, checked. Raises SpecError K402, K404, K410–K415."""
    index = arrays(source.npz)
    raw: dict[str, Part] = {}
    with there(source.npz).open("rb") as file:
        content = np.load(file, allow_pickle=False)
        for part, section in _sections(source).items():
            x, y, weights = _keys(section, index, source.npz, part)
            raw[part] = Part(
                {name: _array(content, key, source.npz) for name, key in x.items()},
                {name: _array(content, key, source.npz) for name, key in y.items()},
                None if weights is None else _array(content, weights, source.npz),
            )
    return finished(raw)


def finished(raw: Mapping[str, Part], classes: tuple[str, ...] = ()) -> Loaded:
    """Parts of raw arrays, checked, with their targets told. Raises SpecError K411–K415."""
    parts = {name: checked(part, name) for name, part in raw.items()}
    same(parts)
    y: dict[str, dict[str, np.ndarray]] = {part: {} for part in parts}
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
        if index[key][1].hasobject:
            raise fail(
                "K412",
                f"`{key}` holds Python objects, which would run code when read",
                "store numbers or text",
                f"{prefix}.{place}",
            )
        if not index[key][0]:
            raise fail(
                "K411",
                f"`{key}` is a single value",
                "the first axis of an array counts the examples",
                f"{prefix}.{place}",
            )
    lengths = {key: index[key][0][0] for _, key in wanted}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{key}` {length:,}" for key, length in lengths.items())
        raise fail(
            "K411",
            f"the arrays of `{part}` differ in length: {said}",
            "the first axis of all counts the same examples",
            prefix,
        )
    return x, y, section.weights


def arrays(path: Path) -> Index:
    """Shape and dtype of every array, from the first bytes of each. Raises SpecError K402, K404."""
    there(path)
    found: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    continue
                key = entry.filename.removesuffix(".npy")
                with archive.open(entry) as file:
                    shape, dtype = _header(file)
                    begins = file.tell()
                if not dtype.hasobject and begins + math.prod(shape) * dtype.itemsize != entry.file_size:
                    raise fail("K404", f"the array `{key}` in `{shown(path)}` is cut off", "write the file again")
                found[key] = (shape, dtype)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise fail("K404", f"`{shown(path)}` is no npz file: {_said(error)}", "write it with `numpy.savez`") from error
    if not found:
        raise fail("K404", f"`{shown(path)}` has no arrays", "write it with `numpy.savez`")
    return found


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _array(arrays: Mapping[str, np.ndarray], key: str, path: Path) -> np.ndarray:
    try:
        return arrays[key]
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        raise fail(
            "K404", f"the array `{key}` in `{shown(path)}` cannot be read: {_said(error)}", "write the file again"
        ) from error


def _said(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")
