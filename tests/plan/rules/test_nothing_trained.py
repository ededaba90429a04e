"""K342: a loss, and nothing that it could change."""

import pytest


def said(tell, chain, data="data: {source: digits}\n"):
    return tell(
        "K342", f"{data}model: {{inputs: {{x: {{shape: [8, 8, 1]}}}}, layers: [{chain}]}}\ntrain: {{loss: mse}}"
    )


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ("Flatten, {Dense: 1, trainable: false}", "all 65 weights are frozen"),
        ("Flatten, {ops.sum: {axis: -1}}, {ops.expand_dims: -1}", "no layer has weights"),
        ("{chain: [Flatten, {Dense: 1}], trainable: false}", "all 65 weights are frozen"),
    ],
)
def test_all_frozen(tell, chain, why):
    assert said(tell, chain) == [("warning", f"nothing is trained: {why}")]


def test_one_weight_is_enough(tell):
    assert said(tell, "Flatten, {Dense: 4, trainable: false}, {Dense: 1}") == []


def test_without_data_nothing_is_asked(tell):
    assert said(tell, "Flatten, {Dense: 1, trainable: false}", "") == []
