"""Files of weights: what Keras saves is read as it is, and what Keras would never save is refused."""

import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from kbuild.model import stored


def kinds() -> keras.Model:
    """Layers that hold layers, lists of them, models and states."""
    x = keras.Input((8, 8), name="x")
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.1), name="both")(x)
    y = layers.MultiHeadAttention(2, 4, dropout=0.1, name="attention")(y, y)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Dropout(0.2, name="drop")(y)
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True, name="cells")(y)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="first"), layers.Dense(5)], name="inner")
    y = layers.TimeDistributed(inner, name="each")(y)
    left = keras.Input((5,), name="left")
    model = keras.Model(left, layers.Dense(2, name="deep")(layers.Dense(3, name="one")(left)), name="model")
    y = model(layers.GlobalAveragePooling1D(name="pool")(y))
    made = keras.Model(x, layers.Dense(2, name="head")(y), name="net")
    made.compile("adam", "mse")
    made.optimizer.build(made.trainable_variables)
    return made


@pytest.mark.parametrize("name", ["net.keras", "net.weights.h5"])
def test_every_array_that_keras_saves_is_found_by_its_layer(tmp_path, name):
    model = kinds()
    path = tmp_path / name
    model.save(path) if name.endswith(".keras") else model.save_weights(path)
    with stored.opened(path) as found:
        arrays = {layer: [held[...] for held in of_it.values()] for layer, of_it in found.items() if of_it}
    wanted = {(layer.name,): layer for layer in model.layers if layer.name != "model" and layer.weights}
    wanted |= {("model", layer.name): layer for layer in model.get_layer("model").layers if layer.weights}
    assert arrays.keys() == wanted.keys()
    for layer, of_it in arrays.items():
        own = [keras.ops.convert_to_numpy(weight) for weight in wanted[layer].weights]
        assert sorted(a.tobytes() for a in of_it) == sorted(a.tobytes() for a in own), layer
    with stored.opened(path) as found:
        # the second has no name of its own: Keras counts such names through the process, the file through the model
        assert {where[-3:-1] for where in found["each",]} == {("layers", "first"), ("layers", "dense_1")}


def file(path: Path, fill) -> Path:
    with h5py.File(path, "w") as made:
        values = made.create_group("layers/dense/vars")
        values.attrs["name"] = "dense"
        fill(made, values)
    return path


def deep(made, values):
    here = made["layers/dense"]
    for _ in range(stored.DEEPEST + 2):
        here = here.create_group("a")


def loop(made, values):
    made["layers/dense/again"] = made["layers/dense"]


def models(made, values):
    made["layers/dense/layers"] = made["layers"]


def outside(made, values):
    values["0"] = h5py.ExternalLink("secret.h5", "/layers/dense/vars/0")


def soft(made, values):
    values["0"] = h5py.SoftLink("/layers/dense")


def group_outside(made, values):
    made["layers/other"] = h5py.ExternalLink("secret.h5", "/layers/dense")


def elsewhere(made, values):
    values.create_dataset("0", (4,), "f4", external=[("secret.h5", 0, 16)])


def virtual(made, values):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "/layers/dense/vars/0", (4,))
    values.create_virtual_dataset("0", layout)


def packed(made, values):
    values.create_dataset("0", (1 << 30, 1 << 20), "f4", chunks=(1 << 10, 1 << 10), compression="gzip")


def words(made, values):
    values.create_dataset("0", (2,), h5py.string_dtype())


def nameless(made, values):
    del values.attrs["name"]


def long_name(made, values):
    values.attrs["name"] = np.zeros(4000, "i8")


def legacy(made, values):
    del made["layers"]
    made.attrs["layer_names"] = ["dense"]


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (outside, "`0` is a link"),
        (soft, "`0` is a link"),
        (group_outside, "`other` is a link"),
        (elsewhere, "stored otherwise"),
        (virtual, "stored otherwise"),
        (packed, "stored otherwise"),
        (words, "holds no numbers"),
        (deep, "too deep"),
        (loop, "too deep"),
        (models, "too deep"),
        (nameless, "it keeps no names of layers"),
        (long_name, "`dense` has no name"),
        (legacy, "it has no layers by name"),
    ],
)
def test_what_keras_does_not_write_is_refused_before_it_is_read(tmp_path, monkeypatch, fill, said):
    monkeypatch.chdir(tmp_path)
    file(tmp_path / "secret.h5", lambda made, values: values.create_dataset("0", data=np.ones(4, "f4")))
    path = file(tmp_path / "net.weights.h5", fill)
    with pytest.raises(ValueError, match=said), stored.opened(path):
        pass


def archive(path: Path, inner: bytes, **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as made:
        made.writestr("config.json", '{"module": "builtins", "class_name": "eval", "config": "1 / 0"}')
        made.writestr("model.weights.h5", inner)
    return path


def test_a_keras_file_is_neither_unpacked_far_nor_made_into_objects(tmp_path):
    bomb = archive(tmp_path / "bomb.keras", bytes(50_000_000), compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(ValueError, match="packed otherwise"), stored.opened(bomb):
        pass
    inner = file(tmp_path / "in.h5", lambda made, values: values.create_dataset("0", data=np.ones(4, "f4")))
    evil = archive(tmp_path / "evil.keras", inner.read_bytes())
    with zipfile.ZipFile(evil, "a") as made:
        made.writestr("../../escaped.txt", "x")
    seen: list[str] = []
    sys.addaudithook(lambda event, args: seen.append(event) if watching else None)
    watching = True
    with stored.opened(evil) as found:
        assert {layer: [a[...].tolist() for a in of_it.values()] for layer, of_it in found.items()} == {
            ("dense",): [[1.0] * 4]
        }
    watching = False
    assert "open" in seen
    assert not [event for event in seen if event.startswith(("pickle", "exec", "subprocess", "os.system", "socket"))]
    assert not (tmp_path.parent / "escaped.txt").exists()


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"PK\x05\x06" + bytes(18), bytes(100)])
@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_what_is_torn_is_told_without_a_crash(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, OSError, KeyError, zipfile.BadZipFile)), stored.opened(tmp_path / name):
        pass
