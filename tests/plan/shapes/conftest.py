"""What Keras itself says of a call's shapes, to compare the rules with."""

import warnings
from collections.abc import Callable, Mapping, Sequence

import pytest

from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.spec.call import Call

Compare = Callable[..., None]


@pytest.fixture(scope="session")
def compare() -> Compare:
    """A check that a rule and Keras give the same shapes, or both refuse.

    `run` computes with zeros too, a batch of 144, where Keras does not look at all shapes before it computes.
    """
    import keras

    from kbuild.model import layers as own

    def alive(value: object) -> object:
        if isinstance(value, Call):
            return made(value.name, value.args)
        return [alive(item) for item in value] if isinstance(value, list) else value

    def made(name: str, args: Mapping[str, object]) -> keras.layers.Layer:
        room = own if hasattr(own, name) else keras.layers
        return getattr(room, name)(**{key: alive(value) for key, value in args.items()})

    def tensor(shape: object, run: bool) -> object:
        if isinstance(shape, list):
            return [tensor(item, run) for item in shape]
        if not isinstance(shape, tuple):
            return shape
        return keras.ops.zeros((144, *shape)) if run else keras.KerasTensor((None, *shape))

    def keras_says(
        name: str,
        args: Mapping[str, object],
        inputs: Sequence[object],
        kwinputs: Mapping[str, object],
        namespace: str,
        run: bool,
    ) -> tuple[tuple[int | None, ...], ...] | str:
        try:
            tensors = [tensor(one, run) for one in inputs]
            named = {key: tensor(value, run) for key, value in kwinputs.items()}
            if namespace == "ops":
                out = getattr(keras.ops, name)(*tensors, **named, **args)
            else:
                out = made(name, args)(*tensors, **named)
            return tuple(tuple(one.shape)[1:] for one in keras.tree.flatten(out))
        except Exception as error:
            return f"refused: {type(error).__name__}: {error}"

    def check(
        name: str,
        args: Mapping[str, object],
        inputs: Sequence[object],
        kwinputs: Mapping[str, object] | None = None,
        namespace: str = "layers",
        run: bool = False,
    ) -> None:
        call = f"{name} {args} {inputs} {kwinputs or ''}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = [keras_says(name, args, inputs, kwinputs or {}, namespace, False)]
            if run and "None" not in repr(inputs) and not isinstance(theirs[0], str):
                theirs.append(keras_says(name, args, inputs, kwinputs or {}, namespace, True))
        refused = next((answer for answer in theirs if isinstance(answer, str)), None)
        try:
            ours = shapes_of(name, args, inputs, kwinputs or {}, namespace)
        except ShapeMistake as mistake:
            assert refused, f"{call}: Keras gives {theirs}, we refuse: {mistake.message}"
            return
        assert not refused, f"{call}: we give {ours}, Keras {refused}"
        assert ours is not None, f"{call}: no rule"
        assert any(_same(ours, answer) for answer in theirs), f"{call}: we give {ours}, Keras {theirs}"

    return check


def _same(ours: Sequence[object], theirs: Sequence[object] | str) -> bool:
    """Equal, but for what a rule calls unknown."""
    return len(ours) == len(theirs) and all(a is None or a == b for a, b in zip(ours, theirs, strict=True))
