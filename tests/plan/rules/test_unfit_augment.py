"""K350: augmentation that the data cannot go through, held against Keras's own layers on a batch of each kind."""

import keras
import numpy as np
import pytest

from kbuild.spec.signature import names, signature

ARGUMENTS = {"value_range": [0, 1], "factor": 0.1, "height_factor": 0.1, "width_factor": 0.1, "height": 4, "width": 4, "scale": 1.0, "rate": 0.1, "stddev": 0.1, "max_length": 2}  # fmt: skip


def picture_layers() -> list[str]:
    found = [signature("layers", name) for name in names("layers")]
    return sorted(k.name for k in found if k and not k.abstract and "BaseImagePreprocessingLayer" in k.bases)


@pytest.mark.parametrize("layer", ["GaussianNoise", "GaussianDropout", *picture_layers()])
@pytest.mark.parametrize(("source", "shape"), [("iris", (4,)), ("digits", (8, 8, 1))])
def test_it_is_refused_where_keras_fails_or_gives_another_shape(tell, layer, source, shape):
    if layer == "MaxNumBoundingBoxes":
        pytest.skip("it is for boxes, which no source has")
    known = signature("layers", layer)
    own = {"RandomPosterization": {"factor": 4}}.get(layer, {})
    given = {p.name: ARGUMENTS[p.name] for p in known.parameters if p.required} | own
    written = ", ".join(f"{name}: {value}" for name, value in given.items())
    text = f"data: {{source: {source}, augment: [{{{layer}: {{{written}}}}}]}}\nmodel: [Flatten, {{Dense: {3 if source == 'iris' else 10}}}]"
    found = tell("K350", text)
    batch = np.random.default_rng(0).random((2, *shape), "float32")
    made = getattr(keras.layers, layer)(**given)
    try:
        mixes = {"images": batch, "labels": np.eye(2, 10, dtype="float32")}
        out = made(mixes, training=True)["images"] if layer in ("MixUp", "CutMix") else made(batch, **_training(made))
        fits = tuple(out.shape) == batch.shape
    except Exception:
        fits = False
    assert (found == []) == fits, found


def _training(layer: keras.layers.Layer) -> dict[str, bool]:
    import inspect

    return {"training": True} if "training" in inspect.signature(layer.call).parameters else {}


def test_shapes_that_are_not_known(tell):
    text = "model: {inputs: {x: {shape: [null, null, 3]}}, layers: [GlobalAveragePooling2D, {Dense: 1}]}\ntrain: {loss: mse}"
    assert tell("K350", text) == []
