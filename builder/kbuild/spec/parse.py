"""Node → Spec: the top level and its sections.

The network's entries are checked where they stand; `plan` expands them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kbuild.spec.block import library, read_blocks
from kbuild.spec.calls import Context
from kbuild.spec.data_section import Found, data_section
from kbuild.spec.hole import Choose, default
from kbuild.spec.model_section import ModelSection, auto, model_section
from kbuild.spec.names import NAME, RESERVED, SPEC_NAME, bad_name, suggestion
from kbuild.spec.paths import allowed
from kbuild.spec.scope import Scope, variables
from kbuild.spec.signature import from_file
from kbuild.spec.spec import Spec
from kbuild.spec.static import check_chain
from kbuild.spec.train_section import train_section
from kbuild.spec.unused import unused
from kbuild.spec.values import Choices, Chooser
from kbuild.spec.weights import start_weights
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake, unique
from kbuild.text.source import Source, Span

if TYPE_CHECKING:
    from kbuild.spec.tune import Tune

KEYS = ("kbuild", "name", "extends", "vars", "blocks", "data", "model", "train", "tune", "choices", "weights", "use")
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
    collected = _Collected(_top(node))
    part = collected.part
    name = part(lambda: _name(node, stem), stem)
    use = part(lambda: _use(node.get("use"), home, roots, trust), ())
    own = {found.name: found for path in use for found in from_file(path)}
    choices = part(lambda: _choices(node.get("choices")), {})
    choose = Chooser(choices, choose) if choices else choose
    scope = part(lambda: variables(_map(node, "vars", NAME), choose), Scope(choose=choose))
    blocks = part(lambda: read_blocks(_map(node, "blocks", NAME), library()), dict(library()))
    written = node.get("blocks")
    known = frozenset(blocks) | frozenset(written.keys if isinstance(written, MappingNode) else ())
    context = Context(known, trust=trust, own=own)
    found = part(lambda: data_section(node.get("data"), scope, context, home, roots), Found(None, {}, {}))
    train = part(lambda: train_section(node.get("train"), scope, context), train_section(None, scope, context))
    weights = part(lambda: start_weights(node.get("weights"), scope, home, roots), None)
    tune = part(lambda: _tune(node.get("tune"), scope, context), None)
    model = part(lambda: model_section(node.get("model"), node.span, scope), ModelSection((), node, None))
    preprocess = part(lambda: {key: auto(chain, model.layers) for key, chain in found.preprocess.items()}, {})
    chains = [] if model.layers is node else [model.layers]
    for chain in (*(b.layers for b in blocks.values() if not b.library), *chains, *preprocess.values()):
        collected.problems += check_chain(chain, context)
    if any(problem.severity == "error" for problem in collected.problems):
        raise SpecError(unique(collected.problems))
    problems = tuple(unique([*collected.problems, *unused(node, blocks)]))
    return Spec(
        name=name, node=node, scope=scope, blocks=blocks, inputs=model.inputs, layers=model.layers,
        outputs=model.outputs, data=found.data, preprocess=preprocess, augment=found.augment, train=train, tune=tune,
        home=home, sources=sources, data_roots=roots, trust=trust, weights=weights, use=use, own=own,
        problems=problems,
    )  # fmt: skip


@dataclass(slots=True)
class _Collected:
    """The problems of all parts: one that is wrong does not hide the next."""

    problems: list[Problem]

    def part(self, read: Callable[[], T], otherwise: T) -> T:
        """What `read` gives, or `otherwise` if there is a problem with it."""
        try:
            return read()
        except SpecError as error:
            self.problems.extend(error.problems)
            return otherwise


def _tune(node: Node | None, scope: Scope, context: Context) -> "Tune | None":
    if node is None:
        return None
    # most specs search nothing, and its models take time to make
    from kbuild.spec.tune_section import tune_section

    return tune_section(node, scope, context)


def _top(node: MappingNode) -> list[Problem]:
    problems: list[Problem] = []
    for key in (key for key, _ in node.pairs):
        if key.value not in KEYS:
            problems.append(
                Problem("K101", f"a spec has no key `{key.value}`", key.span, help=suggestion(str(key.value), KEYS))
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
        raise mistake(
            "K101", f"`{key}` is a map of names, not `{brief(value)}`", value.span, help=f"write `{key}: {{name: …}}`"
        )
    wrong = [k for k, _ in value.pairs if not names.match(str(k.value)) or k.value in RESERVED]
    if wrong:
        raise SpecError(bad_name(k) for k in wrong)
    return value


def _choices(node: Node | None) -> Choices:
    """What was chosen for holes, by path."""
    content = None if node is None else plain(node)
    if content in (None, False):
        return {}
    if not isinstance(content, dict) or not all(isinstance(v, str | int | float) for v in content.values()):
        help = "write `choices: {train.optimizer.Adam.learning_rate: 1e-3}`"
        raise mistake("K101", "`choices` is a map from paths of holes to values", node.span if node else None, help)  # type: ignore
    return content  # pyright: ignore[reportReturnType]


def _use(node: Node | None, home: Path, roots: Sequence[Path], trust: bool) -> tuple[Path, ...]:
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
