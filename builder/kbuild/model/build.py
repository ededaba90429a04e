"""Plan → keras.Model: each step applied, in order. A failure of Keras becomes a Problem at the step's entry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from kbuild.model import remat
from kbuild.model.learn import learn
from kbuild.model.objects import make
from kbuild.model.thaw import only
from kbuild.plan.applications import remember, remembered
from kbuild.plan.graph import tensors, written
from kbuild.plan.plan import Plan, Ref, Step
from kbuild.spec.call import Call
from kbuild.text.problem import Problem, Related, SpecError, mistake


def build(plan: Plan) -> keras.Model:
    """A functional model of the plan, not compiled.

    Layers carry the names of their steps. One output is a tensor; several are a dict by their names in the plan.

    Raises:
        SpecError: K210 if the shape of an input is not known, K208 for what Keras refuses, with the shapes that
            reached it.
    """
    values: dict[Ref, Any] = {}
    inputs: dict[str, Any] = {}
    for given in plan.inputs:
        if given.shape is None:
            raise mistake(
                "K210",
                f"the shape of the input `{given.name}` is not known",
                given.span,
                help="the data tell it when they can be read; or give it under `model.inputs`",
            )
        inputs[given.name] = keras.Input(given.shape, name=given.name, dtype=given.dtype or "float32")
        values[Ref(given.name)] = inputs[given.name]
    layers: dict[str, Any] = {}
    order: list[tuple[Any, str | None]] = []
    known = {id(tensor) for tensor in inputs.values()}
    for step in plan.steps:
        results = _apply(step, layers, values, known, plan)
        order += [(node, step.remat) for node in remat.nodes(results, known)]
        values |= {Ref(step.name, index): tensor for index, tensor in enumerate(results)}
    outputs = {name: values[ref] for name, ref in plan.outputs.items()}
    single = len(outputs) == 1
    given_inputs = next(iter(inputs.values())) if len(inputs) == 1 else inputs
    model = keras.Model(given_inputs, next(iter(outputs.values())) if single else outputs, name=_model_name(plan.name))
    if any(step.remat for step in plan.steps):
        remat.again(model, order)
    return model


def _model_name(name: str) -> str:
    return name.replace("/", "-")


def _apply(step: Step, layers: dict[str, Any], values: Mapping[Ref, Any], known: set[int], plan: Plan) -> list[Any]:
    try:
        args = [_filled(value, values) for value in step.args]
        kwargs = {key: _filled(value, values) for key, value in step.kwargs.items()}
        if step.call.namespace == "ops":
            return _named(_listed(_operation(step.call, args, kwargs)), step.name, known)
        layer = layers.get(step.layer)
        if layer is None:
            layer = layers[step.layer] = _layer(step, args, plan)
        results = _listed(layer(*args, **kwargs))
        if step.trainable is False and step.layer == step.name:
            # only now, as MultiHeadAttention makes its layers while it is built; False upon False does nothing in Keras
            layer.trainable = True
            layer.trainable = False
        return results
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(_failure(step, error, plan)) from error


def _filled(value: object, values: Mapping[Ref, Any]) -> Any:
    if isinstance(value, Ref):
        return values[value]
    if isinstance(value, list | tuple):
        return [_filled(item, values) for item in value]
    return value


def _listed(result: Any) -> list[Any]:
    if isinstance(result, list | tuple):
        return [tensor for item in result for tensor in _listed(item)]
    return [result]


def _operation(call: Call, args: list[Any], kwargs: dict[str, Any]) -> Any:
    literals = {key: make(value) if isinstance(value, Call) else value for key, value in call.args.items()}
    function = make(call)
    if call.name == "einsum":
        return function(literals.pop("subscripts"), *args, **literals, **kwargs)  # type: ignore[operator]
    return function(*args, **kwargs, **literals)  # type: ignore[operator]


def _named(results: list[Any], name: str, known: set[int]) -> list[Any]:
    """Name what an operation left in the graph after its step: Keras's own names may be those of other entries."""
    waiting, seen = list(results), []
    while waiting:
        tensor = waiting.pop(0)
        operation = getattr(getattr(tensor, "_keras_history", None), "operation", None)
        if id(tensor) in known or operation is None or operation in seen or isinstance(operation, keras.Layer):
            continue
        operation.name = f"{name}-{len(seen)}" if seen else name
        seen.append(operation)
        waiting += [parent for node in operation._inbound_nodes for parent in node.input_tensors]
    return results


def _layer(step: Step, args: list[Any], plan: Plan) -> Any:
    if step.call.namespace == "applications":
        layer = _application(step, args[0])
    else:
        layer = make(_full_precision(step, plan), name=step.name, nested=_nested)
    if isinstance(step.trainable, tuple):
        only(layer, step, step.trainable)
    return layer


def _full_precision(step: Step, plan: Plan) -> Call:
    """The call, in float32 if an output comes from it: under mixed precision losses would otherwise overflow."""
    last = any(ref.step == step.name for ref in plan.outputs.values())
    mixed = str(keras.config.dtype_policy().name).startswith("mixed")
    if not last or not mixed or "dtype" in step.call.args:
        return step.call
    return replace(step.call, args={**step.call.args, "dtype": "float32"})


def _nested(plan: object) -> keras.Model:
    assert isinstance(plan, Plan)
    return build(plan)


def _application(step: Step, tensor: Any) -> keras.Model:
    """A model of `keras.applications` as one layer, its input the shape that reaches it, its inner outputs named."""
    args = dict(step.call.args)
    args.setdefault("input_shape", list(tensor.shape[1:]))
    inner: Any = make(Call(step.call.namespace, step.call.name, args, step.call.span, step.call.spans), name=step.name)
    shape = tuple(tensor.shape[1:])
    if None not in shape and remembered(step.call, shape) is None:
        remember(step.call, shape, learn(inner))
    if not step.nodes:
        return inner
    known = {layer.name for layer in inner.layers}
    for name, layer in step.nodes.items():
        if layer not in known:
            from kbuild.spec.names import suggestion

            raise mistake(
                "K206",
                f"`{step.call.name}` has no layer `{layer}` for the output `{name}`",
                step.span,
                help=suggestion(layer, known),
            )
    ends = [inner.output, *(inner.get_layer(layer).output for layer in step.nodes.values())]
    return keras.Model(inner.input, ends, name=step.name)


def _failure(step: Step, error: Exception, plan: Plan) -> Problem:
    """What Keras says, in one line, where a person would change it."""
    text = str(error).strip()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    said = lines[0] if lines else type(error).__name__
    if said.startswith("Exception encountered when calling") and len(lines) > 1:
        said = lines[1]
    said = said.replace("\x1b[1m", "").replace("\x1b[0m", "").rstrip(".")
    refs = tensors(step)
    shapes = ", ".join(written(plan.shape(ref)) for ref in refs)
    related = [Related("the block is used here", span) for span in step.used]
    for ref in refs:
        before = plan.step(ref.step)
        if before is not None and before.span is not None:
            related.append(Related(f"`{before.name}` gives {written(plan.shape(ref))}", before.span))
    return Problem(
        "K208", f"`{step.call.name}` cannot be built: {said}", step.span, help=f"it gets {shapes}" if shapes else None,
        related=tuple(related), path=step.path,
    )  # fmt: skip


def features(model: keras.Model, plan: Plan) -> keras.Model | None:
    """From the model's inputs to what `data.preprocess` makes of them; None if it does nothing.

    With one input the result is a tensor, with several a dict by input name.
    """
    if not plan.preprocess:
        return None
    outputs = {name: tensor(model, ref) for name, ref in plan.features.items()}
    return keras.Model(model.input, next(iter(outputs.values())) if len(outputs) == 1 else outputs, name="preprocess")


def tensor(model: keras.Model, ref: Ref) -> Any:
    """The tensor of a model that an entry of the plan gave."""
    # Keras sorts the inputs of a model by name
    inputs = {tensor.name: tensor for tensor in model.inputs}
    if ref.step in inputs:
        return inputs[ref.step]
    output = next(operation for operation in model.operations if operation.name == ref.step).output
    return output[ref.index] if isinstance(output, list | tuple) else output
