"""(call, Feed) → Step: which tensor goes to which argument, and what shape comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kbuild.plan.applications import remembered
from kbuild.plan.batch import follow
from kbuild.plan.beside import learns
from kbuild.plan.graph import Feed, Graph, Here, values, written
from kbuild.plan.plan import Ref, Shape, Step
from kbuild.plan.remedy import remedy
from kbuild.plan.shapes import ShapeMistake
from kbuild.plan.shapes.table import reckoned
from kbuild.plan.trail import trail
from kbuild.spec.call import Call
from kbuild.spec.calls import Context, call, find
from kbuild.spec.entry import is_call
from kbuild.spec.names import suggestion
from kbuild.spec.scope import evaluate, is_open
from kbuild.spec.signature import Signature
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import mistake


def make_step(
    name: Scalar, argument: Node | None, feed: Feed, siblings: Mapping[str, Node], here: Here, graph: Graph, title: str,
    nested: Any = None,
) -> Step:  # fmt: skip
    """One application of a layer or operation.

    Args:
        title: the step's name.
        nested: (block name, argument) → Nested, for calls that take a layer.

    Raises:
        SpecError: K103, K205 for inputs that do not fit the call, K207 for shapes that do not.
    """
    context = Context(frozenset(graph.blocks), nested, graph.trust, graph.own)
    is_op = str(name.value).startswith("ops.")
    namespaces = ("ops",) if is_op else ("layers", "applications")
    signature = find(name, namespaces, context)
    value = _evaluated(argument, signature, here)
    graph.count(name.span, values(value) // 100)
    _unnamed(value, signature, name)
    literals = _literals(siblings.get("call"), signature, here, context)
    args, kwargs, filled = _wire(signature, feed, value, name, siblings.get("from"))
    made = call(name, value, namespaces, context, filled=filled if is_op else frozenset())
    names, nodes = _outputs(siblings.get("outputs"), made, here)
    step = Step(
        title, title, made, args, {**kwargs, **literals}, None, names, nodes,
        trainable=learns(here, title, made), weights=here.weights, remat=here.remat, span=name.span, used=here.used,
        path=here.scope.path, within=here.within,
    )  # fmt: skip
    shapes = _shapes(step, made, made.args, feed, graph)
    if shapes is not None and names and len(names) > len(shapes) and not nodes:
        raise mistake(
            "K206",
            f"`{signature.name}` gives {_tensors(len(shapes))}, and {len(names)} are named",
            siblings["outputs"].span,
            help=_returns_help(signature),
        )
    return replace(step, shapes=shapes)


def _unnamed(value: Node | None, signature: Signature, name: Scalar) -> None:
    """The language names entries, not arguments: a name in two places could differ."""
    key = value.key("name") if isinstance(value, MappingNode) and not is_call(value) else None
    if key is not None and signature.namespace != "ops":
        raise mistake(
            "K103",
            f"`name` is no argument of `{signature.name}` here",
            key.span,
            help=f"write `name` beside `{signature.name}`",
        )
    if signature.namespace == "ops" and signature.name in _MAKES:
        raise mistake(
            "K205",
            f"`ops.{signature.name}` takes no tensor: nothing of the model would reach it",
            name.span,
            help="`ops.zeros_like`, `ops.ones_like` and `ops.full_like` make one from a tensor",
        )

    if signature.namespace == "ops" and signature.name in _TELLS:
        raise mistake(
            "K205",
            f"`ops.{signature.name}` gives no tensor to go on with",
            name.span,
            help="`$input_shape` tells the sizes while the network is expanded",
        )


def _tensors(count: int) -> str:
    return "one tensor" if count == 1 else f"{count} tensors"


def _returns_help(signature: Signature) -> str:
    known = {p.name for p in signature.parameters}
    if "return_state" in known:
        return "with `return_sequences: true` and `return_state: true` it gives the sequence and its states"
    if any(p.name == "return_attention_scores" for p in signature.call):
        return "`call: {return_attention_scores: true}` gives the scores too"
    return "name as many as it gives, or leave `outputs` out"


def _evaluated(argument: Node | None, signature: Signature, here: Here) -> Node | None:
    """The argument with nothing open; a lone value's holes are named by the argument that it counts as."""
    if argument is None:
        return None
    lone = not isinstance(argument, MappingNode) or is_call(argument) or is_open(argument)
    first = signature.parameters[0].name if signature.parameters else "value"
    return evaluate(argument, here.scope.at(first) if lone else here.scope)


def _literals(node: Node | None, signature: Signature, here: Here, context: Context) -> dict[str, Any]:
    if node is None:
        return {}
    value = evaluate(node, here.scope.at("call"))
    if not isinstance(value, MappingNode):
        raise mistake(
            "K105",
            f"`call` is a map of call-time arguments, not `{brief(value)}`",
            node.span,
            help="write `call: {use_causal_mask: true}`",
        )
    known = [p.name for p in signature.call]
    for key, _ in value.pairs:
        if key.value not in known:
            message = f"`{signature.name}` has no call-time argument `{key.value}`"
            raise mistake("K103", message, key.span, help=suggestion(str(key.value), known))
    return {str(key.value): plain(item) for key, item in value.pairs}


def _wire(
    signature: Signature, feed: Feed, value: Node | None, name: Scalar, asked: Node | None
) -> tuple[tuple[object, ...], dict[str, object], frozenset[str]]:
    """Positional and named tensors, and which of an operation's parameters they fill."""
    is_op = signature.namespace == "ops"
    if is_op and signature.rest:
        return feed.items, {}, frozenset()
    parameters = signature.parameters if is_op else signature.call
    if feed.by_name:
        return _by_name(signature, feed, parameters, name, asked)
    needed = _needed(signature, value) if is_op else [p.name for p in parameters if p.required]
    if feed.listed and (len(feed.items) > 1 or _merges(signature)):
        if len(needed) > 1 or (is_op and signature.name in _SEVERAL):
            if len(feed.items) > max(len(parameters), len(needed)):
                raise mistake(
                    "K205",
                    f"`{signature.name}` takes at most {len(parameters)} inputs, not {len(feed.items)}",
                    name.span,
                )
            return feed.items, {}, _first(parameters, len(feed.items))
        return (list(feed.items),), {}, _first(parameters, 1)
    if len(needed) > 1 and not is_op:
        said = ", ".join(f"`{p}`" for p in needed)
        example = ", ".join(f"{p}: …" for p in needed)
        raise mistake(
            "K205",
            f"`{signature.name}` needs {len(needed)} inputs ({said}) and gets 1",
            name.span,
            help=f"write `from: {{{example}}}`, or a list of names",
        )
    return (feed.first,), {}, _first(parameters, 1)


_SEVERAL = frozenset({"where", "layer_normalization", "rms_normalization"})
"""Operations that require one tensor and take more, one by one."""


_MAKES = frozenset(
    {"arange", "array", "bartlett", "blackman", "empty", "eye", "full", "geomspace", "hamming", "hanning", "identity"}
    | {"kaiser", "linspace", "logspace", "ones", "tri", "zeros"}
)
"""Operations that make a tensor of numbers: a layer fed by one alone would fall out of the model without a word."""

_TELLS = frozenset({"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size"})
"""Operations that tell of a tensor and give none to go on with."""


def _first(parameters: Sequence[Any], count: int) -> frozenset[str]:
    return frozenset(p.name for p in parameters[:count])


def _merges(signature: Signature) -> bool:
    return "Merge" in signature.bases or signature.namespace == "ops"


def _needed(signature: Signature, value: Node | None) -> list[str]:
    """The required parameters of an operation that its written arguments leave to the inputs."""
    needed = [p.name for p in signature.parameters if p.required]
    if isinstance(value, MappingNode) and not is_call(value):
        return [p for p in needed if value.get(p) is None]
    return needed if value is None or (isinstance(value, Scalar) and value.value is None) else needed[:-1] or needed


def _by_name(
    signature: Signature, feed: Feed, parameters: Sequence[Any], name: Scalar, asked: Node | None
) -> tuple[tuple[object, ...], dict[str, object], frozenset[str]]:
    known = [p.name for p in parameters]
    unknown = [key for key in feed.by_name if key not in known]
    if unknown:
        key = asked.key(unknown[0]) if isinstance(asked, MappingNode) else None
        raise mistake(
            "K103",
            f"`{signature.name}` has no input `{unknown[0]}`",
            (key or name).span,
            help=suggestion(unknown[0], known),
        )
    missing = [p.name for p in parameters if p.required and p.name not in feed.by_name]
    if missing and signature.namespace != "ops":
        raise mistake("K205", f"`{signature.name}` needs the input `{missing[0]}`", name.span, help="add it to `from`")
    values: dict[str, object] = {key: list(f.items) if f.listed else f.first for key, f in feed.by_name.items()}
    leading: list[object] = []
    for parameter in known:
        if parameter not in values:
            break
        leading.append(values.pop(parameter))
    return tuple(leading), values, frozenset(feed.by_name)


def _outputs(node: Node | None, made: Call, here: Here) -> tuple[tuple[str, ...], dict[str, str]]:
    if node is None:
        return (), {}
    value = evaluate(node, here.scope.at("outputs"))
    if isinstance(value, SequenceNode) and all(
        isinstance(item, Scalar) and isinstance(item.value, str) for item in value.items
    ):
        return tuple(str(item.value) for item in value.items if isinstance(item, Scalar)), {}
    if isinstance(value, MappingNode) and made.namespace == "applications":
        return tuple(value.keys), {str(k.value): str(plain(v)) for k, v in value.pairs}
    raise mistake(
        "K206",
        f"`outputs` names what `{made.name}` returns: it is a list of names, not `{brief(value)}`",
        node.span,
        help="write `outputs: [sequence, state]`",
    )


def _shapes(step: Step, made: Call, args: Mapping[str, Any], feed: Feed, graph: Graph) -> tuple[Shape, ...] | None:
    def of(value: object) -> Any:
        if isinstance(value, Ref):
            return graph.shape(value)
        return [of(item) for item in value] if isinstance(value, list | tuple) else None

    shape = graph.shape(feed.first)
    if made.namespace == "applications" and shape is not None and len(shape) != 3:
        raise mistake(
            "K207",
            f"`{made.name}` needs (rows, columns, channels) but gets {written(shape)}",
            step.span,
            help="put a `Reshape` in front of it",
            related=trail(graph, feed, step.within),
            path=step.path,
        )
    if made.namespace == "applications":
        return _inside(step, shape)
    named = {key: of(value) if isinstance(value, Ref | list) else value for key, value in step.kwargs.items()}
    try:
        shapes, gone = reckoned(made.name, args, [of(value) for value in step.args], named, made.namespace)
    except ShapeMistake as found:
        raise mistake(
            "K207",
            found.message,
            made.spans.get(found.argument or "", step.span),
            help=remedy(found, feed, graph),
            related=trail(graph, feed, step.within),
            path=step.path,
        ) from None
    follow(step, gone, feed, graph)
    return shapes


def _inside(step: Step, shape: Shape) -> tuple[Shape, ...] | None:
    """What an application gives and what the layers give that `outputs` names, if it was built before."""
    found = remembered(step.call, shape)
    if found is None:
        return None
    for name, layer in step.nodes.items():
        if layer not in found.parts:
            raise mistake(
                "K206",
                f"`{step.call.name}` has no layer `{layer}` for the output `{name}`",
                step.span,
                help=suggestion(layer, found.parts),
            )
    return (found.shape, *(found.parts[layer].shape for layer in step.nodes.values()))
