"""keras.Model → the same model, whose entries with `remat: true` keep nothing but their inputs for the backward pass.

The backward pass computes such an entry again (gradient checkpointing; Chen et al., arXiv:1604.06174). Keras's own
`RematScope` wraps each layer by itself: that keeps the input of every layer, advances random states and moving
statistics a second time on TensorFlow, and fails where a layer changes its state on JAX. Here an entry is one pure
function of its inputs and variables, computed with `keras.remat`; what it changes is given to the variables once. The
model's layers, names and configuration stay as they are: a saved model is one without any of this.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import keras
from keras.src import backend
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask


@dataclass(frozen=True, slots=True)
class Part:
    """Nodes of a graph that are computed one after the other.

    Args:
        inputs, outputs: the symbolic tensors that come from other parts, and those that others take; for a part that is
            computed again.
        variables: of the layers in it, each once.
    """

    nodes: tuple[Any, ...]
    inputs: tuple[Any, ...] = ()
    outputs: tuple[Any, ...] = ()
    variables: tuple[Any, ...] = ()


def again(model: keras.Model, order: Sequence[tuple[Any, str | None]]) -> None:
    """Let a functional model compute the named groups of nodes again in the backward pass.

    Args:
        order: all nodes of the model, as they can be computed, each with the group that it belongs to or None.
    """
    functional: Any = model
    parts = _parts(order, functional.outputs)
    plain = functional._run_through_graph

    def run(inputs: Any, operation_fn: Callable = lambda operation: operation, call_fn: Callable | None = None) -> Any:
        flat = keras.tree.flatten(inputs)
        if call_fn is not None or any(keras.backend.is_keras_tensor(tensor) for tensor in flat):
            return plain(inputs, operation_fn, call_fn)
        known = {id(symbol): tensor for symbol, tensor in zip(functional.inputs, flat, strict=True)}
        for part in parts:
            if part.outputs:
                _checkpointed(part, known, operation_fn)
            else:
                _run(part.nodes, known, operation_fn)
        found = [known[id(symbol)] for symbol in functional.outputs]
        return keras.tree.pack_sequence_as(functional._outputs_struct, found)

    functional._run_through_graph = run


def nodes(results: Iterable[Any], known: set[int]) -> list[Any]:
    """The nodes that made `results` of the tensors in `known`, those first whose outputs others take.

    What they made is known from then on: masks too, which Keras makes by operations of its own.
    """
    found: list[Any] = []
    waiting = [(tensor, False) for tensor in results]
    while waiting:
        tensor, ready = waiting.pop()
        history = getattr(tensor, "_keras_history", None)
        if id(tensor) in known or history is None:
            continue
        node = history.operation._inbound_nodes[history.node_index]
        if ready:
            found.append(node)
            known |= {id(output) for output in node.outputs}
        elif not node.is_input:
            waiting += [(tensor, True), *((parent, False) for parent in node.input_tensors)]
    return found


def _parts(order: Sequence[tuple[Any, str | None]], results: Iterable[Any]) -> tuple[Part, ...]:
    takers: dict[int, set[int]] = {}
    for node, _ in order:
        for tensor in node.input_tensors:
            takers.setdefault(id(tensor), set()).add(id(node))
    last = {id(tensor) for tensor in results}
    found: list[Part] = []
    for name, group in groupby(order, key=lambda pair: pair[1]):
        inside = tuple(node for node, _ in group)
        if name is None:
            found.append(Part(inside))
            continue
        own = {id(node) for node in inside}
        made = {id(tensor): tensor for node in inside for tensor in node.outputs}
        given = {id(t): t for node in inside for t in node.input_tensors if id(t) not in made}
        left = [tensor for key, tensor in made.items() if key in last or takers.get(key, set()) - own]
        held = {id(v): v for node in inside for v in getattr(node.operation, "variables", ())}
        found.append(Part(inside, tuple(given.values()), tuple(left), tuple(held.values())))
    return tuple(found)


def _run(nodes: Iterable[Any], known: dict[int, Any], operation_fn: Callable) -> None:
    for node in nodes:
        args, kwargs = node.arguments.fill_in(known)
        results = keras.tree.flatten(operation_fn(node.operation)(*args, **kwargs))
        known.update({id(symbol): tensor for symbol, tensor in zip(node.outputs, results, strict=True)})


def _checkpointed(part: Part, known: dict[int, Any], operation_fn: Callable) -> None:
    """Compute a part as one function whose inner values are not kept."""
    given = [known[id(symbol)] for symbol in part.inputs]
    masks = [get_keras_mask(tensor) for tensor in given]
    scope = backend.get_autocast_scope()
    cast = None if scope is None else scope.dtype
    with backend.AutocastScope(None):
        values = [*given, *(_value(variable) for variable in part.variables)]
    # what has no gradient is no argument: TensorFlow would warn of each
    smooth = [at for at, value in enumerate(values) if keras.backend.is_float_dtype(value.dtype)]
    shape: list[list[int]] = []
    truths: list[bool] = []

    def pure(*floats: Any) -> tuple[Any, ...]:
        here = {**dict(enumerate(values)), **dict(zip(smooth, floats, strict=True))}
        tensors = [here[at] for at in range(len(given))]
        for tensor, mask in zip(tensors, masks, strict=True):
            if mask is not None:
                set_keras_mask(tensor, mask)
        mapping = [(variable, here[len(given) + at]) for at, variable in enumerate(part.variables)]
        inner = {id(symbol): tensor for symbol, tensor in zip(part.inputs, tensors, strict=True)}
        with backend.AutocastScope(cast), keras.StatelessScope(mapping, collect_losses=True) as stateless:
            before = [stateless.get_current_value(variable) for variable in part.variables]
            _run(part.nodes, inner, operation_fn)
            after = [stateless.get_current_value(variable) for variable in part.variables]
            results = [inner[id(symbol)] for symbol in part.outputs]
            losses = list(stateless.losses)
        changed = {at: new for at, (old, new) in enumerate(zip(before, after, strict=True)) if new is not old}
        found = {at: mask for at, tensor in enumerate(results) if (mask := get_keras_mask(tensor)) is not None}
        shape[:] = [[len(results), len(losses), len(changed)], list(changed), list(found)]
        every = [*results, *losses, *changed.values(), *found.values()]
        truths[:] = [str(keras.backend.standardize_dtype(value.dtype)) == "bool" for value in every]
        # nor does TensorFlow take truth values for results
        return tuple(keras.ops.cast(v, "float32") if truth else v for v, truth in zip(every, truths, strict=True))

    made = keras.remat(pure)(*(values[at] for at in smooth))
    left = [keras.ops.cast(value, "bool") if truth else value for value, truth in zip(made, truths, strict=True)]
    results, losses, changed = ([left.pop(0) for _ in range(count)] for count in shape[0])
    for symbol, tensor in zip(part.outputs, results, strict=True):
        known[id(symbol)] = tensor
    for at, mask in zip(shape[2], left, strict=True):
        set_keras_mask(results[at], mask)
    for at, value in zip(shape[1], changed, strict=True):
        part.variables[at].assign(value)
    owner = next((node.operation for node in part.nodes if isinstance(node.operation, keras.Layer)), None)
    for loss in losses:
        assert owner is not None
        owner.add_loss(loss)


def _value(variable: Any) -> Any:
    """TensorFlow may give what is read of a variable in the buffer in which the variable changes: states are copied."""
    return keras.ops.convert_to_tensor(variable) if variable.trainable else keras.ops.copy(variable)
