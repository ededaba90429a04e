"""Signatures ↔ JSON files in the user's cache folder: they save time, can be thrown away, and are never trusted."""

import atexit
from collections.abc import Mapping
from functools import cache as memory
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbuild.spec import cache, parameters
from kbuild.spec.parameters import Parameter

if TYPE_CHECKING:
    from kbuild.spec.signature import Signature

_KEY = "key"
_IDENTIFIERS = "identifiers"
_SIGNATURES = "signatures"
_new: dict[str, dict[str, Any]] = {}


def signature(namespace: str, name: str) -> "Signature | None":
    """What an earlier process has read, if it is still true and whole."""
    from kbuild.spec.signature import Signature

    try:
        found = _stored(namespace)[_SIGNATURES][name]
        text, flags = found["text"], found["flags"]
        return Signature(
            namespace, name, _parameters(found["parameters"]), bool(flags[0]), _parameters(found["call"]),
            tuple(str(base) for base in found["bases"]), bool(flags[1]), bool(flags[2]), str(text[0]),
            {str(key): str(words) for key, words in found["documented"].items()}, int(flags[3]), str(text[1]),
        )  # fmt: skip
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def identifiers(namespace: str) -> frozenset[str] | None:
    """The strings of a family that an earlier process has read, if they are still true."""
    found = _stored(namespace).get(_IDENTIFIERS)
    return frozenset(str(word) for word in found) if isinstance(found, list) else None


def keep(found: "Signature") -> None:
    """Have a signature written when the process ends."""
    kept = {
        "parameters": _plain(found.parameters),
        "call": _plain(found.call),
        "bases": list(found.bases),
        "documented": dict(found.documented),
        "text": [found.doc, found.rest],
        "flags": [found.open, found.abstract, found.is_class, found.positional],
    }
    _changed(found.namespace).setdefault(_SIGNATURES, {})[found.name] = kept


def keep_identifiers(namespace: str, found: frozenset[str]) -> None:
    """Have a family's strings written when the process ends."""
    _changed(namespace)[_IDENTIFIERS] = sorted(found)


def write() -> None:
    """Write what is new, each file whole or not at all. That it cannot be written is nobody's concern."""
    for namespace, new in _new.items():
        old = _stored(namespace)
        found = {_KEY: _key(), **old, **new, _SIGNATURES: {**_map(old.get(_SIGNATURES)), **_map(new.get(_SIGNATURES))}}
        if not cache.store(_path(namespace), found):
            return
    _new.clear()


def _changed(namespace: str) -> dict[str, Any]:
    if not _new:
        atexit.register(write)
    return _new.setdefault(namespace, {})


def _plain(found: tuple[Parameter, ...]) -> list[list[str]]:
    return [[p.name] if p.required else [p.name, _source(p.default)] for p in found]


def _source(default: object) -> str:
    return str(default) if isinstance(default, parameters.Unparsed) else repr(default)


def _parameters(found: list[list[str]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(item[0], len(item) < 2, parameters.value(item[1]) if len(item) > 1 else None) for item in found
    )


@memory
def _stored(namespace: str) -> dict[str, Any]:
    found = cache.load(_path(namespace))
    return found if found.get(_KEY) == _key() else {}


def _map(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _path(namespace: str) -> Path:
    return cache.place(f"signatures/{namespace}.json", _key())


@memory
def _key() -> str:
    """What the signatures depend on: the installed packages, and the code that reads them."""
    from kbuild.spec.python_source import module
    from kbuild.spec.signature import keras_version

    files = [Path(__file__).with_name(name) for name in _READERS]
    for package in ("keras", "keras.src.version", "keras.layers", "keras_tuner", "keras_tuner.src.version"):
        found = module(package)
        if found:
            files += [found.path, found.path.parent]
    return f"{keras_version()} {cache.stamps(files)}"


_READERS = tuple(
    f"{name}.py"
    for name in ("signature", "signature_cache", "parameters", "python_source", "docstring", "identifiers", "names")
)
