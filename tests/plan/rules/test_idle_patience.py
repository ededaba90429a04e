"""K331: the last patience that can still act, and the first that cannot, for Keras's own callbacks."""

import pytest

IRIS = "data: {source: iris}\nmodel: [{Dense: {units: 3, activation: softmax}}]\n"


def fires(tell, train):
    found = tell("K331", IRIS + f"train: {{epochs: 10, {train}}}")
    assert {severity for severity, _ in found} <= {"warning"}
    return bool(found)


# the first epoch is the best so far; `patience` more; and one that is saved
@pytest.mark.parametrize(
    ("section", "last"),
    [
        ("early_stopping: {patience: N}", 8),
        ("early_stopping: {patience: N, start_from_epoch: 3}", 5),
        ("early_stopping: {patience: N, baseline: 0.5}", 9),
        ("schedule: {plateau: {patience: N}}", 8),
        ("schedule: {plateau: {patience: N, warmup: 3 epochs}}", 6),
        ("schedule: {plateau: {patience: N, warmup: 10%}}", 8),
        ("callbacks: [{EarlyStopping: {patience: N}}]", 8),
        ("callbacks: [{ReduceLROnPlateau: {patience: N}}]", 8),
    ],
)
def test_borders(tell, section, last):
    assert not fires(tell, section.replace("N", str(last)))
    assert fires(tell, section.replace("N", str(last + 1)))


def test_a_start_beyond_the_run(tell):
    assert fires(tell, "early_stopping: {patience: 1, start_from_epoch: 8}")
    assert not fires(tell, "early_stopping: {patience: 1, start_from_epoch: 7}")


def test_no_patience_is_a_patience_of_one(tell):
    assert not fires(tell, "early_stopping: {patience: 0}")
    assert tell("K331", IRIS + "train: {epochs: 2, early_stopping: {patience: 0}}") != []


@pytest.mark.parametrize(
    ("patience", "start", "baseline"),
    [(8, 0, None), (9, 0, None), (9, 0, 0.5), (10, 0, 0.5), (2, 6, None), (3, 6, None)],
)
def test_keras_stops_when_the_rule_is_silent(tell, patience, start, baseline):
    import keras

    callback = keras.callbacks.EarlyStopping(
        "loss", patience=patience, start_from_epoch=start, baseline=baseline, mode="min"
    )
    callback.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    callback.model.stop_training = False
    callback.on_train_begin()
    stopped = []
    for epoch in range(10):
        callback.on_epoch_end(epoch, {"loss": 1.0})
        if callback.model.stop_training:
            stopped.append(epoch + 1)
    saved = bool(stopped) and stopped[0] < 10
    said = "" if baseline is None else f", baseline: {baseline}"
    section = f"early_stopping: {{monitor: loss, patience: {patience}, start_from_epoch: {start}{said}}}"
    assert fires(tell, section) is not saved
