"""The rules as a whole: copies say a thing once, in the place that a person would change."""

from kbuild.plan.check import check
from kbuild.plan.cost import costs
from kbuild.plan.rules import Net, lint, rules
from kbuild.spec.load import load
from kbuild.text.problem import SpecError


def said(text, code):
    try:
        problems = check(load(text)).problems
    except SpecError as error:
        problems = error.problems
    return [problem for problem in problems if problem.code == code]


def test_in_a_block_of_ones_own_the_block_is_shown_and_its_use():
    (problem,) = said(
        """
kbuild: 1
blocks:
  end: [{Dense: {units: 1, activation: softmax}}]
model:
  inputs: {x: {shape: [4]}}
  layers: [{end: null, name: a}]
""",
        "K333",
    )
    assert problem.span.line == 4
    assert [(related.message, related.span.line) for related in problem.related] == [("the block is used here", 7)]


def test_a_place_is_told_once_for_all_its_outputs():
    text = """
kbuild: 1
blocks:
  end: [{Dense: {units: 1, activation: softmax}}]
model:
  inputs: {x: {shape: [4]}}
  layers: [{end: null, name: a}, {end: null, name: b, from: x}]
  outputs: [a, b]
"""
    assert len(said(text, "K333")) == 1


def test_a_network_without_a_spec_has_rules_too():
    plan = check(
        load("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Dense: {units: 2, activation: relu}}]}\n")
    ).plan
    assert [problem for problem in lint(Net(plan, costs(plan))) if problem.severity == "error"] == []


def test_codes_are_those_of_the_modules():
    for code, rule in rules().items():
        assert code == rule.CODE
        assert rule.SEVERITY in {"error", "warning", "hint"}
