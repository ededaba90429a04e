"""What every optimizer of kbuild must do: learn, clip, average, come back from a file, work in half precision."""

import keras
import numpy as np
import pytest

from kbuild.model import optimizers
from kbuild.model.optimizers import AdaBound, Lookahead, RAdam

CASES = {
    "RAdam": lambda **more: RAdam(0.01, **more),
    "AdaBound": lambda **more: AdaBound(0.01, **more),
    "Lookahead": lambda **more: Lookahead(keras.optimizers.Adam(0.01, **more), 3),
}


def _model(optimizer):
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(hidden))
    model.compile(optimizer, "mse")
    return model


@pytest.fixture
def examples(rng):
    x = rng.normal(size=(256, 6)).astype("float32")
    return x, (x @ rng.normal(size=(6, 1))).astype("float32")


def test_every_optimizer_is_tried():
    assert {name for name in vars(optimizers) if name[0].isupper()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("more", [{"clipnorm": 1.0, "weight_decay": 1e-3}, {"use_ema": True}], ids=["clip", "ema"])
def test_learns_and_comes_back_from_a_file(name, policy, more, examples, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = _model(CASES[name](**more))
    losses = model.fit(*examples, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert len(again.optimizer.variables) == len(model.optimizer.variables)
    for found, saved in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(saved))
    assert again.optimizer.get_config() == model.optimizer.get_config()


@pytest.mark.parametrize("name", CASES)
def test_goes_on_from_a_file_as_if_nothing_had_been(name, examples, tmp_path):
    model = _model(CASES[name](global_clipnorm=1.0))
    model.fit(*examples, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for entry in (model, again):
        entry.fit(*examples, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(again.predict(examples[0], verbose=0), model.predict(examples[0], verbose=0), rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_learning_rate_can_be_set_while_it_trains(name, examples):
    model = _model(CASES[name]())
    # Three steps, after which the slow weights of `Lookahead` are the fast ones.
    model.fit(*examples, batch_size=86, verbose=0)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(*examples, batch_size=86, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CASES)
def test_rows_of_an_embedding_that_are_not_looked_up_stay(name, rng):
    inputs = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(10, 4)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(embedding(inputs))))
    model.compile(CASES[name](), "mse")
    before = embedding.get_weights()[0]
    model.fit(rng.integers(0, 5, (64, 3), dtype="int32"), rng.normal(size=(64, 1)), epochs=3, verbose=0)
    after = embedding.get_weights()[0]
    np.testing.assert_array_equal(after[5:], before[5:])
    assert (after[:5] != before[:5]).any()
