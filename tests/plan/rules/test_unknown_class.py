"""K346: names of classes in `class_weight`."""

import pytest


def said(tell, weights, source="breast_cancer", last="{Dense: {units: 1, activation: sigmoid}}"):
    return tell("K346", f"data: {{source: {source}}}\nmodel: [Flatten, {last}]\ntrain: {{class_weight: {weights}}}")


@pytest.mark.parametrize("weights", ["balanced", "{malignant: 2.0}", "{malignant: 2.0, benign: 1.0}"])
def test_classes_that_are_there(tell, weights):
    assert said(tell, weights) == []


def test_a_name_that_is_none(tell):
    assert said(tell, "{maligant: 2.0, begnin: 3.0}") == [
        ("error", "`class_weight` names `maligant`, which is no class of the data"),
        ("error", "`class_weight` names `begnin`, which is no class of the data"),
    ]


def test_numbers_are_names_too(tell):
    last = "{Dense: {units: 10, activation: softmax}}"
    assert said(tell, "{'3': 2.0}", "digits", last) == []
    assert said(tell, "{'10': 2.0}", "digits", last)[0][0] == "error"


def test_no_classes_at_all(tell):
    assert said(tell, "balanced", "diabetes", "{Dense: 1}") == [
        ("error", "`class_weight` needs an output that tells classes, and the task is regression")
    ]


def test_data_that_are_not_known(tell):
    text = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 1}]}\ntrain: {loss: mse, class_weight: {a: 1.0}}"
    assert tell("K346", text) == []
