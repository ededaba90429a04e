"""A `.keras` or `.weights.h5` file → the arrays in it, by layer. Reads arrays and names, and makes no object of them.

Keras names groups by class and number (`layers/dense_1`) and keeps the layer's name as an attribute beside its arrays.
A file may come from anyone: links, arrays that lie elsewhere, and arrays that are stored otherwise than Keras stores
them are refused, and nothing is read before its shape was compared.
"""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from kbuild.spec.weights import INSIDE, KERAS

Layer = tuple[str, ...]
"""The name of a layer; of one inside a model, those of the models before it."""
Where = tuple[str, ...]
"""Which array of a layer: the attributes that lead to it, then its number."""
Layers = Mapping[Layer, Mapping[Where, Any]]
"""By layer, its arrays: each an `h5py.Dataset`."""

DEEPEST = 60
"""Groups in each other; a layer of a model in a model is at 4."""
MOST = 1_000_000
"""Groups and arrays of a file."""
_LONGEST = 1000
_MADE_UP = re.compile(r"_\d+\Z")


@contextmanager
def opened(path: Path) -> Iterator[Layers]:
    """The arrays of a file, as long as it is open.

    Args:
        path: ends in `.keras` or `.weights.h5`.

    Raises:
        ValueError, OSError: it is not what Keras writes.
    """
    with tempfile.TemporaryDirectory() as place:
        inner = _unpacked(path, Path(place)) if path.name.endswith(KERAS) else path
        with h5py.File(inner, "r") as file:
            yield layers(file)


def layers(file: h5py.File) -> Layers:
    """All layers of a file with their arrays. Raises ValueError."""
    top = _group(file, "layers")
    if top is None:
        raise ValueError("it has no layers by name, as Keras 3 writes them")
    found: dict[Layer, dict[Where, Any]] = {}
    left = [MOST]
    _walk_layers(top, (), found, left, 0)
    return found


def _unpacked(path: Path, place: Path) -> Path:
    """The weights of a `.keras` file, in a file of their own: such a file is not compressed, so it cannot grow."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(INSIDE)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > path.stat().st_size:
            raise ValueError("its weights are packed otherwise than Keras packs them")
        with archive.open(info) as source, (place / "weights.h5").open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return place / "weights.h5"


def _walk_layers(group: h5py.Group, above: Layer, found: dict, left: list[int], depth: int) -> None:
    """The layers in a group `layers` of a model, and of the models among them."""
    _bounded(left, depth)
    for key in group:
        _bounded(left, depth)
        one = _group(group, key)
        if one is None:
            continue
        layer = (*above, _inner(one, key) if above else _name(one, key))
        inner = _group(one, "layers")
        if inner is not None:
            _walk_layers(inner, layer, found, left, depth + 2)
        arrays = found.setdefault(layer, {})
        _walk(one, (), arrays, left, depth + 2, frozenset({"layers"}) if inner is not None else frozenset())


def _walk(group: h5py.Group, above: Where, arrays: dict, left: list[int], depth: int, skip: frozenset[str]) -> None:
    """The arrays of a layer and of all that it holds; layers of a model that it holds go by their names."""
    for key in group:
        _bounded(left, depth)
        if key in skip:
            continue
        if key == "vars":
            values = _group(group, key)
            for number in values or ():
                _bounded(left, depth)
                arrays[(*above, number)] = _array(values, number)
            continue
        one = _group(group, key)
        if one is not None:
            step = _inner(one, key) if above[-1:] == ("layers",) else key
            _walk(one, (*above, step), arrays, left, depth + 1, frozenset())


def _bounded(left: list[int], depth: int) -> None:
    """Groups may hold themselves."""
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        raise ValueError(
            "its groups stand too deep in each other" if left[0] >= 0 else "it has too many groups and arrays"
        )


def _group(parent: h5py.Group, key: str) -> h5py.Group | None:
    found = _own(parent, key)
    return found if isinstance(found, h5py.Group) else None


def _array(parent: h5py.Group | None, key: str) -> Any:
    found = None if parent is None else _own(parent, key)
    if found is None or not isinstance(found, h5py.Dataset):
        raise ValueError(f"`{key}` is no array")
    if found.external or found.is_virtual or found.chunks is not None:
        raise ValueError(f"the array `{found.name}` is stored otherwise than Keras stores it")
    if found.dtype.kind not in "fiubV" or found.dtype.hasobject:
        raise ValueError(f"the array `{found.name}` holds no numbers")
    return found


def _own(parent: Any, key: str) -> Any:
    """What a group holds itself; links that lead elsewhere, into other files even, are not followed."""
    kind = parent.get(key, getlink=True)
    if kind is None:
        return None
    if not isinstance(kind, h5py.HardLink):
        raise ValueError(f"`{key}` is a link")
    return parent[key]


def _inner(group: h5py.Group, key: str) -> str:
    """The name of a layer of a model that a layer is or holds.

    Where Keras made it up, it counts all layers of a process, and the group's those of the model: that is the same in
    every process.
    """
    name = _name(group, key)
    return key if _MADE_UP.sub("", name) == _MADE_UP.sub("", key) else name


def _name(group: h5py.Group, key: str) -> str:
    values = _group(group, "vars")
    if values is None or "name" not in values.attrs:
        raise ValueError("it keeps no names of layers: it was written by an older Keras")
    space = values.attrs.get_id("name")
    name = values.attrs["name"] if space.shape == () and space.get_storage_size() <= _LONGEST else None
    if not isinstance(name, str) or len(name) > _LONGEST:
        raise ValueError(f"`{key}` has no name")
    return name
