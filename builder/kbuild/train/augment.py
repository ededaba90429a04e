"""Calls of `data.augment` → a function over batches of training examples, repeatable from (seed, epoch)."""

import dataclasses
import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kbuild.model import objects
from kbuild.spec.call import Call

ops: Any = keras.ops  # its annotations say that functions return None
MIXERS = ("MixUp", "CutMix")
_DRAWS = 4096  # more than a layer draws for one batch


class Augment:
    """Layers for each input, applied in training only, before the model.

    Args:
        calls: layers by input name, in order.
        seed: of the run; a layer that is given its own `seed` keeps it.
    """

    def __init__(self, calls: Mapping[str, Sequence[Call]], seed: int):
        self.seed = seed
        flat = [(name, call) for name, chain in calls.items() for call in chain]
        policy = keras.config.dtype_policy()
        # pictures are worked on in whole precision, whatever the model computes in
        keras.config.set_dtype_policy("float32")
        try:
            self._layers = [(name, _layer(call, seed, at), call.name in MIXERS) for at, (name, call) in enumerate(flat)]
        finally:
            keras.config.set_dtype_policy(policy)

    def __call__(self, x: dict, y: dict) -> tuple[dict, dict]:
        """A batch after augmentation. Where examples are mixed, labels come and go as numbers or one-hot vectors."""
        x, y = dict(x), dict(y)
        for name in {name for name, *_ in self._layers}:
            x[name] = ops.cast(x[name], "float32")
        for name, layer, mixes in self._layers:
            if mixes:
                x[name], y = _mixed(layer, x[name], y)
            elif _takes_training(layer):
                x[name] = layer(x[name], training=True)
            else:
                x[name] = layer(x[name])
        return x, y

    def start(self, epoch: int) -> None:
        """Set the state of every random layer to a pure function of (seed, epoch)."""
        for at, (_, layer, _) in enumerate(self._layers):
            for number, variable in enumerate(_states(layer)):
                state = np.random.SeedSequence([self.seed, epoch, at, number]).generate_state(1)
                variable.assign(np.asarray([state[0], 0], variable.dtype))

    def at(self, step: Any) -> None:
        """Set it to one of (seed, epoch, step), so that a batch does not depend on how many were drawn before it.

        Args:
            step: number of the batch in its epoch, from 0; an integer or a tensor.
        """
        for _, layer, _ in self._layers:
            for variable in _states(layer):
                count = ops.cast(step, variable.dtype) * _DRAWS
                variable.assign(ops.stack([variable[0], count]))


def _states(layer: keras.Layer) -> list[Any]:
    """The seeds of a layer's generators: (seed, draws so far)."""
    return [v for v in layer.variables if "seed" in v.path and tuple(v.shape) == (2,)]


def mixes(calls: Mapping[str, Sequence[Call]]) -> bool:
    """Whether some layer mixes examples and their labels, so that labels of classes must be one-hot."""
    return any(call.name in MIXERS for chain in calls.values() for call in chain)


def _layer(call: Call, seed: int, at: int) -> keras.Layer:
    if "seed" in inspect.signature(objects.find(call)).parameters and call.args.get("seed") is None:
        own = int(np.random.SeedSequence([seed, at]).generate_state(1)[0] % 2**31)
        call = dataclasses.replace(call, args={**call.args, "seed": own})
    if call.name in MIXERS:
        # Keras asks JAX for int64 there, and gets int32
        warnings.filterwarnings("ignore", "(?s).*Explicitly requested dtype int64", UserWarning)
    return objects.make(call)


def _mixed(layer: keras.Layer, images, y: dict) -> tuple[object, dict]:
    """One mixing for all outputs: their labels go through the layer side by side; an autoencoder has none."""
    if not y:
        return layer(images, training=True), {}
    flat = {name: ops.reshape(ops.cast(value, "float32"), (-1, _width(value))) for name, value in y.items()}
    labels = ops.concatenate(list(flat.values()), axis=1)
    out = layer({"images": images, "labels": labels}, training=True)
    parts, start = {}, 0
    for name, value in flat.items():
        width = value.shape[1]
        parts[name] = ops.reshape(out["labels"][:, start : start + width], ops.shape(y[name]))
        start += width
    return out["images"], parts


def _width(value) -> int:
    return int(np.prod(value.shape[1:], dtype="int64"))


def _takes_training(layer: keras.Layer) -> bool:
    return "training" in inspect.signature(layer.call).parameters
