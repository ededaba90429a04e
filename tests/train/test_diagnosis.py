"""A loss, a weight or a metric that is no number; and memory that is not there."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError
from kbuild.train import checkpoint, patience, shortage
from kbuild.train.fit import fit
from kbuild.train.guard import Failure, Guard, unsound
from kbuild.train.progress import Reporter
from kbuild.train.run import open_run
from kbuild.train.signals import Signals

BUILDER = Path(__file__).parents[2] / "builder"
IRIS = """
kbuild: 1
name: iris
data: {source: iris, batch_size: 16, split: {validation: 0.2, test: 0.2}}
model: [{Dense: 8}, ReLU, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 3, optimizer: {SGD: 0.1}, execution: {steps_per_execution: 1, jit: false}}
"""
TABLE = """
kbuild: 1
data: {source: diabetes, batch_size: 32, split: {validation: 0.2, test: 0.2}}
model: [{Dense: 8}, %s, {Dense: 1}]
train: {epochs: 2, %s}
"""


def failed(text, out, overrides=None):
    with pytest.raises(SpecError) as caught:
        fit(load(text, overrides or {}), out=out, report=Reporter())
    (problem,) = caught.value.problems
    assert caught.value.exit_code == 4
    return problem


def scripted(losses, first=0, spread=1):
    """A guard after a batch for each of these, and the model that it stops."""
    guard, model = Guard(Signals()), keras.Sequential([keras.layers.Dense(1)])
    model.build((None, 1))
    model.compile("sgd", "mse", steps_per_execution=spread)
    guard.set_model(model)
    guard.first, model.stop_training = first, False
    guard.on_epoch_begin(2)
    for at, loss in enumerate(losses):
        guard.on_train_batch_end((at + 1) * spread - 1, {"loss": loss, "accuracy": 0.5})
    return guard, model


def test_the_batch_is_told():
    guard, model = scripted([0.5, 0.4, math.nan, math.nan])
    assert str(guard.failure) == "`loss` became NaN in batch 3 of epoch 3"
    assert model.stop_training
    assert str(scripted([0.5, math.inf], first=10)[0].failure) == "`loss` became infinite in batch 12 of epoch 3"
    grouped, _ = scripted([0.5, math.nan], spread=8)
    assert str(grouped.failure) == "`loss` became NaN in one of the batches 9 to 16 of epoch 3"
    assert scripted([0.5, 0.4])[0].failure is None


def test_the_earliest_batch_is_told_when_threads_bring_a_later_one_first():
    guard, _ = scripted([])
    for batch in (5, 3, 4):
        guard.on_train_batch_end(batch, {"loss": math.nan})
    assert guard.failure.last == 4


def test_a_number_on_the_device_is_not_waited_for_at_each_step(monkeypatch):
    import kbuild.train.guard as module

    class Far:
        """A number that nobody has fetched yet."""

        fetched = 0

        def __float__(self):
            Far.fetched += 1
            return math.nan

    guard, _ = scripted([Far(), Far()])
    assert (guard.failure, Far.fetched) == (None, 0)
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.0)
    guard.on_train_batch_end(2, {"loss": Far()})
    assert str(guard.failure) == "`loss` became NaN in one of the batches 1 to 3 of epoch 3"


def test_weights_that_the_last_step_broke_are_seen_at_the_end_of_the_epoch():
    guard, model = scripted([0.5])
    guard.on_epoch_end(2, {"loss": 0.5, "val_loss": math.nan})
    assert guard.failure is None
    model.layers[0].kernel.assign([[np.inf]])
    assert unsound(model) == (model.layers[0].kernel.path, math.inf)
    guard.on_epoch_end(2, {"loss": 0.5})
    layer = model.layers[0].kernel.path.rpartition("/")[0]
    assert (
        str(guard.failure) == f"the weights of `{layer}` became infinite in epoch 3, and `loss` was a number until then"
    )


class Breaks(keras.callbacks.Callback):
    """Makes a weight NaN before a batch of an epoch, or after the last one."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            kernel = self.model.layers[-1].kernel
            kernel.assign(np.full(kernel.shape, np.nan, "float32"))


def broken(monkeypatch, tmp_path, epoch, batch):
    """A real run of IRIS, six batches an epoch, whose weights break."""
    from kbuild.train import loop

    real = loop.loop

    def with_breaks(*arguments):
        return real(*arguments, Breaks(epoch, batch))

    monkeypatch.setattr(loop, "loop", with_breaks)
    return failed(IRIS, tmp_path / "run")


def test_a_run_keeps_its_last_finite_state(tmp_path, monkeypatch):
    problem = broken(monkeypatch, tmp_path, 2, 3)
    kept = tmp_path / "run"
    assert problem.code == "K510"
    assert problem.message == f"`loss` became NaN in batch 4 of epoch 3; the model of epoch 2 is in `{kept}`"
    run = open_run(kept)
    assert (run.status, run.epochs, run.best_epoch) == ("failed", 2, 2)
    assert json.loads((kept / "run.json").read_text())["error"] == "`loss` became NaN in batch 4 of epoch 3"
    assert all(np.isfinite(array).all() for array in run.model.get_weights())
    newest = checkpoint.newest(kept / "checkpoints")  # of the epoch before, though it was not time for one
    assert (newest.state["epoch"], newest.state["best"]["epoch"]) == (2, 1)
    assert all(np.isfinite(array).all() for array in newest.arrays.values() if array.dtype.kind == "f")


def test_the_remedy_stands_where_it_is_to_be_written(tmp_path):
    problem = failed(TABLE % ("ReLU", "optimizer: {SGD: {learning_rate: 9e5}}"), tmp_path / "run")
    assert problem.message.startswith("`loss` became ")
    assert problem.path == "train.optimizer"
    assert (problem.span.line, problem.help.partition(";")[0]) == (
        5, "lower it: the learning rate is 900000, and `SGD` learns with 1e-10 to 100"
    )  # fmt: skip


def test_an_operation_without_bounds_is_the_first_to_be_asked(tmp_path):
    problem = failed(TABLE % ("{ops.log: null}", "optimizer: adam"), tmp_path / "run")
    assert (problem.span.line, problem.path) == (4, "model.layers.log")
    assert problem.help.startswith("keep what goes into `ops.log` of `log` in bounds, such as with `ops.clip`; or ")


def test_a_rate_far_above_the_usual_is_named(tmp_path):
    text = TABLE % ("{Dense: 64}", "optimizer: {SGD: 0.9}")
    problem = failed(text, tmp_path / "run", {"data.preprocess": ["Normalization"]})
    assert problem.path == "train.optimizer.learning_rate"
    assert problem.help == (
        "lower the learning rate (0.9 is 90 times Keras's own for `SGD`); or set `global_clipnorm: 1.0` in the optimizer"
    )


def test_the_remedy_is_that_of_the_phase(tmp_path):
    phases = "phases: [{epochs: 1, optimizer: {Adam: 50}}, {epochs: 2, optimizer: {SGD: {learning_rate: 99}}}]"
    text = TABLE.replace("epochs: 2, ", "") % ("{Dense: 64}", f"optimizer: {{Adam: {{clipnorm: 1}}}}, {phases}")
    problem = failed(text, tmp_path / "run", {"data.preprocess": ["Normalization"]})
    assert "of epoch 2; the model of epoch 1 is in" in problem.message
    assert problem.path == "train.phases.1.optimizer.learning_rate"
    assert text.splitlines()[problem.span.line - 1][problem.span.column - 1 :].startswith("99}}")
    assert problem.help == (
        "lower the learning rate (99 is 9,900 times Keras's own for `SGD`); or set `global_clipnorm: 1.0` in the optimizer"
    )


@pytest.mark.parametrize("way", ["min", "max"])
def test_no_number_is_worse_than_nan(way):
    sign = 1 if way == "min" else -1
    stop = patience.EarlyStopping("val_loss", patience=2, mode=way)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop.set_model(model)
    stop.on_train_begin()
    ends = []
    for epoch, value in enumerate([math.nan, 5.0, math.nan, 4.0, -sign * math.inf, math.nan]):
        model.stop_training = False
        stop.on_epoch_end(epoch, {"val_loss": sign * value})
        ends.append(model.stop_training)
    assert (stop.best, ends) == (sign * 4.0, [False, False, False, False, False, True])


def test_a_plateau_waits_for_numbers(tmp_path):
    logs = {"val_loss": math.nan, "loss": 1.0}
    assert patience.ranked(logs, "val_loss", "min") == {"val_loss": math.inf, "loss": 1.0}
    assert patience.ranked(logs, "val_loss", "max")["val_loss"] == -math.inf
    assert patience.ranked({"loss": math.nan}, "val_loss", "min").keys() == {"loss"}
    assert math.isnan(logs["val_loss"]), "others see what was measured"


def test_callbacks_of_a_spec_know_of_it():
    from kbuild.spec.call import Call
    from kbuild.spec.train import Train
    from kbuild.train import callbacks

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    calls = (Call("callbacks", "EarlyStopping", {"patience": 2}), Call("callbacks", "ReduceLROnPlateau"))
    _, made = callbacks.own(Train(optimizer=Call("optimizers", "SGD"), callbacks=calls), Path("run"), model, ())
    assert [type(one) for one in made] == [patience.EarlyStopping, patience.ReduceLROnPlateau]


def test_what_says_that_memory_is_short():
    class ResourceExhaustedError(Exception):
        pass

    outer = SpecError(Problem("K208", "x"))
    outer.__cause__ = ResourceExhaustedError()
    assert shortage.is_shortage(outer)
    assert shortage.is_shortage(MemoryError())
    assert shortage.is_shortage(ValueError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."))
    assert shortage.is_shortage(ValueError("exception:Status: 1, message: could not create a primitive"))
    assert not shortage.is_shortage(ValueError("exception:Status: 3, message: could not create a primitive"))
    assert not shortage.is_shortage(ValueError("a shape"))
    assert not shortage.is_shortage(None)


BATCH = """
kbuild: 1
name: wide
data: {source: digits, batch_size: 1024}
model: [{Conv2D: {filters: 64, kernel_size: 3, padding: same}}, GlobalAveragePooling2D, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 2}
"""


def test_a_batch_that_would_fit_is_named():
    problem = shortage.shortage(load(BATCH), "epoch 1", run=Path("runs/wide-001"))
    assert (problem.code, problem.path, problem.span.line) == ("K512", "data.batch_size", 4)
    assert problem.message.startswith(
        "there is not enough memory for epoch 1: a training step with a batch of 1,024 holds about "
    )
    assert problem.help.startswith("`batch_size: 512` would fit; the data, other processes or a limit")
    assert problem.help.endswith("with more memory, `kbuild fit --resume runs/wide-001` goes on")


SCARCE = """
import resource, sys
from kbuild.model import backend
backend.start()
import keras
keras.ops.convert_to_numpy(keras.ops.ones(3))
here = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (here + (3 << 29), here + (3 << 29)))
from kbuild.cli.main import main
main(sys.argv[1:])
"""
GIANT = """
kbuild: 1
name: giant
data: {source: digits, batch_size: 32}
model: [Flatten, {Dense: 24000}, {Dense: 24000}, {Dense: {units: 10, activation: softmax}}]
train: {epochs: 2, budget: {memory: 100 GB}}
"""


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are asked of Linux")
def test_a_giant_layer_under_a_raised_budget_ends_in_words(tmp_path):
    (tmp_path / "giant.yaml").write_text(GIANT)
    environment = {**os.environ, "PYTHONPATH": str(BUILDER), "KERAS_BACKEND": keras.backend.backend()}
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, "fit", "giant.yaml"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr[-2000:]
    assert "error[K512]: there is not enough memory for the network and its first batch" in done.stderr
    assert "a training step with a batch of 32 holds about 9.25 GB" in done.stderr
    assert "make the network smaller: `dense_1` holds most: 99%" in done.stderr
    assert "Traceback" not in done.stderr


class Exhausted(RuntimeError):
    """What JAX raises."""


def test_memory_that_ends_while_training_leaves_a_run_that_goes_on(tmp_path, monkeypatch):
    from kbuild.train import loop
    from kbuild.train.resume import resume

    real = loop.loop

    class Ends(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Exhausted("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "loop", lambda *arguments: real(*arguments, Ends()))
        problem = failed(IRIS, tmp_path / "run")
    assert problem.code == "K512"
    assert problem.message.startswith(
        "there is not enough memory for epoch 3: a training step with a batch of 16 holds"
    )
    assert problem.help.endswith(f"with more memory, `kbuild fit --resume {tmp_path / 'run'}` goes on")
    again = resume(tmp_path / "run", report=Reporter())
    assert (again.status, again.epochs) == ("done", 3)


def test_a_failure_tells_what_it_knows():
    assert str(Failure("loss", math.nan, 2)) == "`loss` became NaN in epoch 2"
    assert str(Failure("a-b/norm/gamma", math.inf, 2, 1, 500)) == (
        "the weights of `a-b/norm` became infinite in one of the batches 1 to 500 of epoch 2, and `loss` was a number until then"
    )
