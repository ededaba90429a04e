"""A block, used: its parameters bound in a scope of its own, its inputs named, its chain expanded in a frame of its
own.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from kbuild.plan.batch import without_examples
from kbuild.plan.entries import expand_chain
from kbuild.plan.graph import LOST, Bound, Feed, Frame, Graph, Here, values
from kbuild.plan.plan import Input, Plan, Ref, Shape
from kbuild.plan.prune import pruned
from kbuild.plan.refer import reference
from kbuild.spec.call import Nested
from kbuild.spec.entry import Apply, Entry, is_call
from kbuild.spec.names import suggestion
from kbuild.spec.scope import Scope, evaluate, is_open
from kbuild.spec.spec import Block
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span


def use_block(item: Entry, coming: Feed, here: Here, graph: Graph, title: str) -> Bound:
    """Expand a block where it is used.

    Raises:
        SpecError: K103, K104 for parameters, K203 for a block that uses itself, K205 for inputs.
    """
    assert isinstance(item.head, Apply)
    name, argument = item.head.name, item.head.argument
    block = graph.blocks[str(name.value)]
    if item.get("outputs") is not None or item.get("call") is not None:
        raise mistake(
            "K206",
            f"`outputs` and `call` belong to calls; the block `{block.name}` names its outputs itself",
            item.span,
            help=f"declare `outputs` in the block `{block.name}`",
        )
    if block.name in here.blocks:
        circle = " → ".join((*here.blocks[here.blocks.index(block.name) :], block.name))
        raise mistake("K203", f"the block uses itself: {circle}", name.span, help="a block cannot contain itself")
    inputs = _inputs(block, coming, name, item.get("from"))
    shape = graph.shape(inputs[block.inputs[0]].first)
    graph.count(name.span, values(argument) // 100)
    scope = parameters(block, argument, here, shape, name)
    frame = Frame(tuple(title.split("-")) if title else ())
    frame.names = {key: Bound(feed.items, {}) for key, feed in inputs.items()}
    first = inputs[block.inputs[0]]
    inside = replace(
        here, frame=frame, scope=scope, input=first, used=(*here.used, name.span), blocks=(*here.blocks, block.name)
    ).inside("block", title, title, block.name)
    before = len(graph.problems)
    out = expand_chain(block.layers, first, inside, graph)
    named = {key: _named(value, inside) for key, value in block.outputs.items()}
    if len(graph.problems) > before:
        return Bound((LOST,), dict.fromkeys(named, LOST))
    graph.spared |= {ref.step for ref in named.values()}
    graph.values.add(out.first.step)
    return Bound((out.first,), named)


def _named(value: Node, inside: Here) -> Ref:
    node = evaluate(value, inside.scope)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise mistake("K206", "an output of a block refers to one of its entries", value.span)
    return reference(node, inside)[0]


def _inputs(block: Block, coming: Feed, name: Scalar, written: Node | None) -> Mapping[str, Feed]:
    wanted = block.inputs
    if coming.by_name:
        unknown = [key for key in coming.by_name if key not in wanted]
        if unknown:
            raise mistake(
                "K103",
                f"the block `{block.name}` has no input `{unknown[0]}`",
                _key(written, unknown[0], name),
                help=suggestion(unknown[0], wanted),
            )
        given = dict(coming.by_name)
    elif len(wanted) == 1:
        return {wanted[0]: coming}
    else:
        given = {key: Feed((ref,)) for key, ref in zip(wanted, coming.items, strict=False)}
    if len(given) < len(wanted) or len(coming.items) > len(wanted):
        count = len(coming.items) or len(given)
        said = ", ".join(f"`{w}`" for w in wanted)
        raise mistake(
            "K205",
            f"the block `{block.name}` takes {len(wanted)} inputs ({said}) and gets {count}",
            name.span,
            help=f"write `from: {{{', '.join(f'{w}: …' for w in wanted)}}}`",
        )
    return {key: given[key] for key in wanted}


def parameters(block: Block, argument: Node | None, here: Here, shape: Shape, name: Scalar) -> Scope:
    """The scope inside a block: `vars`, its parameters, its input's shape.

    Raises:
        SpecError: K103 for a parameter that is not there, K104 for one that is missing, K105 for one that is no list.
    """
    given = _given(block, argument, here)
    problems = [
        Problem(
            "K103",
            f"the block `{block.name}` has no parameter `{key}`",
            _key(argument, key, node),
            help=suggestion(key, block.params),
        )
        for key, node in given.items()
        if key not in block.params
    ]
    missing = [key for key, default in block.params.items() if default is None and key not in given]
    if missing and not problems:
        said = " and ".join(f"`{key}`" for key in missing)
        help = f"write `{block.name}: {{{_complete(block, given, missing)}}}`"
        problems.append(Problem("K104", f"the block `{block.name}` needs {said}", name.span, help=help))
    if problems:
        raise SpecError(problems)
    scope = replace(here.globals, shape=shape, has_shape=True, path=here.scope.path)
    for key, default in block.params.items():
        if key in given:
            value = evaluate(given[key], here.scope.at(key))
            if key in block.lists and not isinstance(value, Sequence):
                raise _no_list(block, key, value, given[key])
        else:
            assert default is not None
            value = evaluate(default, scope.at(key))
        scope = scope.bind({key: value})
    return scope


def _complete(block: Block, given: Mapping[str, Node], missing: list[str]) -> str:
    """What is given and what is missing; a list that has a value for each required parameter is spread over them."""
    required = [key for key, default in block.params.items() if default is None]
    lone = next(iter(given.values())) if len(given) == 1 else None
    if isinstance(lone, Sequence) and len(lone) == len(required) and not block.lists:
        return ", ".join(f"{key}: {brief(item)}" for key, item in zip(required, lone.items, strict=True))
    return ", ".join([*(f"{key}: {brief(node)}" for key, node in given.items()), *(f"{key}: …" for key in missing)])


def _no_list(block: Block, key: str, value: Node, written: Node) -> SpecError:
    lone = key == next(iter(block.params)) and list(block.params.values()).count(None) == 1
    example = f"{block.name}: [{brief(value)}]" if lone else f"{key}: [{brief(value)}, …]"
    return mistake(
        "K105",
        f"`{key}` of the block `{block.name}` takes a list, not `{brief(value)}`",
        written.span,
        help=f"write `{example}`",
    )


def _key(argument: Node | None, key: str, value: Node) -> Span:
    found = argument.key(key) if isinstance(argument, MappingNode) else None
    return found.span if found else value.span


def _given(block: Block, argument: Node | None, here: Here) -> Mapping[str, Node]:
    if argument is None or (isinstance(argument, Scalar) and argument.value is None):
        return {}
    if is_open(argument):
        argument = evaluate(argument, here.scope.at(next(iter(block.params), "value")))
    if isinstance(argument, MappingNode) and not is_call(argument):
        return {str(key.value): value for key, value in argument.pairs}
    if not block.params:
        raise mistake(
            "K103", f"the block `{block.name}` has no parameters", argument.span, help=f"write `{block.name}` alone"
        )
    return {next(iter(block.params)): argument}


def nested_block(
    wrapper: str, shape: Shape, here: Here, graph: Graph
) -> Callable[[Scalar, Node | None], Nested]:  # fmt: skip
    """Makes a model of its own of a block where Keras takes a layer.

    Args:
        wrapper: the call that takes it; `TimeDistributed` gives it each step in time, others what they get themselves.
        shape: what the wrapper gets.
    """
    inner: Shape = shape[1:] if shape is not None and wrapper == "TimeDistributed" else shape

    def make(name: Scalar, argument: Node | None) -> Nested:
        block = graph.blocks[str(name.value)]
        own = Graph(graph.blocks, graph.trust, graph.own, entries=graph.entries, limit=graph.limit)
        key = block.inputs[0]
        own.inputs[key] = Input(key, inner, None, name.span)
        if len(block.inputs) > 1:
            raise mistake(
                "K205", f"`{wrapper}` takes a block with one input, and `{block.name}` has several", name.span
            )
        item = Entry(Apply(name, argument), {}, name.span)
        feed = Feed((Ref(key),))
        # for the keys beside it the call is one layer: only what is frozen altogether is frozen inside it too
        frozen = False if here.trainable is False else None
        inside = replace(
            here, frame=Frame(), input=feed, within=(), depth=here.depth + 2, trainable=frozen, weights=None, remat=None
        )
        bound = use_block(item, feed, inside, own, "")
        own.problems += without_examples({"output": bound.tensors[0]}, own)
        graph.entries = own.entries
        if own.problems:
            raise SpecError(own.problems)
        steps = pruned(own, {"output": bound.tensors[0]})
        return Nested(Plan(block.name, tuple(own.inputs.values()), steps, {"output": bound.tensors[0]}), name.span)

    return make
