"""K334: one class of several, and units that do not know of each other."""

import pytest


def spec(activation, loss, units=10):
    return f"""
        data: {{source: digits}}
        model: [Flatten, {{Dense: {{units: {units}, activation: {activation}}}}}]
        train: {{loss: {loss}}}
    """


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"])
def test_a_categorical_loss_of_single_units(tell, activation, loss):
    message = f"the output `output` has a {activation} over 10 classes that exclude each other"
    assert tell("K334", spec(activation, loss)) == [("warning", message)]


def test_a_loss_that_was_chosen_for_it(tell):
    assert tell("K334", spec("sigmoid", "auto"))[0][0] == "warning"


def test_a_softmax_passes(tell):
    assert tell("K334", spec("softmax", "sparse_categorical_crossentropy")) == []


def test_a_layer_of_its_own_counts(tell):
    chain = "data: {source: digits}\nmodel: [Flatten, {Dense: 10}, {Activation: sigmoid}]\n"
    assert tell("K334", chain)[0][0] == "warning"
    assert tell("K334", chain.replace("{Activation: sigmoid}", "ReLU")) == [
        ("warning", "the output `output` gives logits, and a relu cuts off those below 0")
    ]
    assert tell("K334", chain.replace("{Activation: sigmoid}", "Softmax")) == []


def test_binary_losses_of_several_units_are_published(tell):
    # ResNet strikes back (arXiv:2110.00476) trains exclusive classes so
    text = """
        model: {inputs: {x: {shape: [4]}}, layers: [{Dense: {units: 10, activation: sigmoid}}]}
        train: {loss: binary_crossentropy}
    """
    assert tell("K334", text) == []


def test_two_classes_on_one_unit_pass(tell):
    assert tell("K334", "data: {source: breast_cancer}\nmodel: [{Dense: {units: 1, activation: sigmoid}}]") == []
