import keras
import numpy as np
import pytest

from kbuild.plan.head import Head
from kbuild.spec.call import Call
from kbuild.spec.train import Cosine, Execution, Train
from kbuild.text.problem import SpecError
from kbuild.train import compile
from kbuild.train.schedule import Scheduled


def head(output="output", task="multiclass", loss=None, **more):
    return Head(output, task, loss, **more)


SPARSE = Call("losses", "SparseCategoricalCrossentropy", {"from_logits": True})
ACCURACY = Call("identifier", "accuracy")
ADAM = Call("optimizers", "Adam", {"learning_rate": 0.01, "clipnorm": 1.0})
X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = (np.arange(6) % 3).astype("int32")


def net(outputs=1):
    inputs = keras.Input((4,), name="input")
    if outputs == 1:
        return keras.Model(inputs, keras.layers.Dense(3)(inputs))
    return keras.Model(
        inputs, {"a": keras.layers.Dense(3, name="a")(inputs), "b": keras.layers.Dense(1, name="b")(inputs)}
    )


def test_one_output():
    model = net()
    metrics = (ACCURACY, Call("metrics", "SparseTopKCategoricalAccuracy", {"k": 2}))
    compile.compile(model, Train(optimizer=ADAM), [head(loss=SPARSE, metrics=metrics)], 5)
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(logs) == ["accuracy", "loss", "sparse_top_k_categorical_accuracy"]
    assert model.optimizer.clipnorm == 1.0


def test_names_of_metrics_do_not_depend_on_what_was_made_before():
    twice = (
        Call("metrics", "AUC"),
        Call("metrics", "AUC", {"curve": "PR"}),
        Call("metrics", "Precision", {"name": "p"}),
    )
    for _ in range(2):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(inputs))
        one = head(task="binary", loss=Call("identifier", "binary_crossentropy"), metrics=twice)
        compile.compile(model, Train(optimizer=ADAM), [one], 5)
        logs = model.evaluate(X, Y > 0, verbose=0, return_dict=True)
        assert sorted(logs) == ["auc", "auc_2", "loss", "p"]


def test_several_outputs_with_weights():
    model = net(2)
    heads = [head("a", loss=SPARSE, metrics=(ACCURACY,)), head("b", loss=Call("identifier", "mse"), weight=0.25)]
    compile.compile(model, Train(optimizer=ADAM), heads, 5)
    logs = model.evaluate(X, {"a": Y, "b": Y}, verbose=0, return_dict=True)
    assert sorted(logs) == ["a_accuracy", "a_loss", "b_loss", "loss"]
    assert logs["loss"] == pytest.approx(logs["a_loss"] + 0.25 * logs["b_loss"], rel=1e-4)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_an_output_without_a_loss_is_not_trained():
    model = net(2)
    compile.compile(model, Train(optimizer=ADAM), [head("a", loss=SPARSE), head("b")], 5)
    before = model.get_layer("b").get_weights()[0]
    model.fit(X, {"a": Y}, verbose=0)
    np.testing.assert_array_equal(model.get_layer("b").get_weights()[0], before)


def test_no_loss_at_all_is_refused():
    with pytest.raises(SpecError) as caught:
        compile.compile(net(), Train(optimizer=ADAM), [head()], 5)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("K163", "no output has a loss, so there is nothing to train")


def test_schedules_take_the_base_rate_of_the_optimizer():
    made = compile.optimizer(Train(optimizer=ADAM, schedule=Cosine(), epochs=3), 7)
    schedule = made._learning_rate
    assert isinstance(schedule, Scheduled)
    assert (schedule.base, schedule.steps_per_epoch, schedule.epochs) == (pytest.approx(0.01), 7, 3)
    assert compile.rate(made) == pytest.approx(0.01)
    warm = compile.optimizer(Train(optimizer=ADAM, schedule=Cosine(warmup="2 epochs"), epochs=3), 5)
    assert compile.rate(warm) == pytest.approx(0.001)
    assert compile.base_rate(warm) == pytest.approx(0.01)


def test_a_keras_schedule_is_in_steps():
    call = Call("schedules", "CosineDecay", {"initial_learning_rate": 0.5, "decay_steps": 10})
    made = compile.optimizer(Train(optimizer=ADAM, schedule=call), 7)
    assert isinstance(made._learning_rate, keras.optimizers.schedules.CosineDecay)
    inside = Call("optimizers", "SGD", {"learning_rate": call})
    assert compile.rate(compile.optimizer(Train(optimizer=inside), 7)) == pytest.approx(0.5)


def test_an_optimizer_by_identifier():
    made = compile.optimizer(Train(optimizer=Call("identifier", "rmsprop")), 1)
    assert isinstance(made, keras.optimizers.RMSprop)


def test_execution_is_handed_on():
    model = net()
    train = Train(optimizer=ADAM, execution=Execution(steps_per_execution=2, jit=True))
    compile.compile(model, train, [head(loss=SPARSE)], 5)
    assert (model.steps_per_execution, model.jit_compile) == (2, True)
