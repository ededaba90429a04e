"""What Keras itself says of a layer's numbers, to compare the rules with."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence

import pytest

from kbuild.plan.cost import cost_of
from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.spec.call import Call

Count = Callable[..., bool]
UNCOUNTED = {"ContrastLimitedAdaptiveHistogramEqualization", "MelSpectrogram"}
"""Layers whose operations are unknown on purpose."""


@pytest.fixture(scope="session")
def count() -> Count:
    """A check that a rule's numbers are those of the built layer; False where Keras refuses the call.

    With `build` the layer is built, not applied.
    """
    import keras

    from kbuild.model import layers as own

    def alive(value: object) -> object:
        if isinstance(value, Call):
            return made(value.name, value.args)
        return [alive(item) for item in value] if isinstance(value, list) else value

    def made(name: str, args: Mapping[str, object]) -> keras.layers.Layer:
        room = own if hasattr(own, name) else keras.layers
        return getattr(room, name)(**{key: alive(value) for key, value in args.items()})

    def tensor(shape: object, run: bool = False) -> object:
        if isinstance(shape, list):
            return [tensor(item, run) for item in shape]
        if not isinstance(shape, tuple):
            return shape
        return keras.ops.zeros((2, *shape)) if run else keras.KerasTensor((None, *shape))

    def built(
        name: str, args: Mapping[str, object], inputs: Sequence[object], named: Mapping[str, object], only: bool
    ) -> keras.layers.Layer:
        layer = made(name, args)
        if only:
            if not layer.built:
                layer.build((None, *inputs[0]))  # type: ignore[misc]
            return layer
        # an activation that has weights has them from the first computation on
        for run in (False, True) if "PReLU" in repr(args) else (False,):
            layer(*[tensor(one, run) for one in inputs], **{key: tensor(value, run) for key, value in named.items()})
        return layer

    def numbers(weights: list) -> int:
        return sum(math.prod(weight.shape) for weight in weights)

    def check(
        name: str,
        args: Mapping[str, object],
        inputs: Sequence[object],
        kwinputs: Mapping[str, object] | None = None,
        build: bool = False,
    ) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                layer = built(name, args, inputs, kwinputs or {}, build)
            except Exception:
                return False
        try:
            shapes = shapes_of(name, args, inputs, kwinputs or {})
        except ShapeMistake:
            return False
        ours = cost_of(name, args, inputs, shapes, kwinputs or {})
        # not `layer.trainable_weights`: a model goes by its weights, whatever the layer that holds them says
        learned = [weight for weight in layer.weights if weight.trainable]
        theirs = numbers(learned), numbers(layer.weights) - numbers(learned)
        assert (ours.trainable, ours.frozen) == theirs, f"{name} {args} {inputs}: we count {ours}, Keras {theirs}"
        assert ours.params == layer.count_params()
        known = bool(shapes) and name not in UNCOUNTED and "None" not in repr((inputs, shapes))
        assert not known or None not in (ours.flops, ours.kept), f"{name} {args} {inputs}: {ours}"
        return True

    return check
