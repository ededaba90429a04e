"""Spec → Plan: names of steps, what they take, their shapes; and that the same tree means the same in YAML and JSON."""

import json

import pytest

from kbuild.plan.expand import expand
from kbuild.plan.plan import Ref
from kbuild.spec.load import load
from kbuild.text.node import plain
from kbuild.text.problem import SpecError
from kbuild.text.read import read
from kbuild.text.source import Source


def plan_of(layers: str, shape: str = "[8]", top: str = "", outputs: str = ""):
    body = "".join(f"    {line}\n" for line in layers.strip().split("\n"))
    return expand(load(f"kbuild: 1\n{top}model:\n  inputs: {{x: {{shape: {shape}}}}}\n  layers:\n{body}{outputs}"))


def names(plan):
    return [step.name for step in plan.steps]


def test_unnamed_entries_get_their_call_in_snake_case_and_a_number():
    plan = plan_of("- Dense: 4\n- Dense: 3\n- {Dense: 2, name: dense_1}\n- ReLU\n- ops.exp\n- {Dense: 2, repeat: 2}")
    assert names(plan) == ["dense", "dense_2", "dense_1", "re_lu", "exp", "dense_3-0", "dense_3-1"]


def test_the_name_joins_the_path():
    top = "blocks: {unit: [{Dense: 3, name: conv}, ReLU]}\n"
    plan = plan_of(
        "- {unit: null, name: encoder, repeat: 2}\n- unit\n- chain: [{Dense: 2, name: in_chain}]\n  name: c", top=top
    )
    assert names(plan) == [
        "encoder-0-conv", "encoder-0-re_lu", "encoder-1-conv", "encoder-1-re_lu", "unit-conv", "unit-re_lu", "in_chain",
    ]  # fmt: skip


def test_each_step_has_its_shape_and_its_path():
    plan = plan_of("- Reshape: [2, 4]\n- {Dense: 3, repeat: 2, name: stage}\n- Flatten")
    assert [(s.shapes, s.path) for s in plan.steps] == [
        (((2, 4),), "model.layers.reshape"),
        (((2, 3),), "model.layers.stage-0"),
        (((2, 3),), "model.layers.stage-1"),
        (((6,),), "model.layers.flatten"),
    ]


def test_from_is_read_for_each_copy_and_its_first_item_is_the_copy_before():
    plan = plan_of("- {Dense: 8, name: a}\n- {Add: null, from: [x, a], repeat: 3, name: s}")
    assert [step.args for step in plan.steps[1:]] == [
        ([Ref("x"), Ref("a")],), ([Ref("s-0"), Ref("a")],), ([Ref("s-1"), Ref("a")],),
    ]  # fmt: skip


def test_what_is_left_out_hands_on_previous_or_its_first_input():
    plan = plan_of(
        "- {Dense: 8, name: a}\n- {Dense: 8, name: b}\n- {Add: null, from: [a, b], when: false, name: gone}\n"
        "- {Add: null, from: [gone, a], name: one}\n- {Multiply: null, from: [a, x], when: false, name: lost}\n"
        "- {Add: null, from: [one, lost]}"
    )
    assert plan.step("one").args == ([Ref("b"), Ref("a")],)
    assert plan.steps[-1].args == ([Ref("one"), Ref("a")],)


def test_a_block_names_its_inputs_and_outputs():
    top = "blocks: {two: {inputs: [a, b], outputs: {half: h}, layers: [{Dense: 4, name: h, from: b}, {Concatenate: null, from: [a, h]}]}}\n"
    plan = plan_of(
        "- {Dense: 2, name: d}\n- {two: null, from: {b: x, a: d}, name: t}\n- {Concatenate: null, from: [t, t.half]}",
        top=top,
    )
    assert plan.step("t-h").args == (Ref("x"),)
    assert plan.steps[-1].args == ([Ref("t-concatenate"), Ref("t-h")],)
    assert plan.steps[-1].shapes == ((10,),)


def test_reuse_applies_the_same_layers_again():
    plan = plan_of(
        "- {chain: [{Dense: 8, name: d}, ReLU], repeat: 2, name: s}\n- {reuse: s, name: again}\n- reuse: s-0",
    )
    assert [(step.name, step.layer) for step in plan.steps[4:]] == [
        ("again-0-d", "s-0-d"), ("again-0-re_lu", "s-0-re_lu"), ("again-1-d", "s-1-d"), ("again-1-re_lu", "s-1-re_lu"),
        ("s_0-d", "s-0-d"), ("s_0-re_lu", "s-0-re_lu"),
    ]  # fmt: skip


def test_frozen_is_all_that_is_inside():
    plan = plan_of(
        "- chain: [{Dense: 3, name: a}, {chain: [{Dense: 3, name: b}]}]\n  trainable: false\n"
        "- chain: [{Dense: 3, name: head}, {Dense: 3, name: body}]\n  trainable: [he*]\n  name: net\n- {Dense: 2, name: free}"
    )
    assert {s.name: s.trainable for s in plan.steps} == {
        "a": False,
        "b": False,
        "head": None,
        "body": False,
        "free": None,
    }


def test_outputs_are_named_by_entries():
    plan = plan_of(
        "- {Dense: 3, repeat: 2, name: s}\n- {Dense: 1, from: s, name: last}", outputs="  outputs: [last, s-0]\n"
    )
    assert plan.outputs == {"last": Ref("last"), "s_0": Ref("s-0")}
    assert plan_of("- {Dense: 3, name: digit}").outputs == {"digit": Ref("digit")}
    assert plan_of("- Dense: 3").outputs == {"output": Ref("dense")}


def test_a_model_may_be_several_of_each():
    plan = expand(
        load(
            "kbuild: 1\nmodel: {inputs: {a: {shape: [2]}, b: {shape: [3], dtype: int32}},"
            " layers: [{Concatenate: null, from: [a, b], name: c}, {Dense: 1, name: y}], outputs: {first: c, second: y}}"
        )
    )
    assert [(i.name, i.shape, i.dtype) for i in plan.inputs] == [("a", (2,), None), ("b", (3,), "int32")]
    assert plan.outputs == {"first": Ref("c"), "second": Ref("y")}


TEXT = """
kbuild: 1
vars: {width: 4}
blocks:
  unit: {params: {units: $required}, layers: [{Dense: $units}, ReLU]}
model:
  inputs: {x: {shape: [6]}}
  layers:
    - {unit: "${width * 2}", repeat: 2, name: stage}
    - branches: [[], [{Dense: {units: 8, kernel_regularizer: {L2: 1e-4}}}]]
      merge: Add
    - {Concatenate: null, from: [previous, stage-*]}
"""


def test_json_means_the_same():
    tree = plain(read(Source("s", TEXT)))
    assert expand(load(json.dumps(tree))).steps == expand(load(TEXT)).steps


def test_the_arrow_is_short_for_a_chain():
    plan = expand(load("kbuild: 1\nmodel: 784 → 32 -> 16 → 10\n"))
    assert [step.call.name for step in plan.steps] == ["Flatten", "Dense", "Activation", "Dense", "Activation", "Dense"]
    assert plan.steps[-1].call.args == {"units": 10, "activation": "softmax"}
    assert plan.steps[-1].shapes == ((10,),)


def test_all_problems_of_a_network_are_told_at_once_and_none_twice():
    top = "blocks: {unit: [{Dense: 3}, {Reshape: [7]}]}\n"
    with pytest.raises(SpecError) as caught:
        plan_of(
            "- {Dense: 4, from: nowhere, name: a}\n- {Add: null, from: [a, a]}\n- {unit: null, from: x, repeat: 3}\n- Dense: $nope",
            top=top,
        )
    assert [(p.code, p.message) for p in caught.value.problems] == [
        ("K201", "there is no entry `nowhere` above"),
        ("K207", "`Reshape` cannot make (7,) of (3,): 3 values are not 7"),
        ("K120", "there is no variable `nope` here"),
    ]


def codes(text: str) -> set[str]:
    with pytest.raises(SpecError) as caught:
        expand(load(text))
    return {problem.code for problem in caught.value.problems if problem.severity == "error"}


DEEP = "kbuild: 1\nblocks:\n  b0: [{Dense: 3}]\n"


@pytest.mark.parametrize("use", ["?", "{chain: [?]}", "{?: null, repeat: 1}", "{TimeDistributed: {layer: ?}}"])
def test_levels_are_counted_before_python_runs_out_of_its_own(use):
    lines = [f"  b{i}: [{use.replace('?', f'b{i - 1}')}]\n" for i in range(1, 500)]
    text = DEEP + "".join(lines) + "model: {inputs: {x: {shape: [" + "1, " * 900 + "4]}}, layers: [b499]}\n"
    assert codes(text) == {"K204"}


def test_a_line_of_reuse_is_bounded():
    entries = [f"    - {{reuse: r{i}, name: r{i + 1}}}\n" for i in range(500)]
    text = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [3]}}\n  layers:\n    - {Dense: 3, name: r0}\n"
    assert codes(text + "".join(entries)) == {"K204"}
    assert len(expand(load(text + "".join(entries[:90]))).steps) == 91


@pytest.mark.parametrize("entry", ["$a", "$a -> 3", "{$a: 3}"])
def test_text_with_a_dollar_is_no_entry(entry):
    text = f'kbuild: 1\nvars: {{a: "$$a"}}\nmodel: {{inputs: {{x: {{shape: [4]}}}}, layers: [{entry}]}}\n'
    assert codes(text) <= {"K102", "K120", "K121"}


def test_names_of_unnamed_entries_keep_off_names_that_come():
    plan = plan_of(
        "- Dense: 1\n- {Dense: 1, name: dense_2}\n- Dense: 1\n- Dense: 1\n- {chain: [{Dense: 1, name: dense_4}]}\n- Dense: 1"
    )
    assert names(plan) == ["dense", "dense_2", "dense_1", "dense_3", "dense_4", "dense_5"]
