"""Signatures from text, held against the Keras that is really there. The one file of this room that loads Keras."""

import importlib
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

import pytest

from kbuild.spec.signature import NAMESPACES, Parameter, Signature, Unparsed, identifiers, names, signature

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import keras_tuner.oracles  # noqa: F401 (it warns where it is imported first)

CLASSES = tuple(name for name in NAMESPACES if name not in {"ops", "activations", "applications", "oracles"})
# Keras takes any name here and does nothing with it; kbuild refuses what has no effect.
SWALLOWS = {"HashedCrossing", "InputLayer", "ReduceLROnPlateau"}
NEEDS_MORE = {"FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper", "OrbaxCheckpoint"}
"""What needs a package or file that is not here to be constructed at all."""
VALUES: dict[str, object] = {
    "units": 2, "filters": 2, "kernel_size": 2, "rate": 0.5, "target_shape": (2,), "dims": (1,), "n": 2,
    "equation": "ab,bc->ac", "output_shape": 3, "input_dim": 3, "output_dim": 3, "num_heads": 2, "key_dim": 2,
    "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2, "axes": 1, "stddev": 0.5, "num_bins": 3,
    "height": 2, "width": 2, "factor": 0.5, "scale": 0.5, "num_tokens": 3, "max_number": 3, "height_factor": 0.2,
    "width_factor": 0.2, "function": len, "call_fn": len, "value_range": (0, 1), "layers": [], "sequence_length": 4,
    "learning_rate": 0.1, "initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5, "first_decay_steps": 2,
    "boundaries": [1], "values": [0.1, 0.2], "fn": lambda y_true, y_pred: y_pred, "num_classes": 2,
    "target_class_ids": [0], "recall": 0.5, "precision": 0.5, "sensitivity": 0.5, "specificity": 0.5,
    "filename": "f.csv", "schedule": lambda epoch: 0.1, "filepath": "f.keras", "backup_dir": "f", "mode": "rows",
    "max_boxes": 2, "max_value": 1, "output_size": 2, "pool_size": 2, "input_shape": (2,),
}  # fmt: skip
"""By name, because a name means the same throughout Keras."""
BY_CLASS: dict[str, dict[str, object]] = {
    "CategoryEncoding": {"num_tokens": 3},
    "Discretization": {"num_bins": 3},
    "InputLayer": {"shape": (2,)},
    "RandomPosterization": {"factor": 4},
}
"""What these ask for beyond their signatures."""


def test_every_explicit_parameter_is_there() -> None:
    compared = 0
    for namespace in NAMESPACES:
        for found in _all(namespace):
            live = _live(found)
            target = live.__init__ if inspect.isclass(live) else live
            expected = list(inspect.signature(target).parameters.values())[1 if inspect.isclass(live) else 0 :]
            by_name = {p.name: p for p in found.parameters}
            where = f"{namespace}.{found.name}"
            positional = [p.name for p in expected if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
            assert [p.name for p in found.parameters[: found.positional]][: len(positional)] == positional, where
            for parameter in expected:
                if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
                    continue
                assert parameter.name in by_name, f"{where}: {parameter.name}"
                assert by_name[parameter.name].required is (parameter.default is parameter.empty), where
                if parameter.default is not parameter.empty:
                    assert _same(_default(found, by_name[parameter.name], target), parameter.default), (
                        f"{where}: {parameter}"
                    )
                compared += 1
    print(f"{compared} explicit parameters of {sum(len(names(n)) for n in NAMESPACES)} names")
    assert compared > 2500


def test_calls_of_layers() -> None:
    for found in _all("layers"):
        live = _live(found)
        if inspect.isclass(live) and issubclass(live, keras.layers.Layer):
            expected = list(inspect.signature(live.call).parameters.values())[1:]
            kept = [p for p in expected if p.kind not in {p.VAR_KEYWORD, p.VAR_POSITIONAL}]
            assert [(p.name, p.required) for p in found.call] == [(p.name, p.default is p.empty) for p in kept], (
                found.name
            )


def test_bases_and_names() -> None:
    for namespace in CLASSES:
        package = _keras(namespace)
        public = {n for n in dir(package) if n[0].isupper()}
        assert public <= set(names(namespace)), namespace
        for found in _all(namespace):
            live = _live(found)
            if inspect.isclass(live):
                order = [base.__name__ for base in live.__mro__[1:]]
                assert [base for base in order if base in found.bases] == list(found.bases), found.name


def test_every_further_argument_is_accepted_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    tried = 0
    unmade: set[str] = set()
    for namespace in CLASSES:
        for found in _all(namespace):
            live = _live(found)
            if found.abstract or not inspect.isclass(live) or found.name in NEEDS_MORE or _own(live):
                continue
            given = {p.name: _value(found, p) for p in found.parameters if p.required} | BY_CLASS.get(found.name, {})
            with _quiet():
                try:
                    live(**given)
                except Exception as error:
                    unmade.add(f"{found.name}: {error}")
                    continue
                explicit = set(inspect.signature(live.__init__).parameters)
                for parameter in found.parameters:
                    if parameter.name not in explicit:
                        live(**{**given, parameter.name: _default(found, parameter, live.__init__)})
                        tried += 1
                refused = False
                try:
                    live(**{**given, "kbuild_has_no_such_argument": 1})
                except (TypeError, ValueError):
                    refused = True
                assert refused is not (found.open or found.name in SWALLOWS), f"{namespace}.{found.name}"
    with capsys.disabled():
        print(f" {tried} further arguments accepted", end="")
    assert unmade == set()
    assert tried > 600


def test_identifiers_are_what_keras_takes() -> None:
    for namespace in ("activations", "optimizers", "losses", "metrics", "initializers", "regularizers", "constraints"):
        package = _keras(namespace)
        special = {"metrics": {"accuracy", "acc"}, "losses": {"crossentropy", "ce"}}.get(namespace, set())
        assert special <= identifiers(namespace)
        for word in identifiers(namespace) - (special - {"accuracy"}):
            assert package.get(word) is not None, f"{namespace}: {word}"
        for word in set(package_strings(namespace)) - identifiers(namespace):
            with _quiet():
                refused = True
                with suppress(Exception):
                    made = package.get(word)
                    refused = type(made) in _roots()
                assert refused, f"{namespace}: {word}"
        with pytest.raises(ValueError):
            package.get("kbuild_has_no_such_identifier")


def test_optimizers_whatever_the_case() -> None:
    assert type(keras.optimizers.get("RMSprop")) is type(keras.optimizers.get("rmsprop"))
    assert {"adam", "Adam", "rmsprop", "RMSprop", "adamw"} <= identifiers("optimizers")


def package_strings(namespace: str) -> list[str]:
    """Every string in the family's own table."""
    module = __import__(f"keras.src.{namespace}", fromlist=["ALL_OBJECTS_DICT"])
    return list(module.ALL_OBJECTS_DICT)


def _roots() -> set[type]:
    found = (keras.initializers.Initializer, keras.regularizers.Regularizer, keras.constraints.Constraint)
    return {*found, keras.losses.Loss, keras.metrics.Metric}


def _all(namespace: str) -> Iterator[Signature]:
    for name in names(namespace):
        found = signature(namespace, name)
        assert found is not None, f"{namespace}.{name}"
        yield found


def _live(found: Signature):
    """The object that Python finds by the name, in the package that publishes it."""
    name = found.name + "Oracle" * (found.namespace == "oracles")
    packages = [importlib.import_module(path) for path in NAMESPACES[found.namespace]]
    return next(getattr(package, name) for package in packages if hasattr(package, name))


def _own(live: type) -> bool:
    return live.__module__.startswith("kbuild.")


def _keras(namespace: str) -> ModuleType:
    return importlib.import_module(NAMESPACES[namespace][-1])


def _default(found: Signature, parameter: Parameter, target: object) -> object:
    if isinstance(parameter.default, Unparsed):
        # A default of something popped may look at the other parameters.
        others = {p.name: p.default for p in found.parameters}
        return eval(parameter.default, inspect.unwrap(target).__globals__, others)  # type: ignore[arg-type, attr-defined]
    return parameter.default


def _same(ours: object, theirs: object) -> bool:
    return type(ours) is type(theirs) and (ours == theirs or ours != ours)


def _value(found: Signature, parameter: Parameter) -> object:
    name = parameter.name
    special: dict[str, object] = {
        "layer": keras.layers.LSTM(2) if found.name == "Bidirectional" else keras.layers.Dense(2),
        "cell": keras.layers.LSTMCell(2),
        "cells": [keras.layers.LSTMCell(2)],
        "inner_optimizer": keras.optimizers.Adam(),
        "optimizer_map": keras.optimizers.OptimizerMap(keras.optimizers.Adam()),
        "shape": (2,),
        "init_fn": keras.ops.identity,
    }
    if name in special:
        return special[name]
    if name == "activation":
        return "relu"
    return VALUES[name]


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
