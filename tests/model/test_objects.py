import keras
import pytest

from kbuild.model.layers import Maxout
from kbuild.model.objects import arguments, find, make, sentence
from kbuild.model.optimizers import RAdam
from kbuild.spec.call import Call, Nested
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Source, Span

SOURCE = Source("net.yaml", "- Dense: {units: -3, activation: relu}\n")
NAME, UNITS, ACTIVATION = (Span(SOURCE, 1, *columns) for columns in ((3, 1, 8), (17, 1, 19), (33, 1, 37)))


def _refused(call: Call, **more) -> Problem:
    with pytest.raises(SpecError) as caught:
        make(call, **more)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (Call("layers", "Flatten"), keras.layers.Flatten),
        (Call("layers", "Maxout", {"units": 3}), Maxout),
        (Call("optimizers", "Adam", {"learning_rate": 0.1}), keras.optimizers.Adam),
        (Call("optimizers", "RAdam"), RAdam),
        (Call("schedules", "CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 10}),
         keras.optimizers.schedules.CosineDecay),
        (Call("losses", "Huber", {"delta": 0.5}), keras.losses.Huber),
        (Call("metrics", "Precision", {"thresholds": 0.7}), keras.metrics.Precision),
        (Call("callbacks", "SwapEMAWeights"), keras.callbacks.SwapEMAWeights),
        (Call("initializers", "HeNormal"), keras.initializers.HeNormal),
        (Call("regularizers", "L2", {"l2": 1e-4}), keras.regularizers.L2),
        (Call("constraints", "MaxNorm", {"max_value": 2}), keras.constraints.MaxNorm),
    ],
    ids=lambda value: value.name if isinstance(value, Call) else "",
)  # fmt: skip
def test_makes_what_the_namespace_has(call, kind):
    assert type(make(call)) is kind


def test_a_layer_gets_the_name_of_its_step():
    layer = make(Call("layers", "Dense", {"units": 3}), name="stage-1-head")
    assert (layer.name, layer.units) == ("stage-1-head", 3)


def test_an_identifier_is_its_string_and_a_function_itself():
    assert make(Call("identifier", "mse")) == "mse"
    assert make(Call("ops", "expand_dims", {"axis": -1})) is keras.ops.expand_dims
    assert make(Call("activations", "relu")) is keras.activations.relu


def test_an_application_is_a_model():
    args = {"include_top": False, "weights": None, "input_shape": [32, 32, 3], "alpha": 0.35}
    model = make(Call("applications", "MobileNetV2", args), name="backbone")
    assert model.name == "backbone"
    assert model.output.shape == (None, 1, 1, 1280)


def test_calls_are_made_wherever_they_stand():
    cells = [Call("layers", "LSTMCell", {"units": units}) for units in (32, 16)]
    layer = make(Call("layers", "RNN", {"cell": cells, "return_sequences": True}))
    assert [cell.units for cell in layer.cell.cells] == [32, 16]
    dense = make(Call("layers", "Dense", {"units": 2, "kernel_regularizer": Call("regularizers", "L2", {"l2": 0.5})}))
    assert dense.kernel_regularizer.l2 == 0.5
    args = arguments(Call("ops", "where", {"options": {"a": [Call("initializers", "Zeros")]}}))
    assert isinstance(args["options"]["a"][0], keras.initializers.Zeros)


def test_a_nested_block_is_built_by_whom_it_was_given_to():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    call = Call("layers", "TimeDistributed", {"layer": Nested("the plan")})
    seen = []
    layer = make(call, nested=lambda plan: seen.append(plan) or inner)
    assert layer.layer is inner
    assert seen == ["the plan"]
    assert _refused(call).message == "a block cannot stand here"


@pytest.mark.parametrize("namespace", ["optimizers", "schedules"])
def test_an_int_becomes_the_float_that_keras_wants(namespace):
    if namespace == "optimizers":
        rate = make(Call(namespace, "Adam", {"learning_rate": 1})).learning_rate
    else:
        args = {"initial_learning_rate": 1, "decay_steps": 1, "decay_rate": 0.5}
        rate = make(Call(namespace, "ExponentialDecay", args))(2)
        assert float(rate) == 0.25
        return
    assert float(rate) == 1.0


def test_whole_rates_of_a_piecewise_schedule_stay_rates():
    call = Call("schedules", "PiecewiseConstantDecay", {"boundaries": [10], "values": [1, 0.5]})
    assert float(make(call)(11)) == 0.5


def test_lists_stand_for_tuples():
    assert make(Call("layers", "Conv2D", {"filters": 4, "kernel_size": [3, 5], "strides": [1, 2]})).strides == (1, 2)
    assert make(Call("layers", "Reshape", {"target_shape": [28, 28, 1]})).target_shape == (28, 28, 1)
    assert make(Call("layers", "Cropping2D", {"cropping": [[1, 2], [3, 4]]})).cropping == ((1, 2), (3, 4))


def test_what_keras_refuses_is_a_problem_where_the_argument_stands():
    call = Call(
        "layers", "Dense", {"units": -3, "activation": "relu"}, NAME, {"units": UNITS, "activation": ACTIVATION}
    )
    problem = _refused(call)
    assert problem.code == "K105"
    assert problem.message == (
        "`Dense` refuses its arguments: Received an invalid value for `units`, expected a positive integer. "
        "Received: units=-3"
    )
    assert problem.span is UNITS


def test_what_names_no_argument_is_a_problem_at_the_call():
    problem = _refused(Call("layers", "Dense", {"units": 2, "kernel_initializer": "hen"}, NAME, {"units": UNITS}))
    assert problem.message == "`Dense` refuses its arguments: Could not interpret initializer identifier: hen"
    assert problem.span is NAME


@pytest.mark.parametrize("name", ["Dence", "deserialize", "get", "__name__", "Layer.call", "keras", "add"])
def test_what_is_no_public_class_is_not_found(name):
    with pytest.raises(SpecError, match=f"there is no `{name}` among the layers of the installed Keras"):
        find(Call("layers", name))


@pytest.mark.parametrize("namespace", ["os", "saving", "", "utils"])
def test_what_is_no_namespace_holds_nothing(namespace):
    with pytest.raises(SpecError, match="there is no `system`"):
        find(Call(namespace, "system"))


@pytest.mark.parametrize("depth", [0, 1])
def test_a_keras_config_is_never_deserialized(depth):
    config: object = {"class_name": "Lambda", "config": {}}
    for _ in range(depth):
        config = {"layer": [config]}
    problem = _refused(Call("layers", "TimeDistributed", {"layer": config}, NAME, {"layer": UNITS}))
    assert problem.message == "`Lambda` is written as a Keras config, which kbuild does not load"
    assert (problem.code, problem.span) == ("K110", UNITS)


def test_a_long_message_becomes_a_sentence():
    assert sentence(ValueError("  one\n  two.\n\nthree")) == "one two"
    assert sentence(ValueError()) == "ValueError"
    assert len(sentence(ValueError("word " * 200))) < 310


def test_an_oracle_goes_by_the_name_that_its_users_know():
    made = make(Call("oracles", "RandomSearch", {"objective": "val_loss", "max_trials": 2}))
    assert type(made).__name__ == "RandomSearchOracle"
