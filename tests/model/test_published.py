"""The networks of `keras.applications`, read layer by layer: the rules give the shapes and numbers that Keras has."""

import math
from typing import Any

import pytest

from kbuild.model.read import read
from kbuild.plan.cost import costs
from kbuild.plan.plan import Plan, Ref, Step
from kbuild.plan.shapes import shapes_of
from kbuild.plan.shapes.table import RULES
from kbuild.spec.signature import names, signature

FEW = ("MobileNetV2", "NASNetMobile")
ALL = sorted(
    name
    for name in names("applications")
    if (found := signature("applications", name)) and any(p.name == "include_top" for p in found.parameters)
)
NETS = [pytest.param(name, marks=() if name in FEW else pytest.mark.full) for name in ALL]
UNNAMED = {"CustomScaleLayer"}
"""Layers that an application keeps to itself: no spec can name them."""


@pytest.fixture(scope="module", params=NETS)
def net(request) -> Any:
    import keras

    keras.backend.clear_session(free_memory=True)
    kwargs: dict[str, Any] = {"weights": None}
    if request.param.startswith("MobileNetV3"):
        kwargs["input_shape"] = (224, 224, 3)  # by default its rows and columns are open
    return getattr(keras.applications, request.param)(**kwargs)


def ruled(plan: Plan, step: Step) -> Any:
    """What our own rule gives on the shapes that Keras found before it."""

    def shape(value: object) -> Any:
        if isinstance(value, Ref):
            return plan.shape(value)
        return [shape(item) for item in value] if isinstance(value, list | tuple) else value

    named = {key: shape(value) for key, value in step.kwargs.items()}
    return shapes_of(step.call.name, step.call.args, [shape(v) for v in step.args], named, step.call.namespace)


def test_shapes_are_those_of_keras(net):
    plan = read(net)
    for step in plan.steps:
        if step.call.name not in UNNAMED:
            assert step.call.name in RULES[step.call.namespace], step.call.name
            assert ruled(plan, step) == step.shapes, step.name


def test_numbers_are_those_of_keras(net):
    plan = read(net)
    found = costs(plan)
    layers = {layer.name: layer for layer in net._flatten_layers()}
    for step in plan.steps:
        layer = layers.get(step.name.rsplit("-", 1)[-1])
        if layer is not None and step.call.name not in UNNAMED:
            assert found.steps[step.name].trainable == count(layer.trainable_weights), step.name
            assert found.steps[step.name].frozen == count(layer.non_trainable_weights), step.name
    if not UNNAMED & {step.call.name for step in plan.steps}:
        assert found.total.trainable == count(net.trainable_weights)
        assert found.total.params == net.count_params()


def count(weights) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
