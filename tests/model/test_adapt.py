"""Layers that learn from the data learn the same from pieces of them as Keras does from all."""

import keras
import numpy as np
import pytest

from kbuild.data.stored import opened, stored
from kbuild.model import adapt
from kbuild.model.build import build
from kbuild.plan.check import check
from kbuild.spec.load import load

SPEC = """
kbuild: 1
data: {source: digits, preprocess: [{Rescaling: 0.5}, LAYER]}
model: [Flatten, {Dense: {units: 10, activation: softmax}}]
"""


def adapted(layer, x):
    plan = check(load(SPEC.replace("LAYER", layer))).plan
    model = build(plan)
    adapt.adapt(model, plan, {"input": x})
    return next(one for one in model.layers if hasattr(one, "adapt"))


@pytest.fixture
def lazy(tmp_path):
    def make(array):
        (tmp_path / "raw").write_bytes(array.tobytes())
        return stored(opened(tmp_path / "raw"), 0, array.shape, array.dtype)

    return make


@pytest.mark.parametrize("axis", [-1, 1, None], ids=str)
def test_normalization_of_pieces_is_that_of_the_whole(axis, lazy, monkeypatch):
    x = np.random.default_rng(0).normal(50, 9, (203, 8, 8, 1)) + np.arange(8)[:, None] * 30
    x[:, 2] = 7  # what never changes
    x = x.astype("float32")
    oracle = keras.layers.Normalization(axis=axis)
    oracle.adapt(x * 0.5)
    written = f"{{Normalization: {{axis: {'null' if axis is None else axis}}}}}"
    whole = adapted(written, x)
    monkeypatch.setattr(adapt, "CHUNK", 64 * 4 * 20)
    pieces = [adapted(written, given) for given in (x, lazy(x))]
    for found in (whole, *pieces):
        np.testing.assert_allclose(found.mean, oracle.mean, rtol=1e-5)
        np.testing.assert_allclose(found.variance, oracle.variance, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(pieces[0].mean, pieces[1].mean)
    np.testing.assert_array_equal(pieces[0].variance, pieces[1].variance)


def test_discretization_of_pieces_is_that_of_the_whole(lazy, monkeypatch):
    x = np.random.default_rng(0).normal(size=(400, 8, 8, 1)).astype("float32")
    exact = np.quantile(x * 0.5, [0.25, 0.5, 0.75])
    monkeypatch.setattr(adapt, "CHUNK", 64 * 4 * 50)
    one, two = (adapted("{Discretization: {num_bins: 4}}", given) for given in (x, lazy(x)))
    assert one.bin_boundaries == two.bin_boundaries
    np.testing.assert_allclose(one.bin_boundaries, exact, atol=0.02)
