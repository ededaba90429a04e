"""K348: outputs that are told to compute in 16 bits."""

import pytest


@pytest.mark.parametrize(
    ("dtype", "fires"),
    [("float16", 1), ("bfloat16", 1), ("mixed_float16", 1), ("mixed_bfloat16", 1), ("float32", 0), ("float64", 0)],
)
def test_of_the_last_layer(tell, dtype, fires):
    text = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: {units: 8, dtype: float16}}, ReLU, {Dense: {units: 3, dtype: NAME}}]}"
    found = tell("K348", text.replace("NAME", dtype))
    assert found == [("warning", f"the output `output` computes in `{dtype}`")] * fires


def test_the_policy_of_the_run_is_safe(tell):
    text = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 3}]}\ntrain: {precision: mixed_float16}"
    assert tell("K348", text) == []
