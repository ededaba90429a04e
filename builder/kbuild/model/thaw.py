"""(Model, Plan) → the same model with other layers that learn. It is to be compiled again."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import keras

from kbuild.plan.plan import Plan, Step
from kbuild.spec.names import suggestion
from kbuild.text.problem import SpecError, mistake

States = Mapping[keras.Layer, bool]
"""Whether each layer of a model learns, those inside of others after them."""


def states(model: keras.Model) -> States:
    """What `learn` starts from: the model as it was built."""
    return {layer: layer.trainable for layer in _all(model)}


def learn(model: keras.Model, built: Plan, wanted: Plan, before: States) -> None:
    """Let those layers of a model learn that a plan says, and no others.

    Args:
        built: the plan that the model was built of; the two differ in what is trainable alone.
        before: what its layers were when it was built.

    Raises:
        SpecError: K219 for a pattern that matches no layer inside an application.
    """
    for layer, learns in before.items():
        layer.trainable = learns
    layers: dict[str, Any] = {}
    for layer in before:
        layers.setdefault(layer.name, layer)
    for old, new in zip(built.steps, wanted.steps, strict=True):
        changed = (old.trainable, old.call.args.get("trainable")) != (new.trainable, new.call.args.get("trainable"))
        if changed and new.layer == new.name and new.name in layers:
            layers[new.name].trainable = new.trainable is not False
            if isinstance(new.trainable, tuple):
                only(layers[new.name], new, new.trainable)


def only(layer: Any, step: Step, patterns: tuple[str, ...]) -> None:
    """Freeze all layers inside an application but those that a pattern names. Raises SpecError K219."""
    inside = {inner.name: inner for inner in getattr(layer, "layers", [layer])}
    for name, inner in inside.items():
        inner.trainable = any(fnmatchcase(name, pattern) for pattern in patterns)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in inside):
            help = suggestion(pattern.rstrip("*"), inside, "`*` stands for any text")
            raise _unmatched(pattern, step, help)


def _unmatched(pattern: str, step: Step, help: str | None) -> SpecError:
    return mistake("K219", f"`{pattern}` matches no layer in `{step.name}`", step.span, help=help)


def _all(layer: Any) -> Iterator[Any]:
    """The layers of a model, outer ones first, each once."""
    seen: set[int] = set()
    waiting = list(layer.layers)
    while waiting:
        here = waiting.pop(0)
        if id(here) not in seen:
            seen.add(id(here))
            yield here
            waiting += here._layers
