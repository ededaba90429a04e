"""Models of the members → one functional Keras model: each a layer of it, its preprocessing inside.

What joins them are layers and operations of Keras, so that the model loads without kbuild and without code of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from kbuild.plan.head import Head
from kbuild.spec.call import Call
from kbuild.train.metrics import sigmoid

ops: Any = keras.ops  # its annotations say that functions return None
Outputs = Sequence[Mapping[str, Any]]
"""What `run.json` says of the outputs of a run."""
FIRST = "member_1"


def joined(models: Sequence[keras.Model], outputs: Sequence[Outputs], how: str, name: str) -> keras.Model:
    """Average what the members give, or let them vote.

    An output that tells classes is made probabilities first. A vote gives (votes of the class + mean probability) /
    (members + 1): the mean counts as one vote more, which decides where votes are equal and nowhere else.

    Args:
        models: with the same inputs and outputs.
        outputs: of each member.
        how: `average` or `vote`; `vote` needs classes.
    """
    inputs, given = answers(models, outputs)
    made = {}
    for output, values in given.items():
        mean = values[0] if len(values) == 1 else keras.layers.Average(name=f"mean_{output}", dtype="float32")(values)
        task = next(of["task"] for of in outputs[0] if of["name"] == output)
        made[output] = _vote(values, mean, task) if how == "vote" else mean
    return finished(inputs, made, name)


def answers(models: Sequence[keras.Model], outputs: Sequence[Outputs]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """What the members say of one input.

    Returns:
        Inputs by name, and by output the tensor of each member: probabilities for classes, else values.
    """
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], name=tensor.name, dtype=tensor.dtype) for tensor in models[0].inputs
    }
    found: dict[str, list[Any]] = {of["name"]: [] for of in outputs[0]}
    for number, (model, described) in enumerate(zip(models, outputs, strict=True), 1):
        member = keras.Model(model.input, model.output, name=f"member_{number}")
        raw: Any = member(keras.tree.map_structure(lambda tensor: inputs[tensor.name], model.input))
        for of in described:
            value = raw[of["name"]] if isinstance(raw, Mapping) else raw
            found[of["name"]].append(_probabilities(value, of, f"member_{number}_{of['name']}"))
    return inputs, found


def finished(inputs: Mapping[str, Any], outputs: Mapping[str, Any], name: str) -> keras.Model:
    """The model between them, a lone input and output bare."""
    return keras.Model(_bare(inputs), _bare(outputs), name=name)


def of_probabilities(head: Head) -> Head:
    """What is measured at an output that gave logits and gives probabilities now."""
    if not head.logits:
        return head
    metrics = tuple(_on_probabilities(metric) for metric in head.metrics)
    loss = None if head.loss is None else _on_probabilities(head.loss)
    return replace(head, loss=loss, metrics=metrics, logits=False)


def _on_probabilities(call: Call) -> Call:
    """The same loss or metric of probabilities: what parts yes from no is moved by the sigmoid."""
    args = {key: value for key, value in call.args.items() if key != "from_logits"}
    for key in ("threshold", "thresholds"):
        if key in args:
            args[key] = _moved(args[key])
    return replace(call, args=args)


def _moved(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_moved(one) for one in value]
    return value if value is None else float(sigmoid(value))


def _probabilities(value: Any, of: Mapping[str, Any], name: str) -> Any:
    if not of["logits"]:
        return value
    activation = "sigmoid" if of["task"] == "multilabel" or value.shape[-1] == 1 else "softmax"
    return keras.layers.Activation(activation, dtype="float32", name=name)(value)


def _vote(values: Sequence[Any], mean: Any, task: str) -> Any:
    """As `joined` says. Several labels, or a lone probability, are each a vote on yes and no."""
    count, total = mean.shape[-1], mean
    each = task == "multilabel" or count == 1
    for value in values:
        one = ops.greater(value, 0.5) if each else ops.one_hot(ops.argmax(value, axis=-1), count, dtype="float32")
        total = ops.add(total, ops.cast(one, "float32"))
    return ops.divide(total, float(len(values) + 1))


def _bare(values: Mapping[str, Any]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else dict(values)
