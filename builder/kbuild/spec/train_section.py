"""Node → Train: the calls of the `train` section are made, its numbers held to their ranges, and what cannot go
together refused.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from kbuild.spec.call import Call
from kbuild.spec.calls import Context, call
from kbuild.spec.names import suggestion
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.section import Section
from kbuild.spec.signature import identifiers, names, signature
from kbuild.spec.spec import span_at
from kbuild.spec.train import SCHEDULES, Budget, Checkpoint, EarlyStopping, Execution, Piecewise, TensorBoard, Train
from kbuild.spec.validate import validated
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, Sequence, brief, plain
from kbuild.text.problem import Problem, SpecError, mistake

LATER: Mapping[str, Any] = {
    "distribute": "none",
}
"""Keys whose place is kept: only the value that changes nothing is taken."""


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
    values: dict[str, Any] = {"optimizer": Call("optimizers", "Adam")}
    for key, raw in node.pairs:
        name = str(key.value)
        try:
            value = evaluate(raw, scope.at(f"train.{name}"))
            if name in LATER:
                _later(key, value)
            else:
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
        raise SpecError([*problems, *error.problems]) from None
    problems += together(train, node)
    if problems:
        raise SpecError(problems)
    return train


def together(train: Train, node: Node) -> list[Problem]:
    """Keys that are right by themselves and wrong together: two that steer the learning rate (facts.md: a TypeError,
    hours in).
    """
    problems: list[Problem] = []
    steered = _steered(train.optimizer)
    schedule = train.schedule is not None
    callbacks = [c for c in train.callbacks if c.name == "ReduceLROnPlateau"]
    if steered and schedule:
        problems.append(
            Problem(
                "K151",
                "`train.schedule` and a schedule as `learning_rate` both steer the learning rate",
                span_at(node, "schedule"),
                help="keep one of them",
                path="train.schedule",
            )
        )
    if callbacks and (steered or schedule):
        other = "a schedule as `learning_rate`" if steered else "`train.schedule`"
        problems.append(
            Problem(
                "K151",
                f"`ReduceLROnPlateau` and {other} both steer the learning rate",
                callbacks[0].span,
                help="keep one of them",
                path="train.callbacks",
            )
        )
    problems += [*_decay(train, node), *_accumulated(train)]
    if train.seed + train.repeats > 2**32:
        message = f"`train.seed` and the {train.repeats - 1} seeds after it must be below {2**32}"
        problems.append(Problem("K105", message, span_at(node, "seed"), path="train.seed"))
    return problems


def _steered(optimizer: Call) -> bool:
    """Whether the rate of an optimizer, or of one that it is wrapped around, is a schedule."""
    inner = (optimizer.args.get("inner_optimizer"), optimizer.args.get("optimizer"))
    rate = optimizer.args.get("learning_rate")
    return isinstance(rate, Call) or any(isinstance(one, Call) and _steered(one) for one in inner)


def _decay(train: Train, node: Node) -> list[Problem]:
    schedule = train.schedule
    if not isinstance(schedule, Piecewise):
        return []
    problems: list[Problem] = []
    if len(schedule.values) != len(schedule.at) + 1:
        said = f"{len(schedule.values)} for {len(schedule.at)}"
        message = f"`train.schedule.piecewise` needs one value more than times, not {said}"
        problems.append(Problem("K105", message, span_at(node, "schedule"), path="train.schedule"))
    times = [str(time).split() for time in schedule.at]
    for (before, unit), (after, other) in pairwise(times):
        if unit == other and float(after) <= float(before):
            said = f"`{after} {other}` follows `{before} {unit}`"
            message = f"the times of `train.schedule.piecewise` must grow, and {said}"
            where = "schedule.piecewise.at"
            problems.append(Problem("K105", message, span_at(node, where), path=f"train.{where}"))
    return problems


def _later(key: Scalar, value: Node) -> None:
    name = str(key.value)
    if plain(value) != LATER[name] and plain(value) is not False:
        raise mistake(
            "K190", f"`train.{name}` is not supported by this version of kbuild", key.span, help="leave it out"
        )


def _plain(value: Node, context: Context) -> Any:
    return plain(value)


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
}
