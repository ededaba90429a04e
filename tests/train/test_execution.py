"""Seed, precision and the way in which steps are run: it changes no number that it should not."""

import keras
import numpy as np
import pytest

import kbuild
from kbuild.data.dataset import Part
from kbuild.model import backend
from kbuild.plan.check import check
from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.spec.train import Checkpoint, Execution, Train
from kbuild.text.problem import SpecError
from kbuild.train import execution, execution_rule, execution_trial, rundir, state
from kbuild.train.execution_loop import Running
from kbuild.train.execution_rule import Choice
from kbuild.train.feed import feed
from kbuild.train.fit import prepared
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume
from kbuild.train.verify import verify

ADAM = Call("optimizers", "Adam")
TENSORFLOW = keras.backend.backend() == "tensorflow"
N, SIZE = 45, 8  # five whole batches and one of five
X = np.random.default_rng(0).normal(size=(N, 6)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")
PLAIN, LOOP = Choice(not TENSORFLOW, 1, ""), Choice(True, 4, "")


def test_precision_holds_inside_only():
    with pytest.raises(ZeroDivisionError), execution.precision(Train(optimizer=ADAM, precision="mixed_bfloat16")):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise ZeroDivisionError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_the_seed_makes_the_same_weights():
    made = []
    for seed in (1, 1, 2):
        assert execution.prepare(Train(optimizer=ADAM, seed=seed)) == []
        layer = keras.layers.Dense(2)
        layer.build((None, 3))
        made.append(layer.get_weights()[0].tolist())
    assert made[0] == made[1] != made[2]


def test_threads_are_those_of_the_process(tmp_path):
    made = execution.prepare(Train(optimizer=ADAM, threads=backend.threads()))
    assert made == (
        [] if TENSORFLOW else ["`train.threads` changes nothing on JAX, which takes the cores that the process may use"]
    )
    if TENSORFLOW:
        keras.ops.ones(1)  # from now on TensorFlow has its threads
        with pytest.raises(SpecError) as caught:
            execution.prepare(Train(optimizer=ADAM, threads=backend.threads() + 1))
        (problem,) = caught.value.problems
        assert (problem.code, problem.path) == ("K506", "train.threads")


def test_how_a_step_is_run():
    assert execution.arguments(Train(optimizer=ADAM)) == {"jit_compile": "auto"}
    chosen = Train(optimizer=ADAM, execution=Execution(steps_per_execution=8, jit=False))
    assert execution.arguments(chosen) == {"jit_compile": False, "steps_per_execution": 8}


def test_without_a_gpu_the_device_is_the_cpu():
    assert (execution.device() == "cpu") is not execution.accelerated()


def made(dropout=0.3, windows=False):
    """A network with all that changes in a step: weights, moving averages, the state of dropout."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    inner = [layers.BatchNormalization(), layers.Dropout(dropout, seed=1)]
    inner += [layers.Reshape((6, 1)), layers.Conv1D(3, 2), layers.Flatten()] * windows
    model = keras.Sequential([keras.Input((6,)), *inner, layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fed(weights=None, count=N, seed=1):
    part = Part({"input": X[:count]}, {"output": Y[:count]})
    return feed(part, SIZE, ["output"], seed=seed, weights=weights)


class Once:
    """A model whose loop is compiled once, to be trained from its beginning again and again."""

    def __init__(self, choice, windows=False):
        self.model, self.fed = made(windows=windows), fed()
        self.running = Running(self.model, choice, False)
        self.running.data(self.fed)
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self.begun = {name: array for name, array in state.arrays(self.model).items() if name[:6] != "metric"}

    def train(self, steps, epochs=2, first=0, start=None, look=lambda model, batch: None):
        """The variables after training so many steps at a time, the last logs, and the batches that were begun."""
        seen, once = [], self

        class Watch(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                once.fed.start(epoch)

            def on_train_batch_begin(self, batch, logs=None):
                seen.append(batch)
                look(self, batch)

        choice = self.running.choice
        self.running.choice = Choice(choice.jit, steps, "")
        data = self.running.data(self.fed, first)
        self.model.evaluate(self.fed.data, verbose=0)  # builds the metrics
        metrics = {name: array for name, array in state.arrays(self.model).items() if name[:6] == "metric"}
        state.restore(self.model, {**(start or self.begun), **metrics})
        history = self.model.fit(data, epochs=epochs, verbose=0, callbacks=[Watch()], shuffle=False)
        return bits(self.model), {name: values[-1] for name, values in history.history.items()}, seen


def bits(model):
    return {name: array.tobytes() for name, array in state.arrays(model).items() if name[:6] != "metric"}


WINDOWS = [False] if TENSORFLOW else [False, True]  # JAX: XLA is slow at a loop over those, and compiles each step


@pytest.fixture(scope="module", params=WINDOWS)
def loop(request):
    return Once(LOOP, windows=request.param)


@pytest.mark.skipif(not TENSORFLOW, reason="JAX compiles the loop for more than one step")
def test_without_xla_the_number_of_steps_at_a_time_changes_no_bit():
    once = Once(PLAIN)
    one, logs, seen = once.train(1)
    many, same, less = once.train(16)
    assert one == many
    assert logs == same
    assert (seen, less) == ([*range(6)] * 2, [0] * 2)


@pytest.mark.skipif(not TENSORFLOW, reason="JAX compiles a step of a batch and a step of a loop apart")
def test_an_epoch_of_one_step_needs_no_pipeline_and_has_the_same_bits():
    found = []
    for data in (lambda running, few: running.data(few), lambda running, few: few.data):
        few, model = fed(count=SIZE), made()
        given = data(Running(model, PLAIN, False), few)
        model.fit(given, epochs=3, verbose=0, shuffle=False)
        found.append((bits(model), tuple(given.element_spec.shape) if hasattr(given.element_spec, "shape") else None))
    (one, shape), (other, batches) = found
    assert (shape, batches) == ((), None)
    assert one == other


def test_in_a_compiled_loop_the_number_of_steps_at_a_time_changes_no_bit(loop):
    few, logs, seen = loop.train(4)
    many, same, less = loop.train(16)
    assert few == many
    assert logs == same
    assert (seen, less) == ([0, 4] * 2, [0] * 2)
    assert int(loop.model.optimizer.iterations) == 12


def test_an_epoch_goes_on_at_a_step_inside(loop):
    kept = {}

    def look(callback, batch):
        if batch == 2:
            kept.update({name: a for name, a in state.arrays(callback.model).items() if name[:6] != "metric"})

    whole, _, seen = loop.train(2, epochs=1, look=look)
    rest, _, later = loop.train(2, epochs=1, first=2, start=kept)
    assert (seen, later) == ([0, 2, 4], [0, 2])
    assert rest == whole


@pytest.mark.parametrize("windows", WINDOWS)
def test_a_compiled_loop_computes_what_keras_does(windows):
    weights = {"output": np.linspace(0.5, 2, N).astype("float32")}
    models = [made(dropout=0, windows=windows), made(dropout=0, windows=windows)]
    logs = []
    for model, choice in zip(models, (PLAIN, LOOP), strict=True):
        data = Running(model, choice, False).data(fed(weights))
        found = model.fit(data, epochs=2, verbose=0, shuffle=False).history
        logs.append([found["loss"], found["accuracy"]])
    np.testing.assert_allclose(logs[1], logs[0], rtol=1e-4)
    one, other = (state.arrays(model) for model in models)
    assert one.keys() == other.keys()
    for name, array in one.items():
        # Adam divides by roots of tiny numbers: rounding shows there
        np.testing.assert_allclose(other[name], array, rtol=1e-2, atol=1e-4, err_msg=name)


def test_a_model_with_a_compiled_loop_still_takes_other_batches(loop):
    loop.train(4, epochs=1)
    loop.model.fit(loop.fed.data, epochs=1, verbose=0, shuffle=False)
    assert int(loop.model.optimizer.iterations) == 12
    loop.model.evaluate(loop.fed.data, verbose=0)


def test_a_model_that_is_compiled_anew_is_trained_with_its_new_optimizer():
    once = Once(LOOP)
    once.train(4, epochs=1)
    model, before = once.model, once.model.get_weights()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    model.fit(once.running.data(once.fed), epochs=1, verbose=0, shuffle=False)
    assert int(model.optimizer.iterations) == 6
    for one, other, variable in zip(before, model.get_weights(), model.weights, strict=True):
        assert np.array_equal(one, other) is ("moving" not in variable.path and "seed" not in variable.path)


def test_an_evaluation_in_a_loop_is_that_of_keras():
    weights = {"output": np.linspace(0.5, 2, N).astype("float32")}
    model, plain = made(), made()
    running = Running(model, Choice(False, 4, ""), False)
    for data in (fed(count=3, seed=None), fed(count=16, seed=None), fed(seed=None), fed(weights, seed=None)):
        expected = plain.evaluate(data.data, verbose=0, return_dict=True)
        assert model.evaluate(running.measured(data), verbose=0, return_dict=True) == expected
        assert model.evaluate(data.data, verbose=0, return_dict=True) == expected
    for one in (model, plain):
        one.compile(
            keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["sparse_top_k_categorical_accuracy"]
        )
    expected = plain.evaluate(data.data, verbose=0, return_dict=True)
    assert model.evaluate(running.measured(data), verbose=0, return_dict=True) == expected


def test_validation_runs_in_a_loop_beside_training(loop):
    model, data = loop.model, loop.running.measured(fed(count=20, seed=None))
    loop.train(4, epochs=1)
    found = model.fit(loop.running.data(loop.fed), validation_data=data, epochs=2, verbose=0, shuffle=False).history
    expected = model.evaluate(fed(count=20, seed=None).data, verbose=0, return_dict=True)
    assert {name: values[-1] for name, values in found.items() if name[:4] == "val_"} == {
        f"val_{name}": value for name, value in expected.items()
    }


def test_predict_takes_a_batch_at_a_time():
    model = made()
    model.steps_per_execution = 8
    with execution.stepwise(model):
        assert model.steps_per_execution == 1
    assert model.steps_per_execution == 8


@pytest.mark.parametrize("worth", [0.0, float("inf")])
def test_a_measurement_leaves_nothing_behind(monkeypatch, worth):
    monkeypatch.setattr(execution_trial, "WORTH", worth)
    model, data, plain = made(), fed(), Choice(False, 2, "by rule")
    if TENSORFLOW:
        model.evaluate(data.data, verbose=0)
    else:
        model._symbolic_build(data_batch=data.held.example())
    model.optimizer.build(model.trainable_variables)
    before = state.arrays(model)
    chosen = execution_trial.faster(model, data, plain, LOOP, 1000, False)
    after = state.arrays(model)
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    if worth:
        assert chosen == plain  # too short to find out
    else:
        assert chosen.why.startswith("measured: a step takes ")
        assert (chosen.jit, chosen.steps_per_execution) in {(False, 2), (True, 4)}


@pytest.mark.skipif(not TENSORFLOW, reason="on JAX there is nothing but XLA")
def test_what_xla_cannot_compile_is_trained_without():
    import tensorflow as tf

    class Python(keras.layers.Layer):
        def call(self, x):
            return tf.reshape(tf.py_function(lambda value: value, [x], tf.float32), tf.shape(x))

        def compute_output_shape(self, shape):
            return shape

    inputs = keras.Input((6,))
    outputs = keras.layers.Dense(2, activation="softmax")(Python()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(outputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    data, case = fed(), execution_rule.Case(frozenset({"core"}), "tensorflow", False, False, True, True, 6, 10**6)
    decision = execution.Decision(Running(model, execution_rule.choose(case), False), data, case)
    assert decision.running.choice.jit
    running = execution.settle(model, decision)
    assert running.choice == Choice(False, 6, "XLA cannot compile it")
    model.fit(running.data(data), epochs=1, verbose=0, shuffle=False)


SPEC = """
kbuild: 1
name: chosen
data: {source: iris, batch_size: 8, split: {validation: 0.2}}
model: [{Dense: {units: 8, activation: relu}}, {Dropout: 0.2}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 2, optimizer: {Adam: 1e-2}, checkpoint: {every: 3 steps, keep: 99}}
"""


class Notes(Reporter):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_a_run_says_keeps_and_repeats_what_was_chosen(tmp_path, monkeypatch):
    told = Notes()
    run = kbuild.fit(load(SPEC), out=tmp_path / "run", report=told)
    chosen = rundir.info(run.path)["execution"]
    assert f"execution: {execution_rule.stored(chosen)}" in told.notes
    assert chosen["steps_per_execution"] == 3  # what checkpoints allow
    assert chosen["jit"] is not TENSORFLOW  # too short for XLA to pay

    def never(*_):
        raise AssertionError("it was chosen already")

    monkeypatch.setattr(execution_rule, "choose", never)
    verify(run.path)
    resume(run.path, epochs=3, report=Reporter())
    assert rundir.info(run.path)["execution"] == chosen


def test_what_the_spec_says_wins():
    asked = {"steps_per_execution": 5, "jit": False}
    with prepared(load(SPEC, {"train.execution": asked, "train.checkpoint": None}), None) as job:
        assert job.running.choice == Choice(False, 5, "as `train.execution` says")


@pytest.mark.skipif(not TENSORFLOW, reason="XLA repeats itself on JAX")
def test_xla_and_determinism_exclude_each_other():
    spec = load(SPEC, {"train.execution": {"jit": True}, "train.deterministic": True})
    with pytest.raises(SpecError) as caught:
        execution.arguments(spec.train)
    (problem,) = caught.value.problems
    assert problem.code == "K162"
    assert problem.message == "`jit: true` and `deterministic: true` exclude each other on TensorFlow"


def test_a_callback_that_looks_at_every_batch_gets_every_batch(monkeypatch):
    class Own(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    for cls, steps in ((Own, 1), (keras.callbacks.TerminateOnNaN, 6)):
        monkeypatch.setattr(execution.objects, "find", lambda call, cls=cls: cls)
        train = Train(optimizer=ADAM, callbacks=(Call("callbacks", "Own"),), checkpoint=Checkpoint())
        found = execution.decide(made(), check(load(SPEC)).plan, [train], fed(), SIZE)
        assert found.running.choice.steps_per_execution == steps
