"""keras.Model of an application → what kbuild remembers of it."""

import math
from typing import Any

import keras

from kbuild.model.objects import make
from kbuild.model.read import read
from kbuild.plan.applications import Application, Part
from kbuild.plan.cost import costs
from kbuild.plan.plan import Shape
from kbuild.spec.call import Call, Value


def ahead(call: Call, shape: Shape) -> Application:
    """Build an application, with weights drawn and not downloaded, to know it before the network is expanded.

    Raises:
        SpecError: K105 if Keras refuses its arguments.
    """
    assert shape is not None
    args: dict[str, Value] = {"input_shape": list(shape), **call.args, "weights": None}
    return learn(make(Call(call.namespace, call.name, args, call.span, call.spans)))


def learn(model: keras.Model) -> Application:
    """Shapes, numbers and cost of a model of `keras.applications`."""
    plan = read(model)
    total = costs(plan).total
    parts = {layer.name: _part(layer) for layer in model.layers}
    return Application(plan.shape(next(iter(plan.outputs.values()))), parts, total.flops, total.kept)


def _part(layer: Any) -> Part:
    output = layer.output
    shape = tuple(output.shape[1:]) if hasattr(output, "shape") else None
    learned = _count(layer.trainable_weights)
    return Part(shape, learned, _count(layer.weights) - learned)


def _count(weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
