"""Node → ModelSection: inputs, layers and outputs, taken apart; the layers are a chain that `plan` expands."""

from dataclasses import dataclass

from kbuild.spec.names import NAME, RESERVED, bad_name, suggestion
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.signature import names
from kbuild.spec.spec import DeclaredInput
from kbuild.spec.unused import words
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Span

_INPUT_KEYS = ("shape", "dtype")
_WHOLE = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
DTYPES = frozenset({"bool", "float16", "bfloat16", "float32", "float64", *_WHOLE})
"""Of an input."""


@dataclass(frozen=True, slots=True)
class ModelSection:
    """What stands under `model`; `layers` of the arrow shorthand is its string."""

    inputs: tuple[DeclaredInput, ...]
    layers: Node
    outputs: Node | None


def model_section(node: Node | None, span: Span, scope: Scope) -> ModelSection:
    """The `model` section.

    Args:
        span: of the whole spec, where there is no such section.

    Raises:
        SpecError: K101, K104, K105, K113 for what is wrong with it.
    """
    if node is None:
        return ModelSection((), SequenceNode((), span), None)
    if isinstance(node, SequenceNode):
        _not_empty(node)
        return ModelSection((), node, None)
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            return ModelSection((), node, None)
        raise mistake(
            "K101",
            f"`model` is a list of layers, a map, or the arrow shorthand, not `{node.value}`",
            node.span,
            help="write `model: 784 -> 128 -> 10` or a list",
        )
    keys = ("inputs", "layers", "outputs")
    unknown = [key for key, _ in node.pairs if key.value not in keys]
    if unknown:
        raise SpecError(
            Problem(
                "K101",
                f"`model` has no key `{key.value}`",
                key.span,
                help=suggestion(str(key.value), keys, "layers stand in a list: begin each with `- `"),
            )
            for key in unknown
        )
    layers = node.get("layers")
    if layers is None:
        raise mistake("K104", "`model` has no `layers`", node.span, help="add `layers:` with a list of layers")
    _not_empty(layers)
    return ModelSection(_inputs(node.get("inputs"), scope), layers, node.get("outputs"))


def _not_empty(layers: Node) -> None:
    if (isinstance(layers, SequenceNode) and not layers.items) or (isinstance(layers, Scalar) and layers.value is None):
        raise mistake("K104", "the model has no layers", layers.span, help="write a list of them")


def _inputs(node: Node | None, scope: Scope) -> tuple[DeclaredInput, ...]:
    if node is None:
        return ()
    value = evaluate(node, scope.at("model.inputs"))
    if not isinstance(value, MappingNode) or not len(value):
        raise mistake(
            "K101",
            "`model.inputs` is a map of names to shapes",
            node.span,
            help="write `inputs: {image: {shape: [28, 28, 1]}}`",
        )
    return tuple(_input(key, item) for key, item in value.pairs)


def _input(key: Scalar, item: Node) -> DeclaredInput:
    name = str(key.value)
    if not NAME.match(name) or (name in RESERVED and name != "input"):
        raise SpecError(bad_name(key))
    if isinstance(item, SequenceNode):
        item = MappingNode(((Scalar("shape", item.span), item),), item.span)
    if isinstance(item, Scalar) and item.value is None:
        return DeclaredInput(name, None, None, key.span)
    if not isinstance(item, MappingNode):
        raise mistake("K105", f"an input is `{{shape: […]}}`, not `{brief(item)}`", item.span)
    for k, _ in item.pairs:
        if k.value not in _INPUT_KEYS:
            raise mistake(
                "K101", f"an input has no key `{k.value}`", k.span, help=suggestion(str(k.value), _INPUT_KEYS)
            )
    shape, dtype = item.get("shape"), item.get("dtype")
    if dtype is not None and (not isinstance(dtype, Scalar) or str(dtype.value) not in DTYPES):
        raise mistake(
            "K105", f"there is no dtype `{brief(dtype)}`", dtype.span, help=suggestion(str(plain(dtype)), DTYPES)
        )
    return DeclaredInput(
        name, None if shape is None else _shape(shape), None if dtype is None else str(plain(dtype)), key.span
    )


def _shape(node: Node) -> tuple[int | None, ...]:
    sizes = plain(node)
    if not isinstance(sizes, list) or not all(
        size is None or (isinstance(size, int) and not isinstance(size, bool) and size > 0) for size in sizes
    ):
        raise mistake(
            "K105",
            f"a shape is a list of sizes without the batch axis, not `{sizes}`",
            node.span,
            help="write `shape: [28, 28, 1]`; `null` is a size that is not known",
        )
    return tuple(sizes)  # type: ignore[arg-type]


def auto(chain: Node, layers: Node) -> Node:
    """`preprocess: auto` as the chain that it stands for: the scaling of the application that the model is made of."""
    if not isinstance(chain, Scalar) or chain.value != "auto":
        return chain
    found = sorted(words(layers) & set(names("applications")))
    if len(found) != 1:
        said = ", ".join(f"`{name}`" for name in found) or "none"
        raise mistake(
            "K105",
            f"`preprocess: auto` needs one model of `keras.applications` in the chain, not {said}",
            chain.span,
            help="write the layers that scale the input",
        )
    call = MappingNode(((Scalar("ApplicationPreprocessing", chain.span), Scalar(found[0], chain.span)),), chain.span)
    return SequenceNode((call,), chain.span)
