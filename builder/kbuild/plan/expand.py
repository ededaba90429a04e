"""(Spec, Header) → Plan: the whole network, every block, repeat and branch written out, each step with its shape."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kbuild.data.header import Header
from kbuild.plan.batch import without_examples
from kbuild.plan.budget import limit
from kbuild.plan.count import bounded
from kbuild.plan.entries import expand_chain
from kbuild.plan.graph import LOST, Bound, Feed, Frame, Graph, Here, written
from kbuild.plan.plan import Input, Plan, Ref, Step
from kbuild.plan.prune import pruned
from kbuild.plan.refer import reference
from kbuild.spec.names import NAME, suggestion
from kbuild.spec.scope import evaluate
from kbuild.spec.spec import Spec
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, node, plain
from kbuild.text.problem import Problem, SpecError, mistake, unique

ADAPTED = {"Normalization": "mean", "Discretization": "bin_boundaries"}
"""Layers with `adapt`, and the argument that stands for what they would learn."""


def expand(spec: Spec, header: Header | None = None) -> Plan:
    """Write the network out.

    Args:
        header: what the data source says of inputs and targets; None if there is none or it cannot be read.

    Raises:
        SpecError: every problem of the graph and its shapes.
    """
    graph = Graph(spec.blocks, spec.trust, spec.own, limit=limit(spec), home=spec.home, roots=spec.data_roots)
    graph.problems += [p for p in spec.problems if p.severity != "error"]
    numbers = _arrow(spec)
    for given in _inputs(spec, header, numbers):
        graph.inputs[given.name] = given
    features = _preprocessed(spec, graph)
    prefix = frozenset(graph.order)
    frame = Frame(names={name: Bound((ref,)) for name, ref in features.items()})
    first = Feed((next(iter(features.values())),))
    scope = replace(spec.scope, shape=graph.shape(first.first), has_shape=True, path="model.layers")
    here = Here(frame, scope, first, spec.scope)
    bounded(spec.layers, scope, spec.scope, spec.blocks)
    layers = spec.layers if numbers is None else _layers(numbers, header, spec.layers)
    out = expand_chain(layers, first, here, graph)
    outputs = _outputs(spec, out, here, graph)
    graph.problems += without_examples(outputs, graph)
    errors = [p for p in graph.problems if p.severity == "error"]
    if errors:
        raise SpecError(unique(graph.problems))
    steps = pruned(graph, outputs)
    prefix = frozenset(step.name for step in steps if step.name in prefix)
    if spec.data is not None:
        _adapted(steps, prefix)
    if numbers is not None:
        _first_number(numbers, graph, features, spec)
    return Plan(spec.name, tuple(graph.inputs.values()), steps, outputs, prefix, features, tuple(graph.problems))


def _inputs(spec: Spec, header: Header | None, numbers: list[int] | None) -> list[Input]:
    given = dict(header.inputs) if header else {}
    if spec.inputs:
        return [_declared(spec, declared, header) for declared in spec.inputs]
    if given:
        span = spec.span("data.source")
        return [Input(name, tensor.shape, None, span) for name, tensor in given.items()]
    if numbers is not None:
        return [Input("input", (numbers[0],), None, spec.span("model"))]
    if spec.data is None:
        raise mistake(
            "K211",
            "the shape of the network's input is not known",
            spec.span("model"),
            help="add `data: {source: …}`, or `inputs: {image: {shape: […]}}` beside `layers` under `model`",
        )
    return [Input("input", None, None, spec.span("data.source"))]


def _declared(spec: Spec, declared: object, header: Header | None) -> Input:
    from kbuild.spec.spec import DeclaredInput

    assert isinstance(declared, DeclaredInput)
    given = dict(header.inputs) if header else {}
    alone = len(spec.inputs) == 1 and len(given) == 1
    tensor = next(iter(given.values())) if alone else given.get(declared.name)
    shape = declared.shape
    if tensor is None and given:
        raise mistake(
            "K217",
            f"the data have nothing for the input `{declared.name}`",
            declared.span,
            help=suggestion(declared.name, given),
        )
    if tensor is None:
        return Input(declared.name, shape, declared.dtype, declared.span)
    if shape is None:
        shape = tensor.shape
    elif len(shape) != len(tensor.shape) or any(
        a is not None and b is not None and a != b for a, b in zip(shape, tensor.shape, strict=False)
    ):
        raise mistake(
            "K214",
            f"the input `{declared.name}` is declared as {written(shape)} and the data give {written(tensor.shape)}",
            declared.span,
            help="write the shape of the data; `data.preprocess` may change it",
        )
    return Input(declared.name, shape, declared.dtype, declared.span)


def _preprocessed(spec: Spec, graph: Graph) -> dict[str, Ref]:
    """What each input is after `data.preprocess`."""
    features = {name: Ref(name) for name in graph.inputs}
    for name, chain in spec.preprocess.items():
        if name and name not in features:
            raise mistake(
                "K201",
                f"`preprocess` names the input `{name}`, which is not there",
                chain.span,
                help=suggestion(name, features),
            )
        if not name and len(features) > 1:
            raise mistake(
                "K205",
                "`preprocess` must say which input it is for",
                chain.span,
                help=f"write a map: `preprocess: {{{next(iter(features))}: […]}}`",
            )
        key = name or next(iter(features))
        feed = Feed((features[key],))
        prefix = ("preprocess", key) if name else ("preprocess",)
        scope = replace(spec.scope, shape=graph.shape(feed.first), has_shape=True, path="data.preprocess")
        here = Here(Frame(prefix), scope, feed, spec.scope).inside("preprocess", "-".join(prefix))
        bounded(chain, scope, spec.scope, spec.blocks)
        features[key] = expand_chain(chain, feed, here, graph).first
    return features


def _outputs(spec: Spec, out: Feed, here: Here, graph: Graph) -> Mapping[str, Ref]:
    if spec.outputs is None:
        name = next(
            (n for n, b in reversed(here.frame.names.items()) if b.tensors[:1] == (out.first,) and _given(n, here)),
            "output",
        )
        return {name if name not in graph.inputs else "output": out.first}
    value = evaluate(spec.outputs, spec.scope.at("model.outputs"))
    items: list[tuple[str, Node]] = []
    if isinstance(value, MappingNode):
        items = [(str(key.value), item) for key, item in value.pairs]
    elif isinstance(value, Sequence) and value.items:
        items = [(re.sub(r"[-.]", "_", str(plain(item))), item) for item in value.items]
    elif isinstance(value, Scalar) and isinstance(value.value, str):
        items = [(re.sub(r"[-.]", "_", value.value), value)]
    if not items:
        raise mistake(
            "K206",
            f"`model.outputs` is a list of entries, not `{brief(value)}`",
            spec.outputs.span,
            help="name entries: `outputs: [digit]`, or leave `outputs` out for the last one",
        )
    outputs: dict[str, Ref] = {}
    for name, item in items:
        try:
            if not isinstance(item, Scalar) or not isinstance(item.value, str):
                raise mistake("K206", f"an output is the name of an entry, not `{brief(item)}`", item.span)
            if not NAME.match(name):
                raise mistake(
                    "K113", f"`{name}` is no name of an output", item.span, help="a name is `[a-z][a-z0-9_]*`"
                )
            if name in outputs:
                raise mistake("K114", f"there are two outputs named `{name}`", item.span, help="rename one of them")
            outputs[name] = reference(item, here)[0]
        except SpecError as error:
            graph.problems += error.problems
    return outputs or {"output": LOST}


def _adapted(steps: Iterable[Step], prefix: Collection[str]) -> None:
    """Layers that learn from the data before training do so in `data.preprocess`; elsewhere they would do nothing."""
    problems = [
        Problem(
            "K218",
            f"`{step.call.name}` learns from the data, which it does in `data.preprocess` only",
            step.span,
            help=f"move it there, or write its `{argument}`",
            path=step.path,
        )
        for step in steps
        if step.name not in prefix
        and step.call.namespace == "layers"
        and (argument := ADAPTED.get(step.call.name)) is not None
        and step.call.args.get(argument) is None
    ]
    if problems:
        raise SpecError(unique(problems))


def _given(name: str, here: Here) -> bool:
    return name in here.frame.coming


def _arrow(spec: Spec) -> list[int] | None:
    """The numbers of `784 -> 512 -> 10`; None for any other model."""
    if not isinstance(spec.layers, Scalar) or not isinstance(spec.layers.value, str):
        return None
    text = spec.layers.value
    if "->" not in text and "→" not in text:
        return None
    value = evaluate(spec.layers, spec.scope.at("model")) if "$" in text else spec.layers
    parts = [part.strip() for part in re.split(r"->|→", str(plain(value)))]
    if len(parts) < 2 or not all(part.isdigit() and 0 < int(part) < 10**9 for part in parts):
        raise mistake(
            "K105",
            f"`{text}` is no arrow shorthand",
            spec.layers.span,
            help="write numbers: `784 -> 512 -> 10`; else a list of layers",
        )
    return [int(part) for part in parts]


def _layers(numbers: list[int], header: Header | None, written_as: Node) -> Node:
    """The chain that the arrow shorthand is short for (language.md 8)."""
    targets = list(header.targets.values()) if header else []
    task = targets[0].task if len(targets) == 1 else None
    last = numbers[-1]
    activation = "softmax" if last > 1 else "sigmoid" if task == "binary" else None
    if task in {"regression", "reconstruction"}:
        activation = None
    elif task == "multilabel":
        activation = "sigmoid"
    head = {"units": last} if activation is None else {"units": last, "activation": activation}
    chain: list[object] = ["Flatten", *([{"mlp": numbers[1:-1]}] if numbers[1:-1] else []), {"Dense": head}]
    return node(chain, written_as.span)  # type: ignore[arg-type]


def _first_number(numbers: list[int], graph: Graph, features: Mapping[str, Ref], spec: Spec) -> None:
    shape = graph.shape(next(iter(features.values())))
    size = 1
    for length in shape or ():
        size *= length or 0
    if shape is not None and None not in shape and size != numbers[0]:
        raise mistake(
            "K214",
            f"the network takes {numbers[0]} numbers and the data give {size}: {written(shape)}",
            spec.layers.span,
            help=f"begin with `{size} -> …`",
        )
