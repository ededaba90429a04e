"""When a checkpoint is taken, by a clock that the test moves."""

import keras
import numpy as np
import pytest

from kbuild.spec.train import Checkpoint
from kbuild.train.checkpoint import Position
from kbuild.train.guard import Guard
from kbuild.train.saver import Saver
from kbuild.train.signals import Signals

STEPS = 8


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def model():
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def saved(model, section, epochs, epoch_seconds, save_seconds, started=0.0):
    """Where a training saves whose epochs and saves take so long: (epoch, batch) of each."""
    clock, found = Clock(), []
    clock.now = started

    def take(epoch, batch):
        return Position(epoch, batch, {f"model/{at}": np.zeros(1, "float32") for at in range(2)}, {})

    def save(position):
        clock.now += save_seconds
        found.append((position.epoch, position.batch))

    saver = Saver(section, STEPS, epochs, Guard(Signals()), take, save, clock=clock)
    saver.set_model(model)
    model.stop_training = False
    for epoch in range(epochs):
        saver.before.on_epoch_begin(epoch)
        for batch in range(STEPS):
            saver.before.on_train_batch_begin(batch)
            clock.now += epoch_seconds / STEPS
        saver.on_epoch_end(epoch)
    return found


def test_every_epoch_is_saved_unless_saving_would_take_more_than_a_20th_of_the_time(model):
    # a save takes 1 s: five epochs of 4 s are 20 s, and what is lost is never more than they and one epoch
    assert saved(model, Checkpoint(), 12, 4, 1) == [(1, 0), (6, 0), (11, 0), (12, 0)]
    assert saved(model, Checkpoint(), 5, 4.125, 1) == [(1, 0), (5, 0)]
    assert saved(model, Checkpoint(), 7, 4.125, 1)[1:] == [(6, 0), (7, 0)]
    assert saved(model, Checkpoint(), 4, 20, 1) == [(1, 0), (2, 0), (3, 0), (4, 0)]


def test_how_long_the_process_lives_already_is_no_matter(model):
    assert saved(model, Checkpoint(), 12, 4, 1, started=1e6) == saved(model, Checkpoint(), 12, 4, 1)


@pytest.mark.parametrize(
    ("every", "wanted"),
    [
        ("1 epochs", [(epoch, 0) for epoch in range(1, 7)]),
        ("4 epochs", [(4, 0), (6, 0)]),
        ("12 steps", [(1, 4), (3, 0), (4, 4), (6, 0)]),
        ("1 minutes", [(2, 0), (4, 0), (6, 0)]),
    ],
)
def test_what_is_asked_for_is_done_however_long_it_takes(model, every, wanted):
    assert saved(model, Checkpoint(every=every), 6, 30, 0 if "minutes" in every else 100) == wanted


def test_nothing_is_saved_where_that_is_switched_off(model):
    assert saved(model, None, 6, 30, 1) == []
