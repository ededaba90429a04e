import math
import signal

import keras
import numpy as np
import pytest

from kbuild.spec.call import Call
from kbuild.spec.train import EarlyStopping, Plateau, Train
from kbuild.text.problem import SpecError
from kbuild.train import callbacks, compile
from kbuild.train.signals import Signals

ADAM = Call("optimizers", "Adam")


class Scripted(keras.callbacks.Callback):
    """Puts a given loss in the logs of each epoch, before the other callbacks see it."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.losses[epoch]


def model(optimizer=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    made = keras.Model(inputs, keras.layers.Dense(1, name="out")(inputs))
    made.compile(optimizer or keras.optimizers.SGD(0.01), "mse")
    return made


X = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def run(losses, more=(), start=0, net=None):
    net = net or model()
    signals = Signals()
    guard = callbacks.Guard(signals)
    best = callbacks.Best("val_loss", "min", start, guard)
    rows, epochs = [], []
    recorder = callbacks.Recorder(
        epochs.append, lambda done: None, lambda row, good: rows.append((row, good)), 2, best, guard
    )
    net.fit(
        X, Y, batch_size=4, epochs=len(losses), verbose=0, callbacks=[Scripted(losses), guard, best, recorder, *more]
    )
    return guard, best, rows, epochs


def test_the_best_epoch_is_kept_and_every_epoch_has_a_row():
    guard, best, rows, epochs = run([3.0, 1.0, 2.0])
    assert (best.epoch, best.value) == (1, 1.0)
    assert [good for _, good in rows] == [True, True, False]
    assert [row["epoch"] for row, _ in rows] == [1, 2, 3]
    assert list(rows[0][0]) == ["epoch", "seconds", "learning_rate", "loss", "val_loss"]
    assert rows[0][0]["learning_rate"] == pytest.approx(0.01)
    assert epochs == [0, 1, 2]
    assert guard.failure is None


def test_best_weights_are_those_of_the_best_epoch():
    _, best, *_ = run([1.0])
    _, later, *_ = run([1.0, 2.0, 3.0])
    for one, two in zip(best.weights, later.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_nan_is_never_best():
    _, best, rows, _ = run([math.nan, 5.0, math.inf, 4.0])
    assert (best.epoch, best.value) == (3, 4.0)
    assert [good for _, good in rows] == [False, True, False, True]


def test_best_starts_where_early_stopping_does():
    assert run([1.0, 2.0, 3.0], start=1)[1].epoch == 1


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_epoch_before():
    net = model()

    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.set_weights([np.full((2, 1), np.nan, "float32"), np.zeros(1, "float32")])

    guard, best, rows, _ = run([2.0, 1.0, 1.0], [Poison()], net=net)
    assert str(guard.failure) == "`loss` became NaN in batch 1 of epoch 2"
    assert len(rows) == 1
    assert best.epoch == 0
    assert all(np.isfinite(array).all() for array in best.weights)


def test_a_signal_ends_the_run_after_the_step(monkeypatch):
    class Sender(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.epoch == 1 and batch == 0:
                signal.raise_signal(signal.SIGTERM)

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    net = model()
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        guard = callbacks.Guard(signals)
        best = callbacks.Best("loss", "min", 0, guard)
        rows = []
        recorder = callbacks.Recorder(lambda e: None, lambda d: None, lambda r, g: rows.append(r), 2, best, guard)
        net.fit(
            X, Y, batch_size=4, epochs=5, verbose=0, validation_data=(X, Y), callbacks=[Sender(), guard, best, recorder]
        )
    assert signals.received == signal.SIGTERM
    assert [row["epoch"] for row in rows] == [1]
    assert best.epoch == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_early_stopping_knows_its_direction():
    made = callbacks.early_stopping(
        EarlyStopping(monitor="val_hits", patience=2), (Call("metrics", "Recall", {"name": "hits"}),)
    )
    assert (made.mode, made.patience, made.restore_best_weights) == ("max", 2, False)
    _, _, rows, _ = run([1.0, 2.0, 3.0, 4.0], [callbacks.early_stopping(EarlyStopping(patience=2), ())])
    assert len(rows) == 3


def test_plateau_reduces_and_warm_up_comes_first():
    made = callbacks.plateau(Plateau(patience=0, factor=0.5, cooldown=0, min_delta=0, warmup="1 epoch"), (), 2, 4)
    seen = []

    class Rates(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    run([1.0, 1.0, 1.0, 1.0], [*made, Rates()])
    assert seen == pytest.approx([0.005, 0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025])


def test_the_rate_of_a_schedule_is_that_of_the_last_step():
    decay = keras.optimizers.schedules.PolynomialDecay(0.4, 4, 0.0)
    _, _, rows, _ = run([1.0, 1.0], net=model(keras.optimizers.SGD(decay)))
    assert [row["learning_rate"] for row, _ in rows] == pytest.approx([0.3, 0.1])
    assert compile.rate(keras.optimizers.SGD(0.25)) == 0.25


def test_an_average_is_what_is_kept(tmp_path):
    net = model(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    first, rest = callbacks.own(Train(optimizer=ADAM), tmp_path, net, ())
    assert [type(callback).__name__ for callback in first] == ["Averages"]
    assert rest == []
    guard = callbacks.Guard(Signals())
    best = callbacks.Best("loss", "min", 0, guard)
    net.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[*first, guard, best])
    raw = model(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    raw.fit(X, Y, batch_size=4, epochs=3, verbose=0, shuffle=True)
    # without the callback Keras writes the averages over the weights at the very end
    for one, two in zip(best.weights, raw.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_swap_without_an_average_is_refused(tmp_path):
    with pytest.raises(SpecError) as caught:
        callbacks.own(Train(optimizer=ADAM, callbacks=(Call("callbacks", "SwapEMAWeights"),)), tmp_path, model(), ())
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("K164", "`SwapEMAWeights` needs an optimizer that averages weights")
    assert problem.help == "write `use_ema: true` in the optimizer"


def test_files_of_callbacks_stay_in_the_run(tmp_path):
    train = Train(optimizer=ADAM, callbacks=(Call("callbacks", "CSVLogger", {"filename": "../../x/log.csv"}),))
    _, (logger,) = callbacks.own(train, tmp_path, model(), ())
    assert logger.filename == str(tmp_path / "log.csv")
