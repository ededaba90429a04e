"""Node → Data: which source, where its files may lie, how it is split.

Chains (`preprocess`, `augment`) stay nodes and calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbuild.spec.call import Call
from kbuild.spec.calls import Context, call
from kbuild.spec.data import Csv, Data, Images, Named, Npz, Python, SourceSection, Split, Texts
from kbuild.spec.names import suggestion
from kbuild.spec.paths import allowed
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.spec import span_at
from kbuild.spec.validate import validated
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, SpecError, mistake

KINDS: Mapping[str, type] = {
    "npz": Npz, "npy": Npz, "csv": Csv, "parquet": Csv, "images": Images, "text": Texts, "python": Python
}  # fmt: skip
LATER = ("tfrecord", "tfds")
LIKE = {"parquet": "csv", "npy": "npz"}
"""Kinds that differ from another in how their files are read, and in nothing else that is written."""


@dataclass(frozen=True, slots=True)
class Found:
    """The section, and the chains that stand in it."""

    data: Data | None
    preprocess: Mapping[str, Node]
    augment: Mapping[str, tuple[Call, ...]]


def data_section(node: Node | None, scope: Scope, context: Context, home: Path, roots: Sequence[Path]) -> Found:
    """The `data` section; None and `false` are none.

    Raises:
        SpecError: all that is wrong with it.
    """
    if node is None or (isinstance(node, Scalar) and node.value in (None, False)):
        return Found(None, {}, {})
    if not isinstance(node, MappingNode):
        raise mistake("K101", f"`data` is a map, not `{brief(node)}`", node.span, help="write `data: {source: digits}`")
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    preprocess: Mapping[str, Node] = {}
    augment: Mapping[str, tuple[Call, ...]] = {}
    for key, raw in node.pairs:
        name = str(key.value)
        try:
            if name == "preprocess":
                preprocess = _by_input(raw)
            elif name == "augment":
                augment = _augment(raw, scope, context)
            else:
                value = evaluate(raw, scope.at(f"data.{name}"))
                values[name] = _read(name, value, context, home, roots)
        except SpecError as error:
            problems += error.problems
            values.pop(name, None)
    if "source" not in values and node.get("source") is not None:
        values["source"] = Named(name="digits")
    try:
        data = validated(Data, values, "data", node)
    except SpecError as error:
        raise SpecError([*problems, *error.problems]) from None
    if problems:
        raise SpecError(problems)
    return Found(data, preprocess, augment)


def _read(name: str, value: Node, context: Context, home: Path, roots: Sequence[Path]) -> Any:
    if name == "source":
        return source(value, context, home, roots)
    if name == "split":
        return _split(value)
    if name == "classes" and isinstance(value, SequenceNode):
        return tuple(str(plain(item)) for item in value.items)
    return plain(value)


def _split(value: Node) -> Split:
    content = plain(value)
    if content is False:
        return Split(validation=0.0, test=0.0)
    if not isinstance(content, dict):
        raise mistake(
            "K105", f"`data.split` is a map, not `{content}`", value.span, help="write `split: {validation: 0.1}`"
        )
    # null is nothing, so that `folds` can be laid over a base that has a validation part
    content = {key: size for key, size in content.items() if (key, size) != ("validation", None)}
    split = validated(Split, content, "data.split", value)
    _folds(split, value)
    for part in ("validation", "test"):
        size = getattr(split, part)
        if isinstance(size, float) and size >= 1:
            raise mistake(
                "K105",
                f"`data.split.{part}` is a fraction below 1 or a number of examples, not `{size}`",
                span_at(value, part),
            )
    validation = 0 if split.folds else split.validation
    if float(validation) < 1 and float(split.test) < 1 and validation + split.test >= 1:
        raise mistake("K105", "`data.split` leaves nothing to train on", value.span, help="make the parts smaller")
    return split


def _folds(split: Split, value: Node) -> None:
    """Refuse what cannot stand beside `folds`, and a `fold` that is none of them."""
    if split.fold is not None and split.folds is None:
        raise mistake(
            "K104", "`data.split.fold` needs `folds`", span_at(value, "fold"), help="write `{folds: 5, fold: 1}`"
        )
    if split.folds is None:
        return
    if split.fold is not None and split.fold > split.folds:
        raise mistake(
            "K105",
            f"`data.split.fold` must be at most {split.folds}, not `{split.fold}`",
            span_at(value, "fold"),
            help="folds count from 1; without `fold` all are trained",
        )
    if "validation" in split.model_fields_set:
        raise mistake(
            "K105",
            "`data.split` has both `folds` and `validation`",
            span_at(value, "validation"),
            help="leave `validation` out, or lay `validation: null` over it: each fold is the validation part once",
        )


def source(value: Node, context: Context, home: Path, roots: Sequence[Path]) -> SourceSection:
    """A set by name, or a map with one of the keys that name a kind. Raises SpecError."""
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return Named(name=value.value)
    if not isinstance(value, MappingNode):
        raise mistake("K105", f"`data.source` is a name or a map, not `{brief(value)}`", value.span)
    kinds = [key for key in value.keys if key in KINDS or key in LATER]
    if len(kinds) != 1:
        first = value.keys[0] if value.keys else ""
        raise mistake(
            "K104",
            "`data.source` needs one of `npz`, `npy`, `csv`, `parquet`, `images`, `text`, `python`",
            value.span,
            help=suggestion(first, KINDS),
        )
    kind = kinds[0]
    if kind in LATER:
        raise mistake(
            "K190",
            f"`data.source.{kind}` is not supported by this version of kbuild",
            value.span,
            help='write the examples to an npz file, or load them with `{python: "module:function"}` and --trust',
        )
    if kind == "python" and not context.trust:
        raise mistake(
            "K107",
            "a `python` source runs code and is refused",
            value.span,
            help="run with --trust if the spec is your own",
        )
    values = {str(key.value): _part(kind, str(key.value), item, home, roots) for key, item in value.pairs}
    if kind == "images":
        values |= values.pop("images")
    if kind in LIKE:
        values = {**values, LIKE[kind]: values[kind], "kind": kind}
        values.pop(kind)
    return validated(KINDS[kind], values, "data.source", value)


def _part(kind: str, key: str, item: Node, home: Path, roots: Sequence[Path]) -> Any:
    if kind == "images" and key == "images":
        if isinstance(item, MappingNode):
            return {str(k.value): allowed(v, home, roots) for k, v in item.pairs}
        return {"train": allowed(item, home, roots)}
    if key in {"npz", "npy", "csv", "parquet", "text"} and key == kind:
        return allowed(item, home, roots)
    if kind in {"csv", "parquet"} and key == "test":
        return allowed(item, home, roots)
    return plain(item)


def _by_input(value: Node) -> Mapping[str, Node]:
    """A chain, or a map of chains by input; a map whose only key is a call or structure is an entry."""
    if isinstance(value, Scalar) and value.value in (None, False):
        return {}
    if isinstance(value, MappingNode) and all(
        key[:1].islower() and key not in {"chain", "branches", "reuse"} for key in value.keys
    ):
        return {str(key.value): item for key, item in value.pairs}
    return {"": value}


def _augment(value: Node, scope: Scope, context: Context) -> Mapping[str, tuple[Call, ...]]:
    made: dict[str, tuple[Call, ...]] = {}
    problems: list[Problem] = []
    for name, raw in _by_input(value).items():
        node = evaluate(raw, scope.at("data.augment"))
        calls: list[Call] = []
        for item in node.items if isinstance(node, SequenceNode) else (node,):
            try:
                calls.append(_layer(item, context))
            except SpecError as error:
                problems += error.problems
        made[name] = tuple(calls)
    if problems:
        raise SpecError(problems)
    return {name: calls for name, calls in made.items() if calls}


def _layer(item: Node, context: Context) -> Call:
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return call(item, None, ("layers",), context)
    if isinstance(item, MappingNode) and len(item) == 1:
        return call(item.pairs[0][0], item.pairs[0][1], ("layers",), context)
    raise mistake(
        "K105", f"`augment` is a list of layers, without names or inputs of their own, not `{brief(item)}`", item.span
    )
