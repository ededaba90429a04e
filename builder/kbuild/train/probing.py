"""Job → a function that looks into its network: gradients, dead and saturated units, by layer. It changes nothing."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kbuild.data.dataset import Part
from kbuild.plan.cost import costs
from kbuild.plan.memory import memory
from kbuild.train import gradients
from kbuild.train.findings import Probe
from kbuild.train.job import Job, batches

EXAMPLES = 128
ROOM = 256 * 2**20
"""Bytes that a probe may keep for its backward pass if it takes more examples than a batch."""
FLAT = 0.01
"""So near to its bound an output of tanh or sigmoid is saturated."""

ops: Any = keras.ops  # its annotations say that functions return None


@dataclass(frozen=True, slots=True)
class Units:
    """The outputs of an activation in a network.

    Args:
        kind: `relu`, `tanh` or `sigmoid`.
        axis: of `tensor`, along which the units lie.
    """

    name: str
    kind: str
    tensor: Any
    axis: int


def probing(job: Job) -> Callable[[int, int], Probe]:
    """(epoch, step) → Probe, always of the same training examples: not augmented, spread over the whole part."""
    some = few(job)
    count = len(some)
    data = job.spec.data
    assert data is not None
    whole = dataclasses.replace(job.spec, data=data.model_copy(update={"batch_size": count}))
    x, y, weights = (*next(iter(batches(whole, job.heads, some, job.features).data)), None, None)[:3]  # pyright: ignore
    watched = list(units(job.model))
    rows = layers(job.model, _trained(job))
    given = {id(variable): at for at, variable in enumerate(job.model.trainable_variables)}
    run = gradients.passing(job.model, [one.tensor for one in watched], _square, list(map(_measure, watched)))

    def look(epoch: int, step: int) -> Probe:
        found = run(x, y, weights)
        squares = {
            name: [float(found.gradients[given[id(v)]] or 0.0) for v in variables if id(v) in given]
            for name, variables in rows.items()
        }
        shares = [(one, float(share)) for one, share in zip(watched, found.inner, strict=True)]
        return Probe(
            epoch, step, count, found.loss,
            {name: math.sqrt(sum(values)) for name, values in squares.items() if values},
            {one.name: share for one, share in shares if one.kind == "relu"},
            {one.name: share for one, share in shares if one.kind != "relu"},
        )  # fmt: skip

    return look


def units(model: Any) -> Iterator[Units]:
    """Outputs of ReLU, tanh and sigmoid in a functional model, the model's own outputs left out."""
    last = {id(tensor) for tensor in keras.tree.flatten(model.output)}
    for operation in model.operations:
        kind = _kind(operation)
        for node in operation._inbound_nodes if kind else ():
            for tensor in node.output_tensors:
                if id(tensor) not in last and len(tensor.shape) > 1:
                    first = getattr(operation, "data_format", None) == "channels_first"
                    yield Units(operation.name, str(kind), tensor, 1 if first else len(tensor.shape) - 1)


def layers(model: Any, reached: frozenset[str]) -> dict[str, list[Any]]:
    """The trainable variables by layer, from the input on; those of a model inside are one row.

    Args:
        reached: names of the layers that the loss depends on; others are left out.
    """
    return {
        layer.name: list(layer.trainable_variables)
        for layer in model.layers
        if layer.name in reached and layer.trainable_variables
    }


def few(job: Job) -> Part:
    """Training examples for a probe, 128 or as many as fit; spread over the part, since they may be sorted."""
    part, data = job.dataset.train, job.spec.data
    kept = memory(costs(job.plan).total, job.spec.train, EXAMPLES).activations
    size = data.batch_size if data is not None else 1
    most = EXAMPLES if kept is not None and kept <= ROOM else min(size, EXAMPLES)
    at = np.unique(np.linspace(0, len(part) - 1, min(most, len(part))).astype("int64"))
    return Part(
        {name: array[at] for name, array in part.x.items()},
        {name: array[at] for name, array in part.y.items()},
        None if part.weights is None else part.weights[at],
    )


def _trained(job: Job) -> frozenset[str]:
    """Names of the layers that a loss depends on: an output without one teaches nothing to what leads to it alone."""
    model: Any = job.model
    outputs = dict(zip(job.plan.outputs, keras.tree.flatten(model.output), strict=True))
    waiting = [outputs[head.output] for head in job.heads if head.loss is not None and head.output in outputs]
    if len(waiting) < len(job.heads) or not waiting:
        # layers that add losses themselves may stand anywhere
        return frozenset(layer.name for layer in model.layers)
    seen: dict[int, Any] = {}
    while waiting:
        tensor = waiting.pop()
        operation = tensor._keras_history.operation
        if id(operation) not in seen:
            seen[id(operation)] = operation
            waiting += [parent for node in operation._inbound_nodes for parent in node.input_tensors]
    return frozenset(operation.name for operation in seen.values())


def _kind(operation: Any) -> str | None:
    """`relu`, `tanh` or `sigmoid` if that is what an operation gives."""
    if isinstance(operation, keras.layers.ReLU):
        return None if operation.negative_slope else "relu"
    if isinstance(operation, keras.layers.RNN):
        return None  # its activations are inside
    known = keras.activations
    found = getattr(operation, "activation", None)
    kinds = {known.relu: "relu", known.relu6: "relu", known.tanh: "tanh", known.sigmoid: "sigmoid"}
    if found is None and not isinstance(operation, keras.Layer):
        return {"Relu": "relu", "Relu6": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid"}.get(type(operation).__name__)
    return kinds.get(found) if callable(found) else None


def _square(gradient: Any) -> Any:
    return ops.sum(ops.square(gradient))


def _measure(one: Units) -> Callable[[Any], Any]:
    """What is told of a tensor: the share of dead units, or of saturated outputs."""
    others = tuple(at for at in range(len(one.tensor.shape)) if at != one.axis)

    def dead(values: Any) -> Any:
        return ops.mean(ops.cast(ops.max(values, axis=others) <= 0, "float32"))

    def saturated(values: Any) -> Any:
        low = -1.0 if one.kind == "tanh" else 0.0
        return ops.mean(ops.cast(ops.logical_or(values < low + FLAT, values > 1.0 - FLAT), "float32"))

    return dead if one.kind == "relu" else saturated
