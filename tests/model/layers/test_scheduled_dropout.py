import keras
import numpy as np
import pytest

from kbuild.model.layers import ScheduledDropout
from kbuild.model.layers.scheduled_dropout import lasts


def _dropped(layer, training=True):
    return keras.ops.convert_to_numpy(layer(np.ones((200, 200), "float32"), training=training))


@pytest.mark.parametrize(("first", "last"), [(0.8, 0.2), (0.0, 0.6)])
def test_rate_follows_a_straight_line(first, last):
    layer = ScheduledDropout(first, 4, last)
    for step in range(7):
        y = _dropped(layer)
        rate = first + (last - first) * min(step / 4, 1)
        assert np.mean(y == 0) == pytest.approx(rate, abs=0.015)
        np.testing.assert_allclose(y[y > 0], 1 / (1 - rate), rtol=1e-5)


def test_does_nothing_and_counts_nothing_outside_training():
    layer = ScheduledDropout(0.5, 4)
    assert (_dropped(layer, training=False) == 1).all()
    assert int(layer.step) == 0


def test_counts_the_steps_of_fit_and_remembers_them(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(ScheduledDropout(0.5, 100, name="drop")(inputs)))
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=2, epochs=3, verbose=0)
    assert int(model.get_layer("drop").step) == 12
    model.save(tmp_path / "model.keras")
    assert int(keras.saving.load_model(tmp_path / "model.keras").get_layer("drop").step) == 12


def test_without_steps_it_waits_to_be_told_how_long_training_is(tmp_path):
    inputs = keras.Input((200,))
    model = keras.Model(inputs, ScheduledDropout(0.8, final_rate=0.2, name="drop")(inputs))
    layer = model.get_layer("drop")
    for _ in range(3):
        assert np.mean(_dropped(layer) == 0) == pytest.approx(0.8, abs=0.015)
    layer.step.assign(0)
    lasts(model, 4)
    for step in range(6):
        assert np.mean(_dropped(layer) == 0) == pytest.approx(0.8 - 0.6 * min(step / 4, 1), abs=0.015)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").get_layer("drop")
    assert (again.steps, int(again.length), int(again.step)) == (None, 4, 6)


def test_who_has_steps_is_not_told_others(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, ScheduledDropout(0.5, 7, name="drop")(inputs))
    lasts(model, 4)
    assert model.get_layer("drop").steps == 7
    assert len(model.get_layer("drop").weights) == 1


def test_refuses_what_is_no_rate_and_no_number_of_steps():
    with pytest.raises(ValueError, match=r"`rate` must be at least 0 and below 1. Received: rate=1.0"):
        ScheduledDropout(1.0, 10)
    with pytest.raises(ValueError, match="`final_rate` must be at least 0"):
        ScheduledDropout(0.5, 10, -0.1)
    with pytest.raises(ValueError, match="`steps` must be a positive integer"):
        ScheduledDropout(0.5, 0)
