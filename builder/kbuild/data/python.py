"""Python → Loaded: what a function of the user's gives. Runs code, so only where the command line says that it may."""

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kbuild.data.dataset import Part
from kbuild.data.fail import fail
from kbuild.data.loaded import Loaded
from kbuild.data.npz import finished
from kbuild.spec.data import Python

_KEYS = ("x", "y", "weights", "validation", "test", "classes")
_SHAPES = (
    "return `(x, y)`, `((x, y), (x_test, y_test))`, or a dict with `x`, `y`, `weights`, `validation`, `test`, `classes`"
)


def read(source: Python, trust: bool) -> Loaded:
    """Call `module:function` without arguments; modules are also looked for in the working directory.

    The function returns `(x, y)`, or `((x, y), (x_test, y_test))` as `keras.datasets` does, or a dict with `x` and
    perhaps `y`, `weights`, `validation`, `test` (dicts of the same) and `classes`; `x` and `y` are arrays, or dicts
    of arrays by name.

    Raises:
        SpecError: K450 without `trust`, or if it cannot be called or gives something else; K411–K415.
    """
    if not trust:
        raise fail("K450", "a `python` source runs code and is refused", "run with --trust if the spec is your own")
    module, colon, function = source.python.partition(":")
    if not colon or not module or not function:
        raise fail("K450", f"`{source.python}` does not say which function", 'write `{python: "module:function"}`')
    with _importable():
        try:
            call = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError) as error:
            raise fail(
                "K450",
                f"`{source.python}` cannot be imported: {error}",
                "modules are looked for in the working directory too",
            ) from error
        try:
            given = call()
        except Exception as error:  # whatever the user's own code raises
            raise fail(
                "K450", f"`{source.python}` raised {type(error).__name__}: {error}", "--debug shows where"
            ) from error
    return finished(*_understood(given, source.python))


@contextlib.contextmanager
def _importable() -> Iterator[None]:
    before = list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path[:] = before


def _understood(given: object, what: str) -> tuple[Mapping[str, Part], tuple[str, ...]]:
    if isinstance(given, tuple) and len(given) == 2:
        first, second = given
        if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second) == 2:
            given = {"x": first[0], "y": first[1], "test": {"x": second[0], "y": second[1]}}
        else:
            given = {"x": first, "y": second}
    if not isinstance(given, Mapping) or "x" not in given:
        raise fail("K450", f"`{what}` returned a `{type(given).__name__}` that is no data", _SHAPES)
    odd = [key for key in given if key not in _KEYS]
    if odd:
        raise fail("K450", f"`{what}` returned the key `{odd[0]}`", _SHAPES)
    parts = {"train": _part(given)} | {
        name: _part(given[name]) for name in ("validation", "test") if given.get(name) is not None
    }
    if given.get("classes") and len(parts["train"].y) != 1:
        raise fail(
            "K450",
            f"`{what}` returned `classes` and {len(parts['train'].y)} targets",
            "`classes` names those of a single target",
        )
    return parts, tuple(str(name) for name in given.get("classes") or ())


def _part(given: object) -> Part:
    if not isinstance(given, Mapping) or "x" not in given:
        raise fail("K450", f"a part of the data is a `{type(given).__name__}` without `x`", _SHAPES)
    weights = given.get("weights")
    return Part(
        _arrays(given["x"], "input"),
        _arrays(given.get("y"), "output"),
        None if weights is None else np.asarray(weights),
    )


def _arrays(given: object, name: str) -> Mapping[str, np.ndarray]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(key): np.asarray(value) for key, value in given.items()}
    return {name: np.asarray(given)}
