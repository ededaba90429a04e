"""Everything here needs Keras: it is started once, on the backend that KERAS_BACKEND asks for or that is installed."""

import numpy as np
import pytest

from kbuild.model import backend

backend.start()

import keras  # noqa: E402, Keras must not be imported before it is started


@pytest.fixture(autouse=True)
def _fresh():
    keras.config.set_dtype_policy("float32")
    backend.seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def same(rng):
    """(text of a spec, the network by hand) → both models, after a comparison of layers, shapes and outputs."""
    from kbuild.model.build import build
    from kbuild.plan.expand import expand
    from kbuild.spec.load import load

    def compare(text: str, by_hand: keras.Model, **options) -> tuple[keras.Model, keras.Model]:
        ours = build(expand(load("kbuild: 1\n" + text, **options)))
        assert [type(layer).__name__ for layer in ours.layers] == [type(layer).__name__ for layer in by_hand.layers]
        assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in by_hand.weights]
        assert ours.count_params() == by_hand.count_params()
        assert len(ours.trainable_weights) == len(by_hand.trainable_weights)
        for variable in by_hand.weights:
            low, high = (0.5, 1.5) if "variance" in variable.path else (-0.5, 0.5)
            variable.assign(rng.uniform(low, high, variable.shape).astype("float32"))
        for mine, other in zip(ours.layers, by_hand.layers, strict=True):
            mine.set_weights(other.get_weights())
        x = {tensor.name: _random(tensor, rng) for tensor in by_hand.inputs}
        assert {t.name: (t.shape, t.dtype) for t in ours.inputs} == {t.name: (t.shape, t.dtype) for t in by_hand.inputs}
        given = ours(x if len(x) > 1 else next(iter(x.values())), training=False)
        ordered = [x[tensor.name] for tensor in by_hand.inputs]
        wanted = by_hand(ordered if len(x) > 1 else ordered[0], training=False)
        if isinstance(wanted, dict):
            assert list(given) == list(wanted)
        for mine, other in zip(_flat(given), _flat(wanted), strict=True):
            assert mine.shape == other.shape
            np.testing.assert_allclose(_array(mine), _array(other), rtol=1e-4, atol=1e-5)
        return ours, by_hand

    return compare


def _random(tensor, rng) -> np.ndarray:
    shape = tuple(size or length for size, length in zip(tensor.shape, (3, 7, 7, 7, 7), strict=False))
    if tensor.dtype == "bool":
        return rng.integers(0, 2, shape).astype("bool")
    if "int" in tensor.dtype:
        return rng.integers(0, 2, shape).astype(tensor.dtype)
    return rng.normal(size=shape).astype("float32")


def _flat(outputs) -> list:
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    return outputs if isinstance(outputs, list) else [outputs]


def _array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)
