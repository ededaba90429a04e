"""read: a Keras model as a plan; what `build` makes of a plan, read again, is that plan."""

from pathlib import Path

import pytest

from kbuild.model.build import build
from kbuild.model.read import read
from kbuild.plan.check import check
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Ref
from kbuild.spec.call import Call
from kbuild.spec.load import load

SPECS = Path(__file__).parents[2] / "specs"


def signed(plan):
    """Each step's layer, call and shapes."""
    return sorted((step.layer, step.call.name, str(step.shapes)) for step in plan.steps)


def sources(plan, step):
    """The layers whose tensors a step takes."""
    return sorted(getattr(plan.step(ref.step), "layer", ref.step) for ref in tensors(step))


@pytest.mark.parametrize(
    "name", ["digits_cnn", "digits_inception", "digits_transformer", "siamese", "lstm_encoder_decoder"]
)
def test_reads_what_was_built(name):
    plan = check(load(SPECS / f"{name}.yaml")).plan
    found = read(build(plan))
    assert {g.name: g.shape for g in found.inputs} == {g.name: g.shape for g in plan.inputs}
    assert signed(found) == signed(plan)
    for step in plan.steps:
        if [s.layer for s in plan.steps].count(step.layer) == 1:  # of several uses Keras tells no first one
            assert sources(found, found.step(step.name)) == sources(plan, step)
    assert {ref.step for ref in found.outputs.values()} == {ref.step for ref in plan.outputs.values()}


def test_leaves_defaults_out_and_writes_a_model_inside_out():
    import keras

    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "relu", kernel_regularizer="l2", name="dense")], name="inner"
    )
    x = keras.Input((4,), name="x")
    out = keras.layers.Add(name="sum")([inner(x), inner(x) * 2.0])
    plan = read(keras.Model(x, out))
    dense, again, double, total = plan.steps
    l2 = Call("regularizers", "L2")
    assert (dense.name, dense.call.args) == (
        "inner-dense",
        {"units": 3, "activation": "relu", "kernel_regularizer": l2},
    )
    assert (again.layer, again.args) == ("inner-dense", (Ref("x"),))
    assert (double.call.namespace, double.call.name, double.args) == ("ops", "multiply", (Ref(again.name), 2.0))
    assert total.args == ([Ref("inner-dense"), Ref(double.name)],)
    assert plan.shape(Ref("sum")) == (3,)


def test_a_wrapped_layer_is_a_call():
    import keras

    model = keras.Sequential([keras.Input((5, 4)), keras.layers.Bidirectional(keras.layers.LSTM(3))])
    (step,) = read(model).steps
    assert step.call.args["layer"] == Call("layers", "LSTM", {"units": 3})


def test_a_subclassed_model_has_no_graph():
    import keras

    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="no graph"):
        read(Own())
