"""Node → Train: the calls of the `train` section are made, its numbers held to their ranges, and what cannot go
together refused.
"""

from collections.abc import Callable
from typing import Any

from kbuild.spec.call import Call
from kbuild.spec.calls import Context, call
from kbuild.spec.names import suggestion
from kbuild.spec.phases import phases, trainable
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.section import Section
from kbuild.spec.signature import identifiers, names, signature
from kbuild.spec.together import together
from kbuild.spec.train import SCHEDULES, Budget, Checkpoint, EarlyStopping, Execution, TensorBoard, Train
from kbuild.spec.validate import validated
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import Problem, SpecError, mistake


def train_section(node: Node | None, scope: Scope, context: Context) -> Train:
    """The `train` section; None and `false` give the defaults.

    Raises:
        SpecError: all that is wrong with it.
    """
    if node is None or (isinstance(node, Scalar) and node.value in (None, False)):
        return Train(optimizer=Call("optimizers", "Adam"))
    if not isinstance(node, MappingNode):
        raise mistake("K101", f"`train` is a map, not `{brief(node)}`", node.span)
    problems: list[Problem] = []
    given = _evaluated(node, scope.at("train"), problems)
    written = given.get("phases")
    base = MappingNode(tuple(pair for pair in given.pairs if pair[0].value != "phases"), given.span)
    train, wrong = _made(base, context)
    parts: tuple[Train, ...] = ()
    if written is not None and plain(written) not in (None, False):
        parts, more = phases(written, base, lambda part: _made(part, context, True), wrong)
        problems += more
    elif train is not None:
        wrong += together(train, base)
    problems += wrong
    if problems or train is None:
        raise SpecError(problems)
    return train.model_copy(update={"phases": parts})


def _evaluated(node: MappingNode, scope: Scope, problems: list[Problem]) -> MappingNode:
    """The section with nothing left open; what is wrong with a value leaves its key out."""
    pairs: list[tuple[Scalar, Node]] = []
    for key, raw in node.pairs:
        try:
            pairs.append((key, evaluate(raw, scope.at(str(key.value)))))
        except SpecError as error:
            problems += error.problems
    return MappingNode(tuple(pairs), node.span)


def _made(node: MappingNode, context: Context, in_phase: bool = False) -> tuple[Train | None, list[Problem]]:
    """What a section without phases, or with one laid over it, says; None if it cannot be told."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in node.pairs:
        name = str(key.value)
        try:
            if name == "trainable" and not in_phase:
                said = "`trainable` is said of an entry, or in a phase"
                raise mistake("K152", said, key.span, help=_FREEZE, path="train.trainable")
            values[name] = _READ.get(name, _plain)(value, context)
        except SpecError as error:
            problems += error.problems
            if name not in Train.model_fields:
                continue
            values.pop(name, None)
    values.setdefault("optimizer", Call("optimizers", "Adam"))
    try:
        train = validated(Train, values, "train", node)
    except SpecError as error:
        return None, [*problems, *error.problems]
    return train, [*problems, *together(train, node)] if in_phase else problems


_FREEZE = "write `trainable: false` beside the entry, and `trainable: {entry: true}` in the phase that thaws it"


def _plain(value: Node, context: Context) -> Any:
    return plain(value)


def distribute(value: Node, context: Context) -> Any:
    """`none` or `data_parallel`; `false` is none."""
    return "none" if isinstance(value, Scalar) and value.value in (None, False) else plain(value)


def accumulate(value: Node, context: Context) -> Any:
    """A number of steps; `false` is one."""
    return 1 if isinstance(value, Scalar) and (value.value is None or value.value is False) else plain(value)


def optimizer(value: Node, context: Context) -> Call:
    """`adam`, `{Adam: 1e-3}` → Call; identifiers become the class that they name."""
    if isinstance(value, Scalar) and isinstance(value.value, str):
        by_lower = {name.lower(): name for name in names("optimizers")}
        name = by_lower.get(value.value.lower(), value.value)
        return call(Scalar(name, value.span), None, ("optimizers",), context)
    return _call(value, ("optimizers",), context)


def loss(value: Node, context: Context) -> Any:
    """`auto`, a loss, null, or a map of them by output."""
    if isinstance(value, Scalar) and value.value == "auto":
        return "auto"
    return _by_output(value, lambda item: _identified(item, "losses", context))


def metrics(value: Node, context: Context) -> Any:
    """A metric, a list of them, or a map of lists by output."""

    def several(item: Node) -> tuple[Call, ...]:
        items = item.items if isinstance(item, Sequence) else (item,)
        return tuple(made for made in (_identified(each, "metrics", context) for each in items) if made)

    return _by_output(value, several)


def _by_output(value: Node, read: Callable[[Node], Any]) -> Any:
    if isinstance(value, MappingNode) and value.keys and not value.keys[0][:1].isupper():
        return {str(key.value): read(item) for key, item in value.pairs}
    return read(value)


def _identified(value: Node, namespace: str, context: Context) -> Call | None:
    if isinstance(value, Scalar) and value.value is None:
        return None
    if isinstance(value, Scalar) and isinstance(value.value, str):
        known = identifiers(namespace)
        if value.value in known and not value.value[:1].isupper():
            return Call("identifier", value.value, {}, value.span)
        if value.value in context.own or (value.value[:1].isupper() and signature(namespace, value.value)):
            return call(value, None, (namespace,), context)
        noun = "loss" if namespace == "losses" else "metric"
        words = names(namespace) if value.value[:1].isupper() else [name for name in known if name.islower()]
        raise mistake("K106", f"there is no {noun} `{value.value}`", value.span, help=suggestion(value.value, words))
    return _call(value, (namespace,), context)


def schedule(value: Node, context: Context) -> Any:
    """One of kbuild's own, in epochs or percent, or a Keras schedule by its name, in steps."""
    if isinstance(value, Scalar) and value.value in (None, False):
        return None
    name, argument = (value, None)
    if isinstance(value, MappingNode) and len(value) == 1:
        name, argument = value.pairs[0]
    if not isinstance(name, Scalar) or not isinstance(name.value, str):
        raise mistake(
            "K105",
            f"a schedule is one name with its arguments, not `{brief(value)}`",
            value.span,
            help="write `schedule: {cosine: {to: 1e-6}}`",
        )
    if name.value[:1].isupper():
        return call(name, argument, ("schedules",), context)
    section = SCHEDULES.get(name.value)
    if section is None:
        raise mistake("K102", f"there is no schedule `{name.value}`", name.span, help=suggestion(name.value, SCHEDULES))
    content = plain(argument) if argument is not None else None
    if content is not None and not isinstance(content, dict):
        raise mistake("K105", f"the arguments of `{name.value}` are a map, not `{content}`", value.span)
    return validated(section, content or {}, f"train.schedule.{name.value}", argument or value)


def _section(section: type[Section], path: str) -> Callable[[Node, Context], Any]:
    def read(value: Node, context: Context) -> Any:
        content = plain(value)
        if content in (None, False):
            return None
        if content is True:
            return section()
        if not isinstance(content, dict):
            raise mistake(
                "K105",
                f"`train.{path}` is a map or `false`, not `{content}`",
                value.span,
                help=f"write `{path}: {{…}}` with " + ", ".join(f"`{name}`" for name in section.model_fields),
                path=f"train.{path}",
            )
        return validated(section, content, f"train.{path}", value)

    return read


def _execution(value: Node, context: Context) -> Any:
    return "auto" if plain(value) == "auto" else _section(Execution, "execution")(value, context)


def callbacks(value: Node, context: Context) -> tuple[Call, ...]:
    """A list of callbacks of `keras.callbacks`."""
    if isinstance(value, Scalar) and value.value in (None, False):
        return ()
    items = value.items if isinstance(value, Sequence) else (value,)
    made: list[Call] = []
    problems: list[Problem] = []
    for item in items:
        try:
            made.append(_call(item, ("callbacks",), context))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return tuple(made)


def _call(value: Node, namespaces: tuple[str, ...], context: Context) -> Call:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return call(value, None, namespaces, context)
    if isinstance(value, MappingNode) and len(value) == 1:
        name, argument = value.pairs[0]
        return call(name, argument, namespaces, context)
    raise mistake(
        "K105",
        f"a call is one name with its arguments, not `{brief(value)}`",
        value.span,
        help=_under(value),
    )


def _under(value: Node) -> str:
    pairs = value.pairs if isinstance(value, MappingNode) else ()
    if not pairs:
        return "write `{Name: {argument: value}}`"
    name, rest = str(pairs[0][0].value), "".join(f", {key.value}: {brief(node)}" for key, node in pairs[1:])
    return f"arguments of `{name}` stand under it: `{name}: {{…{rest}}}`"


_READ: dict[str, Callable[[Node, Context], Any]] = {
    "optimizer": optimizer,
    "loss": loss,
    "metrics": metrics,
    "schedule": schedule,
    "early_stopping": _section(EarlyStopping, "early_stopping"),
    "tensorboard": _section(TensorBoard, "tensorboard"),
    "checkpoint": _section(Checkpoint, "checkpoint"),
    "execution": _execution,
    "budget": _section(Budget, "budget"),
    "callbacks": callbacks,
    "accumulate": accumulate,
    "distribute": distribute,
    "trainable": trainable,
}
