"""keras.Model → Plan: the graph of a functional model as kbuild knows graphs, models inside it written out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from kbuild.plan.graph import tensors
from kbuild.plan.plan import Input, Plan, Ref, Shape, Step
from kbuild.spec.call import Call, Nested, Value
from kbuild.spec.names import snake_case
from kbuild.spec.signature import names, signature

_FAMILIES = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}


@dataclass(slots=True)
class _Graph:
    """The steps so far, and which tensor of Keras is which of theirs."""

    steps: list[Step] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    layers: dict[int, str] = field(default_factory=dict)

    def name(self, wanted: str) -> str:
        """`wanted`, or with a number if that is taken."""
        found, count = wanted, 0
        while found in self.taken:
            count += 1
            found = f"{wanted}_{count}"
        self.taken.add(found)
        return found


def read(model: keras.Model) -> Plan:
    """Read a built functional or sequential model.

    Shapes are Keras's. Arguments that have Keras's default are left out. A layer of a class that no spec can name keeps
    its class's name, and has no arguments.

    Raises:
        ValueError: the model has no graph, because it is subclassed or not built.

    Example:
        >>> plan = read(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
        >>> plan.steps[0].call.args
        {'units': 2}
    """
    functional = _functional(model)
    graph = _Graph()
    inputs = {id(tensor): Ref(graph.name(tensor.name)) for tensor in functional.inputs}
    known = _walk(functional, inputs, graph, "")
    given = tuple(Input(inputs[id(t)].step, _shape(t), str(t.dtype)) for t in functional.inputs)
    outputs = {
        name: known[id(tensor)] for name, tensor in zip(functional.output_names, functional.outputs, strict=True)
    }
    return Plan(str(model.name), given, _needed(graph.steps, outputs.values()), outputs)


def _needed(steps: list[Step], outputs: Iterable[Ref]) -> tuple[Step, ...]:
    """Without what only made masks."""
    needed = {ref.step for ref in outputs}
    for step in reversed(steps):
        if step.name in needed:
            needed |= {step.layer, *(ref.step for ref in tensors(step))}
    return tuple(step for step in steps if step.name in needed)


def _functional(model: Any) -> Any:
    found = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    if not hasattr(found, "_nodes_by_depth"):
        raise ValueError(f"`{model.name}` has no graph to read")
    return found


def _walk(model: Any, inputs: Mapping[int, Ref], graph: _Graph, prefix: str) -> dict[int, Ref]:
    """Read a model's nodes; `inputs` says what its own input tensors are. Returns what every tensor in it is."""
    known = dict(inputs)
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            operation = node.operation
            if node.is_input or isinstance(operation, keras.layers.InputLayer):
                continue
            if isinstance(operation, keras.Model) and _has_graph(operation):
                inner = _functional(operation)
                feeds = [known[id(tensor)] for tensor in node.input_tensors]
                inside = {id(tensor): feed for tensor, feed in zip(inner.inputs, feeds, strict=True)}
                found = _walk(inner, inside, graph, f"{prefix}{operation.name}-")
                refs = [found[id(tensor)] for tensor in inner.outputs]
            else:
                refs = _step(node, known, graph, prefix)
            known |= {id(tensor): ref for tensor, ref in zip(node.outputs, refs, strict=True)}
    return known


def _has_graph(model: Any) -> bool:
    found = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return hasattr(found, "_nodes_by_depth")


def _step(node: Any, known: Mapping[int, Ref], graph: _Graph, prefix: str) -> list[Ref]:
    operation = node.operation
    name = graph.name(prefix + operation.name)
    layer = graph.layers.setdefault(id(operation), name)

    def given(value: object) -> object:
        if id(value) in known:
            return known[id(value)]
        if isinstance(value, list | tuple):
            return [given(item) for item in value]
        return value

    args = tuple(given(value) for value in node.arguments.args)
    masks = {id(getattr(tensor, "_keras_mask", None)) for tensor in node.input_tensors}
    kwargs = {
        key: given(value)
        for key, value in node.arguments.kwargs.items()
        if value is not None and id(value) not in masks  # Keras hands masks on by itself
    }
    call = _call(operation)
    shapes = tuple(_shape(tensor) for tensor in node.outputs)
    trainable = None if getattr(operation, "trainable", True) else False
    graph.steps.append(Step(name, layer, call, args, kwargs, shapes, trainable=trainable, path=f"model.layers.{name}"))
    return [Ref(name, index) for index in range(len(shapes))]


def _call(operation: Any) -> Call:
    kind = type(operation)
    if not isinstance(operation, keras.Layer):
        return Call("ops", _operation_name(kind.__name__), _arguments(operation, "ops", _operation_name(kind.__name__)))
    # an application may define a layer of its own that has the name of one of kbuild's
    if kind.__name__ in names("layers") and not kind.__module__.startswith("keras.src.applications."):
        return Call("layers", kind.__name__, _arguments(operation, "layers", kind.__name__))
    return Call("layers", kind.__name__)


def _operation_name(kind: str) -> str:
    """`ExpandDims` → `expand_dims`, `GetItem` → `get_item`; the name of the public function where there is one."""
    snake = snake_case(kind)
    public = names("ops")
    return next((name for name in (snake, re.sub(r"(\d)_?d$", r"_\1d", snake)) if name in public), snake)


def _arguments(operation: Any, namespace: str, name: str) -> dict[str, Value]:
    """What the object was made with, without what is Keras's default."""
    found = signature(namespace, name)
    if found is None:
        return {}
    try:
        config = operation.get_config()
    except NotImplementedError:
        return {}
    defaults = {parameter.name: parameter for parameter in found.parameters}
    values = {
        key: _value(value, key) for key, value in config.items() if key in defaults and key not in {"name", "dtype"}
    }
    if values.get("data_format") == keras.config.image_data_format():
        del values["data_format"]
    return {
        key: value for key, value in values.items() if defaults[key].required or not _same(value, defaults[key].default)
    }


def _value(value: Any, key: str) -> Value:
    """A value of Keras's configuration as a spec would hold it."""
    if isinstance(value, Mapping) and "class_name" in value and "config" in value:
        return _object(value, key)
    if isinstance(value, Mapping):
        return {str(name): _value(item, key) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, key) for item in value]
    if isinstance(value, keras.Model) and _has_graph(value):
        return Nested(read(value))
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _object(config: Mapping[str, Any], key: str) -> Value:
    """A serialized object as a call."""
    name = str(config["class_name"])
    if name in {"Functional", "Sequential", "Model"}:
        return Nested(read(keras.saving.deserialize_keras_object(dict(config), safe_mode=True)))
    if config.get("module") == "builtins" or name == "function":
        return str(config["config"])
    namespace = next((space for word, space in _FAMILIES.items() if key.endswith(word)), None)
    if namespace is None:
        namespace = "layers" if "layer" in str(config.get("module")) else "activations"
    found = signature(namespace, name)
    inner = config["config"] if isinstance(config["config"], Mapping) else {}
    defaults = {parameter.name: parameter for parameter in found.parameters} if found else {}
    values = {k: _value(v, k) for k, v in inner.items() if k in defaults and k not in {"name", "dtype"}}
    args = {k: v for k, v in values.items() if defaults[k].required or not _same(v, defaults[k].default)}
    return Call(namespace, name, args)


def _same(value: Value, default: object) -> bool:
    """Whether a value is what the signature gives: `GlorotUniform` is `glorot_uniform`, `[1, 1]` is 1."""
    if isinstance(value, Call):
        return not value.args and isinstance(default, str) and snake_case(value.name) == default
    if isinstance(value, list):
        items = list(default) if isinstance(default, list | tuple) else [default] * len(value)
        return len(items) == len(value) and all(_same(a, b) for a, b in zip(value, items, strict=True))
    return (type(value) is type(default) and value == default) or (
        value in (None, "linear") and default in (None, "linear")
    )


def _shape(tensor: Any) -> Shape:
    return tuple(tensor.shape[1:])
