"""Costs of whole networks: shared and frozen layers, networks inside layers, what a gradient goes through."""

import pytest

from kbuild.plan.cost import Cost, cost_of, costs
from kbuild.plan.cost.cost import UNKNOWN
from kbuild.plan.expand import expand
from kbuild.plan.plan import Input, Plan, Ref, Step
from kbuild.spec.call import Call, Nested
from kbuild.spec.load import load


def planned(layers: str, inputs: str = "x: [8]", blocks: str = "") -> Plan:
    return expand(load(f"kbuild: 1\n{blocks}\nmodel: {{inputs: {{{inputs}}}, layers: [{layers}]}}\n"))


def keras_numbers(plan: Plan) -> tuple[int, int]:
    """Trainable and other numbers of the model that is built of a plan."""
    import math

    from kbuild.model.build import build

    model = build(plan)
    return tuple(
        sum(math.prod(weight.shape) for weight in weights)
        for weights in (model.trainable_weights, model.non_trainable_weights)
    )  # type: ignore[return-value]


def test_a_layer_that_is_applied_again_has_its_numbers_once_and_its_operations_twice():
    plan = planned(
        "{Dense: 4, name: d, from: x}, {reuse: d, from: y, name: e}, {Add: , from: [d, e]}", "x: [8], y: [8]"
    )
    found = costs(plan)
    assert found.steps["d"] == Cost(36, 0, 68, 4)
    assert found.steps["e"] == Cost(0, 0, 68, 4)
    assert (found.total.trainable, found.total.frozen) == keras_numbers(plan)


def test_a_frozen_entry_has_nothing_to_learn():
    plan = planned("{chain: [{Dense: 4}, BatchNormalization], trainable: false}, {Dense: 2}")
    found = costs(plan).total
    assert (found.trainable, found.frozen) == keras_numbers(plan) == (10, 52)


def test_patterns_leave_some_layers_of_a_group_trainable():
    entry = "{chain: [{Dense: 4, name: low}, {Dense: 2, name: top}], name: all, trainable: [top]}"
    plan = planned(entry)
    found = costs(plan).total
    assert (found.trainable, found.frozen) == keras_numbers(plan) == (10, 36)


def test_a_network_inside_a_layer_counts_as_the_layer():
    blocks = "blocks: {frame: {params: {width: }, layers: [{Dense: $width}, BatchNormalization, {Dense: 2}]}}"
    plan = planned("{TimeDistributed: {layer: {frame: 4}}}, Flatten, {Dense: 1}", "x: [5, 8]", blocks)
    found = costs(plan)
    assert (found.total.trainable, found.total.frozen) == keras_numbers(plan)
    inner = 4 * 17 + 2 * 4 + 2 * 9
    assert found.steps["time_distributed"] == Cost(36 + 8 + 10, 8, 5 * inner, 5 * (4 + 4 + 2))


def test_a_network_inside_that_is_frozen_is_frozen():
    nested = planned("{Dense: 4}")
    step = Step("t", "t", Call("layers", "TimeDistributed", {"layer": Nested(nested)}), (Ref("x"),), {}, ((5, 4),))
    plan = Plan("p", (Input("x", (5, 8)),), (step,), {"t": Ref("t")})
    assert costs(plan).total == Cost(36, 0, 5 * 68, 20)
    frozen = Plan("p", plan.inputs, (Step("t", "t", step.call, step.args, {}, step.shapes, trainable=False),), {})
    assert costs(frozen).total == Cost(0, 36, 5 * 68, 0)


def test_what_no_gradient_goes_through_keeps_nothing():
    plan = planned("{Rescaling: 2.0}, {Dense: 4, trainable: false}, ReLU, {Dense: 4}, {Activation: gelu}, {Dense: 2}")
    kept = {name: cost.kept for name, cost in costs(plan).steps.items()}
    assert kept == {"rescaling": 0, "dense": 0, "re_lu": 0, "dense_1": 4, "activation": 4, "dense_2": 2}


@pytest.mark.parametrize(
    ("layers", "kept"),
    [
        ("{Dense: 4}", 4),
        ("{Dense: {units: 4, activation: relu}}", 4),
        ("{Dense: 4}, ReLU", 4),
        ("{Dense: {units: 4, activation: gelu}}", 8),
        ("{Dense: 4}, {Activation: gelu}", 8),
        ("{Dense: 4}, {Reshape: [2, 2]}, Flatten", 4),
        ("{Dense: 4}, {Reshape: [2, 2]}, {Permute: [2, 1]}", 8),
        ("{Dense: 4}, {Dropout: 0.5}", 12),
        ("{Dense: 4}, {Dropout: 0}", 4),
        # 4 gates and 2 states of 3 units at 2 times
        ("{Dense: 4}, {Reshape: [2, 2]}, {LSTM: 3}", 4 + 2 * 6 * 3),
    ],
)
def test_what_is_kept(layers, kept):
    assert costs(planned(layers)).total.kept == kept


def test_unknown_sizes_leave_the_numbers_known():
    assert cost_of("LSTM", {"units": 4}, [(None, 3)], ((4,),)) == Cost(128, 0, None, None)
    assert cost_of("Dense", {"units": 4}, [(None, 3)], ((None, 4),)) == Cost(16, 0, None, None)
    assert cost_of("Flatten", {}, [None], (None,)) == Cost(0, 0, 0, 0)
    assert cost_of("ReLU", {}, [None], (None,)) == Cost(0, 0, None, None)
    assert cost_of("Embedding", {"input_dim": 5, "output_dim": 2}, [(None,)], ((None, 2),)) == Cost(10, 0, 0, None)
    assert cost_of("Conv2D", {"filters": 4, "kernel_size": 3}, [(None, None, 3)], ((None, None, 4),)).trainable == 112
    assert cost_of("TimeDistributed", {"layer": Call("layers", "Dense", {"units": 4})}, [(None, 3)], ((None, 4),)) == (
        Cost(16, 0, None, None)
    )


def test_what_has_no_rule_is_unknown():
    assert cost_of("NoSuch", {}, [(3,)], ((3,),)) == UNKNOWN
    assert cost_of("Dense", {"units": 4}, [None], (None,)) == UNKNOWN
    assert cost_of("Dense", {"units": 4, "dtype": "int8_from_float32"}, [(3,)], ((4,),)) == UNKNOWN
    assert cost_of("Dense", {"units": 4, "dtype": "float16"}, [(3,)], ((4,),)).params == 16
    assert cost_of("no_such", {}, [(3,)], ((3,),), {}, "ops") == Cost(0, 0, None, None)
    assert cost_of("ResNet50", {}, [(3,)], None, {}, "applications") == UNKNOWN


def test_a_wrong_argument_is_unknown_and_no_error():
    assert cost_of("Dense", {"units": "many"}, [(3,)], ((4,),)).params is None
    assert cost_of("Conv2D", {"filters": 4, "kernel_size": [3]}, [(3,)], None) == UNKNOWN
    assert cost_of("Add", {}, [(3,)], ((3,),)).flops == 0
