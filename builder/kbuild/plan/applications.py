"""(call of `keras.applications`, shape of its input) → what was learnt when it was built once; None before that.

Kept in the user's cache folder by Keras version, arguments and input shape. Nothing of it ships with kbuild.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache as memory
from pathlib import Path
from typing import Any

from kbuild.plan.plan import Shape
from kbuild.spec import cache
from kbuild.spec.call import Call, Value
from kbuild.spec.signature import keras_version

_WITHOUT = frozenset({"weights", "name"})
"""Arguments that change neither shapes nor cost."""
_LEARNER: ContextVar["Callable[[Call, Shape], Application] | None"] = ContextVar("learner", default=None)


@dataclass(frozen=True, slots=True)
class Part:
    """A layer inside an application: the shape of its output, and its numbers as Keras counts them."""

    shape: Shape
    trainable: int
    frozen: int


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of an application.

    Args:
        shape: of its output, without the batch axis.
        parts: its layers by name.
        flops, kept: as in `Cost`; None where a layer inside has no rule.
    """

    shape: Shape
    parts: Mapping[str, Part]
    flops: int | None
    kept: int | None

    def numbers(self, trainable: bool | tuple[str, ...] | None) -> tuple[int, int]:
        """How many numbers training changes and how many not; `trainable` as in `Step`: patterns name its layers."""
        learned = frozen = 0
        for name, part in self.parts.items():
            free = any(fnmatch(name, p) for p in trainable) if isinstance(trainable, tuple) else trainable is not False
            learned += part.trainable if free else 0
            frozen += part.frozen + (0 if free else part.trainable)
        return learned, frozen


def remembered(call: Call, shape: Shape) -> Application | None:
    """What an earlier build has told of this call on an input of this shape."""
    if shape is None or None in shape:
        return None
    found = _read(_place(call, shape))
    learner = _LEARNER.get()
    if found is None and learner is not None:
        found = learner(call, shape)
        remember(call, shape, found)
    return found


@contextmanager
def asking(learner: Callable[[Call, Shape], Application]) -> Iterator[None]:
    """While the block runs, applications that are not known are built by `learner`, which has Keras, and remembered."""
    token = _LEARNER.set(learner)
    try:
        yield
    finally:
        _LEARNER.reset(token)


def remember(call: Call, shape: Shape, found: Application) -> None:
    """Keep what a build has told. That it cannot be written is nobody's concern."""
    path = _place(call, shape)
    parts = {name: [part.shape, part.trainable, part.frozen] for name, part in found.parts.items()}
    cache.store(path, {"shape": found.shape, "flops": found.flops, "kept": found.kept, "parts": parts})
    _read.cache_clear()


@memory
def _read(path: Path) -> Application | None:
    found = cache.load(path)
    try:
        parts = {str(name): Part(_shape(s), int(t), int(f)) for name, (s, t, f) in found["parts"].items()}
        return Application(_shape(found["shape"]), parts, _number(found["flops"]), _number(found["kept"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _place(call: Call, shape: Shape) -> Path:
    told = {key: _plain(value) for key, value in sorted(call.args.items()) if key not in _WITHOUT}
    words = json.dumps([told, shape], sort_keys=True)
    return cache.place(f"applications/{call.name}-{zlib.crc32(words.encode()):08x}.json", keras_version())


def _plain(value: Value) -> Any:
    if isinstance(value, Call):
        return [value.name, {key: _plain(item) for key, item in value.args.items()}]
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _shape(value: Any) -> Shape:
    return None if value is None else tuple(None if size is None else int(size) for size in value)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
