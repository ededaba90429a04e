"""Node → Tune: the `tune` section, its oracle a call with KerasTuner's own arguments."""

from typing import Any

from kbuild.spec.call import Call
from kbuild.spec.calls import Context, call
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.tune import Objective, SearchBudget, Tune
from kbuild.spec.validate import validated
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief, plain
from kbuild.text.problem import Problem, SpecError, mistake

KEYS = tuple(Tune.model_fields)
OURS = {
    "objective": "write `tune.objective`",
    "hyperparameters": "holes in the spec are the hyperparameters",
    "tune_new_entries": "holes in the spec are the hyperparameters",
    "allow_new_entries": "holes in the spec are the hyperparameters",
}
"""Arguments of an oracle that kbuild gives, and what to write in their place."""


def tune_section(node: Node | None, scope: Scope, context: Context) -> Tune | None:
    """The `tune` section; None where there is none, or `false`.

    Raises:
        SpecError: all that is wrong with it.
    """
    if node is None or (isinstance(node, Scalar) and node.value in (None, False)):
        return None
    if not isinstance(node, MappingNode):
        raise mistake("K101", f"`tune` is a map, not `{brief(node)}`", node.span)
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, raw in node.pairs:
        name = str(key.value)
        try:
            values[name] = _value(name, evaluate(raw, scope.at(f"tune.{name}")), context)
        except SpecError as error:
            problems += error.problems
            if name in Tune.model_fields:
                values.pop(name, None)
    try:
        made = validated(Tune, values, "tune", node)
    except SpecError as error:
        raise SpecError([*problems, *error.problems]) from None
    if problems:
        raise SpecError(problems)
    return made


def _value(name: str, value: Node, context: Context) -> Any:
    if name == "oracle":
        return _oracle(value, context)
    if name == "objective":
        text = isinstance(value, Scalar) and isinstance(value.value, str)
        content = {"name": plain(value)} if text else plain(value)
        if not isinstance(content, dict):
            help = "write `val_accuracy`, or `{name: my_metric, direction: max}`"
            raise mistake("K105", f"`tune.objective` is a name or a map, not `{brief(value)}`", value.span, help=help)
        if "name" not in content:
            raise mistake("K104", "`tune.objective` needs `name`", value.span)
        return validated(Objective, content, "tune.objective", value)
    if name == "budget":
        content = plain(value)
        if content in (None, False):
            return SearchBudget()
        if not isinstance(content, dict):
            raise mistake("K105", f"`tune.budget` is a map, not `{brief(value)}`", value.span)
        return validated(SearchBudget, content, "tune.budget", value)
    if isinstance(value, Scalar) and value.value is None:
        return Tune.model_fields[name].default if name in Tune.model_fields else None
    return plain(value)


def _oracle(value: Node, context: Context) -> Call:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return call(value, None, ("oracles",), context)
    if not isinstance(value, MappingNode) or len(value) != 1:
        help = "write `oracle: {RandomSearch: {max_trials: 30}}`"
        raise mistake(
            "K105", f"`tune.oracle` is one name with its arguments, not `{brief(value)}`", value.span, help=help
        )
    name, arguments = value.pairs[0]
    made = call(name, arguments, ("oracles",), context)
    for key, help in OURS.items():
        if key in made.args:
            raise mistake("K103", f"`{made.name}` takes no `{key}` here", made.spans.get(key, made.span), help=help)
    for key in ("max_trials", "max_epochs"):
        most = made.args.get(key, 1)
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            said = f"`{key}` of `{made.name}` is a whole number above 0, not `{most}`"
            raise mistake("K105", said, made.spans.get(key, made.span))
    return made
