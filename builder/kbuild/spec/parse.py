"""Node → Spec: the top level and its sections.

The network's entries are checked where they stand; `plan` expands them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from kbuild.spec.block import library, read_blocks
from kbuild.spec.calls import Context
from kbuild.spec.data_section import Found, data_section
from kbuild.spec.hole import Choose, default
from kbuild.spec.names import NAME, RESERVED, SPEC_NAME, suggestion
from kbuild.spec.scope import Scope, evaluate, used, variables
from kbuild.spec.signature import names
from kbuild.spec.spec import Block, DeclaredInput, Spec
from kbuild.spec.static import check_chain
from kbuild.spec.train_section import train_section
from kbuild.spec.tune_section import check_tune
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake
from kbuild.text.source import Source, Span

KEYS = ("kbuild", "name", "extends", "vars", "blocks", "data", "model", "train", "tune", "weights", "use")
_INPUT_KEYS = ("shape", "dtype")
T = TypeVar("T")


def parse(
    node: Node,
    stem: str,
    home: Path,
    sources: tuple[Source, ...],
    roots: tuple[Path, ...] = (),
    trust: bool = False,
    choose: Choose = default,
) -> Spec:
    """What a merged tree says.

    Args:
        stem: the name of a spec that gives itself none.
        home: the folder that relative paths start at.
        choose: what to take for a hole.

    Raises:
        SpecError: every problem that can be seen before the network is expanded.
    """
    assert isinstance(node, MappingNode)
    problems: list[Problem] = []

    def part(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except SpecError as error:
            problems.extend(error.problems)
            return otherwise

    problems += _top(node)
    name = part(lambda: _name(node, stem), stem)
    scope = part(lambda: variables(_map(node, "vars", NAME), choose), Scope(choose=choose))
    blocks = part(lambda: read_blocks(_map(node, "blocks", NAME), library()), dict(library()))
    own = node.get("blocks")
    context = Context(frozenset(blocks) | frozenset(own.keys if isinstance(own, MappingNode) else ()), trust=trust)
    found = part(lambda: data_section(node.get("data"), scope, context, home, roots), Found(None, {}, {}))
    train = part(lambda: train_section(node.get("train"), scope, context), train_section(None, scope, context))
    part(lambda: check_tune(node.get("tune"), context), None)
    inputs, layers, outputs = part(
        lambda: _model(node.get("model"), node.span, scope), ((), SequenceNode((), node.span), None)
    )
    for block in blocks.values():
        if not block.library:
            problems += check_chain(block.layers, context)
    preprocess = part(lambda: {name: _auto(chain, layers) for name, chain in (found.preprocess or {}).items()}, {})
    for chain in (layers, *preprocess.values()):
        problems += check_chain(chain, context)
    use = part(lambda: _use(node.get("use"), home, roots, trust), ())
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise SpecError(unique(problems))
    problems += _unused(node, blocks, scope)
    return Spec(
        name,
        node,
        scope,
        blocks,
        inputs,
        layers,
        outputs,
        found.data,
        preprocess,
        found.augment or {},
        train,
        home,
        sources,
        roots,
        trust,
        use,
        tuple(unique(problems)),
    )


def _top(node: MappingNode) -> list[Problem]:
    problems: list[Problem] = []
    for key, value in node.pairs:
        if key.value not in KEYS:
            problems.append(
                Problem("K101", f"a spec has no key `{key.value}`", key.span, help=suggestion(str(key.value), KEYS))
            )
        elif key.value == "weights" and plain(value) not in (None, False):
            problems.append(
                Problem("K190", "`weights` is not supported by this version of kbuild", key.span, help="leave it out")
            )
    version = node.get("kbuild")
    if version is None:
        problems.append(
            Problem("K104", "the format version is missing", _start(node.span), help="begin the spec with `kbuild: 1`")
        )
    elif plain(version) != 1 or isinstance(plain(version), bool):
        help = "write `kbuild: 1`; a spec of a later format needs a newer kbuild"
        problems.append(Problem("K108", f"this kbuild reads format 1, not `{brief(version)}`", version.span, help=help))
    if node.get("model") is None:
        help = "add `model:` with a list of layers"
        problems.append(Problem("K104", "the spec has no `model`", _start(node.span), help=help))
    return problems


def _start(span: Span) -> Span:
    return Span(span.source, span.line, span.column, span.line, span.column + 1)


def _name(node: MappingNode, stem: str) -> str:
    value = node.get("name")
    if value is None:
        return stem
    if (
        not isinstance(value, Scalar)
        or not isinstance(value.value, str)
        or not SPEC_NAME.match(value.value)
        or value.value.strip(".") == ""
    ):
        raise mistake(
            "K113",
            f"`{brief(value)}` is no name of a spec",
            value.span,
            help="1 to 64 letters, digits, dots, hyphens and underscores",
        )
    return value.value


def _map(node: MappingNode, key: str, names: re.Pattern[str]) -> MappingNode | None:
    value = node.get(key)
    if value is None or (isinstance(value, Scalar) and value.value in (None, False)):
        return None
    if not isinstance(value, MappingNode):
        raise mistake("K101", f"`{key}` is a map of names, not `{brief(value)}`", value.span)
    wrong = [k for k, _ in value.pairs if not names.match(str(k.value)) or k.value in RESERVED]
    if wrong:
        raise SpecError(bad_name(k) for k in wrong)
    return value


def bad_name(key: Scalar) -> Problem:
    """K113 for a name that cannot be given."""
    if key.value in RESERVED:
        return Problem(
            "K113", f"`{key.value}` is a word of the language and cannot be a name", key.span, help="choose another"
        )
    return Problem("K113", f"`{key.value}` is no name", key.span, help="a name is `[a-z][a-z0-9_]*`")


def _model(node: Node | None, span: Span, scope: Scope) -> tuple[tuple[DeclaredInput, ...], Node, Node | None]:
    empty = SequenceNode((), span)
    if node is None:
        return (), empty, None
    if isinstance(node, SequenceNode):
        _not_empty(node)
        return (), node, None
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            return (), node, None
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
    return _inputs(node.get("inputs"), scope), layers, node.get("outputs")


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
    if dtype is not None and (not isinstance(dtype, Scalar) or str(dtype.value) not in _DTYPES):
        raise mistake(
            "K105", f"there is no dtype `{brief(dtype)}`", dtype.span, help=suggestion(str(plain(dtype)), _DTYPES)
        )
    return DeclaredInput(
        name, None if shape is None else _shape(shape), None if dtype is None else str(plain(dtype)), key.span
    )


_DTYPES = frozenset(
    [
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
    ]
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


def _auto(chain: Node, layers: Node) -> Node:
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


def _use(node: Node | None, home: Path, roots: Sequence[Path], trust: bool) -> tuple[Path, ...]:
    from kbuild.spec.paths import allowed

    if node is None or plain(node) in (None, False):
        return ()
    if not trust:
        raise mistake(
            "K107",
            "`use` runs code of its own and is refused",
            node.span,
            help="run with --trust if the spec is your own",
        )
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return tuple(allowed(item, home, roots) for item in items)


def _unused(node: MappingNode, blocks: Mapping[str, Block], scope: Scope) -> list[Problem]:
    problems: list[Problem] = []
    mentioned = used(node)
    written = node.get("vars")
    for key, _ in written.pairs if isinstance(written, MappingNode) else ():
        if key.value not in mentioned:
            problems.append(
                Problem("K212", f"the variable `{key.value}` is not used", key.span, "warning", "remove it")
            )
    named = words(node.get("model")) | words(node.get("data")) | words(written)
    for block in blocks.values():
        named |= words(block.layers) if not block.library else set()
        named |= (
            {w for value in block.params.values() if value is not None for w in words(value)}
            if not block.library
            else set()
        )
    for block in blocks.values():
        if not block.library and block.name not in named:
            problems.append(
                Problem("K212", f"the block `{block.name}` is not used", block.span, "warning", "remove it")
            )
        if not block.library and block.name in library():
            note = f"`{block.name}` here hides the block of that name that kbuild ships"
            problems.append(Problem("K213", note, block.span, "hint"))
    return problems


def words(node: Node | None) -> set[str]:
    """All keys and strings in a tree."""
    match node:
        case Scalar(value=str() as text):
            return {text}
        case SequenceNode():
            return set().union(*(words(item) for item in node.items))
        case MappingNode():
            return set(node.keys).union(*(words(item) for _, item in node.pairs))
    return set()


def unique(problems: Sequence[Problem]) -> list[Problem]:
    """Each problem once: an entry of a block is expanded wherever the block is used."""
    seen: set[tuple[object, ...]] = set()
    kept: list[Problem] = []
    for problem in problems:
        key = (problem.code, problem.message, problem.span)
        if key not in seen:
            seen.add(key)
            kept.append(problem)
    return kept
