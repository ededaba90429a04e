"""Operations in a built model: named by their steps, so that Keras's own names cannot meet those of other entries."""

import keras
import numpy as np

from kbuild.model.adapt import adapt
from kbuild.model.build import build, features
from kbuild.plan.expand import expand
from kbuild.spec.load import load

SHARED = """
kbuild: 1
model:
  inputs: {x: {shape: [6]}}
  layers:
    - {Dense: 4, name: mean}
    - {ops.mean: {axis: -1, keepdims: true}, name: average}
    - {ops.subtract: null, from: [mean, average]}
    - {ops.normalize: null, name: unit}
"""


def test_a_layer_may_have_the_name_that_keras_gives_to_an_operation(tmp_path):
    model = build(expand(load(SHARED), None))
    names = [operation.name for operation in model.operations]
    assert {"mean", "average", "unit"} <= set(names)
    assert len(set(names)) == len(names)
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_preprocess_may_end_in_an_operation():
    from kbuild.data.peek import peek

    text = """
    kbuild: 1
    data: {source: iris, preprocess: [Normalization, {ops.multiply: 2.0, name: twice}]}
    model: [{Dense: 3}]
    """
    spec = load(text)
    plan = expand(spec, peek(spec.data))
    model = build(plan)
    x = np.random.default_rng(0).normal(3, 2, size=(50, 4)).astype("float32")
    adapt(model, plan, {"input": x})
    before = features(model, plan)
    assert before is not None
    np.testing.assert_allclose(before.predict(x, verbose=0).std(0), 2.0, rtol=1e-3)
