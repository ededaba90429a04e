"""The keys `trainable`, `weights` and `remat`: which steps they reach, and what cannot be meant."""

import pytest

from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import SpecError


def plan(layers: str, more: str = ""):
    return expand(load(f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [6, 4]}}}}\n  layers: [{layers}]\n{more}"))


def said(layers: str, more: str = "") -> str:
    with pytest.raises(SpecError) as caught:
        plan(layers, more)
    (problem,) = caught.value.problems
    return f"{problem.code} {problem.message}"


def test_remat_names_the_outermost_entry_and_each_copy_of_a_repeat():
    found = plan(
        "{Dense: 4, name: a}, {Dense: 4, name: b, remat: true}, "
        "{chain: [{Dense: 4, name: c, remat: true}, {mlp: [4]}], name: d, remat: true, repeat: 2}, "
        "{Dense: 4, name: e, remat: false}, {branches: [[{Dense: 4, name: f}], []], merge: Add, name: g, remat: true}, "
        "{reuse: b, name: h}, {reuse: a, name: k, remat: true}"
    )
    assert {step.name: step.remat for step in found.steps} == {
        "a": None, "b": "b", "d-0-c": "d-0", "d-0-mlp-chain-0-dense": "d-0", "d-0-mlp-chain-0-activation": "d-0",
        "d-1-c": "d-1", "d-1-mlp-chain-0-dense": "d-1", "d-1-mlp-chain-0-activation": "d-1",
        "e": None, "f": "g", "g": "g", "h": "h", "k": "k",
    }  # fmt: skip


def test_weights_belong_to_the_innermost_entry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = plan(
        "{chain: [{Dense: 4, name: a}, {Dense: 4, name: b, weights: two.keras}, {Dense: 4, name: c, weights: null}], "
        "name: body, weights: one.keras}, {Dense: 4, name: d}"
    )
    starts = {step.name: step.weights and (step.weights.path, step.weights.entry) for step in found.steps}
    one, two = str(tmp_path / "one.keras"), str(tmp_path / "two.keras")
    assert starts == {"a": (one, "body"), "b": (two, "b"), "c": None, "d": None}


def test_what_would_do_nothing_is_refused():
    first = "{Dense: 4, name: a}, "
    assert said(first + "{reuse: a, trainable: false}").startswith("K105 `trainable` does nothing beside `reuse`")
    assert said(first + "{reuse: a, weights: a.keras}").startswith("K105 `weights` does nothing beside `reuse`")
    assert said("{Dense: 4, remat: 3}") == "K105 `remat` is `true` or `false`, not `3`"
    assert said("{Dense: 4, weights: [a, b]}") == "K105 `weights` takes a path, not `[a, b]`"
    block = "blocks: {frame: {layers: [{Dense: 3, weights: a.keras}]}}\n"
    assert said("{TimeDistributed: {layer: {frame: null}}}", block) == (
        "K105 `weights` does nothing in a network that a call holds"
    )


def test_what_is_frozen_outside_is_frozen_inside():
    found = plan(
        "{chain: [{Dense: 4, name: a, trainable: true}, {Dense: 4, name: b, trainable: [b]}], trainable: false}, "
        "{chain: [{Dense: 4, name: c, trainable: false}, {Dense: 4, name: d}], trainable: [c, d]}"
    )
    assert [step.trainable for step in found.steps] == [False, False, False, None]
    nested = "{chain: [{chain: [{Dense: 4, name: a}], trainable: [a]}], trainable: [a]}"
    assert said(nested) == "K105 `trainable` patterns stand inside an entry that has some"


def test_a_call_that_holds_layers_is_one_layer_for_patterns():
    block = "blocks: {frame: {layers: [{Dense: 3, name: inner}]}}\n"
    chain = "{{chain: [{{TimeDistributed: {{layer: {{frame: null}}}}, name: each}}, {{Dense: 4, name: last}}], trainable: [{}]}}"
    free, held = plan(chain.format("each"), block), plan(chain.format("last"), block)
    inner = [step.call.args["layer"].plan.steps[0].trainable for step in (free.steps[0], held.steps[0])]
    assert ([step.trainable for step in free.steps], [step.trainable for step in held.steps]) == (
        [None, False],
        [False, None],
    )
    assert inner == [None, None]
    assert said(chain.format("inner"), block) == "K219 `trainable: [inner]` matches no layer here"
