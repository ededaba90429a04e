"""What every layer of kbuild must do: tell its shape, train, survive a file, work in half precision, pass masks on."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest

from kbuild.model import layers

SEQUENCE = (4, 5, 6)
CASES = {
    "AddLoss": ({"weight": 0.5}, [SEQUENCE, (4, 2)], SEQUENCE),
    "ClassToken": ({"initializer": "ones"}, SEQUENCE, (4, 6, 6)),
    "InstanceNormalization": ({"epsilon": 1e-3, "center": False}, SEQUENCE, SEQUENCE),
    "LayerScale": ({"init_value": 0.3}, SEQUENCE, SEQUENCE),
    "Maxout": ({"units": 7, "pieces": 3, "kernel_regularizer": "l2"}, SEQUENCE, (4, 5, 7)),
    "PositionEmbedding": ({"length": 9}, SEQUENCE, SEQUENCE),
    "Sampling": ({"kl_weight": 0.1}, [(4, 3), (4, 3)], (4, 3)),
    "ScheduledDropout": ({"rate": 0.5, "steps": 4, "final_rate": 0.1}, SEQUENCE, SEQUENCE),
    "SinePositionEncoding": ({"max_wavelength": 100}, SEQUENCE, SEQUENCE),
    "StochasticDepth": ({"rate": 0.5}, SEQUENCE, SEQUENCE),
}


# it takes pictures only, and is held against the applications themselves
ELSEWHERE = {"ApplicationPreprocessing"}


def _model(name):
    args, shapes, _ = CASES[name]
    shapes = shapes if isinstance(shapes, list) else [shapes]
    inputs = [keras.Input(shape[1:]) for shape in shapes]
    layer = getattr(layers, name)(**args)
    # The dense layers give the layer something to learn for on either side.
    tensors = [keras.layers.Dense(shape[-1])(tensor) for shape, tensor in zip(shapes, inputs, strict=True)]
    output = layer(tensors if len(tensors) > 1 else tensors[0])
    return keras.Model(inputs, output), layer


def _inputs(name, rng):
    shapes = CASES[name][1]
    return [rng.normal(size=shape).astype("float32") for shape in (shapes if isinstance(shapes, list) else [shapes])]


def test_every_layer_is_tried():
    assert {name for name in vars(layers) if name[0].isupper()} == set(CASES) | ELSEWHERE


def test_the_table_of_contents_can_be_read_without_importing_it():
    tree = ast.parse(Path(layers.__file__).read_text(encoding="utf-8"))
    names = {alias.asname for entry in tree.body if isinstance(entry, ast.ImportFrom) for alias in entry.names}
    assert names == set(CASES) | ELSEWHERE


@pytest.mark.parametrize("name", CASES)
def test_shape_is_told_before_and_found_after(name, rng):
    model, layer = _model(name)
    shapes, expected = CASES[name][1:]
    assert tuple(layer.compute_output_shape(shapes)) == expected
    assert model(_inputs(name, rng)).shape == expected


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_trains_and_comes_back_from_a_file(name, policy, rng, tmp_path):
    keras.config.set_dtype_policy(policy)
    model, layer = _model(name)
    inputs = _inputs(name, rng)
    target = np.zeros(CASES[name][2], "float32")
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    history = model.fit(inputs, target, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert any((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))
    assert keras.backend.standardize_dtype(layer.output.dtype) == ("float32" if policy == "float32" else "bfloat16")

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(_float(again.predict(inputs, verbose=0)), _float(model.predict(inputs, verbose=0)))
    assert again.get_layer(layer.name).get_config() == layer.get_config()


@pytest.mark.parametrize("name", sorted(set(CASES) - {"Sampling", "ClassToken", "AddLoss"}))
def test_mask_passes_through(name):
    args = CASES[name][0]
    masked = keras.layers.Masking()(keras.Input((5, 6)))
    output = getattr(layers, name)(**args)(masked)
    assert output._keras_mask is not None


def _float(array):
    return np.asarray(array).astype("float32")
