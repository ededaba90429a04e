"""The ends of a space: what they cost, what cannot be built there, and what a person is told of it."""

import pytest

from kbuild.plan.corners import corners, problems
from kbuild.plan.draw.space import lines
from kbuild.plan.space import space
from kbuild.spec.load import load

SPEC = """
kbuild: 1
vars: {depth: {$int: [1, 2]}}
model:
  inputs: {x: {shape: [4]}}
  layers: [{Dense: {$int: [2, 8]}, repeat: $depth, name: stage}, {Dropout: {$float: [0, 0.5], step: 0.1}, when: {$bool: false}}]
tune: {objective: loss}
"""
POOLS = """
kbuild: 1
model: {inputs: {x: {shape: [8, 8, 1]}}, layers: [{MaxPooling2D: 2, repeat: {$int: [1, 5]}}, Flatten, {Dense: 2}]}
tune: {objective: loss}
"""


def found(text):
    spec = load(text)
    return spec, space(spec), corners(spec)


def test_the_ends_cost_what_those_networks_cost():
    _, _, ends = found(SPEC)
    assert ends.low.cost.params == 4 * 2 + 2
    assert ends.high.cost.params == (4 * 8 + 8) + (8 * 8 + 8)


def test_what_cannot_be_built_is_a_warning_with_its_choice():
    told = list(problems(*found(POOLS)))
    assert [(p.code, p.severity) for p in told] == [("K171", "warning")]
    assert "`model.layers.max_pooling2d.repeat` = 4" in told[0].message


@pytest.mark.parametrize(("most", "codes"), [(10, []), (9, ["K172"])])
def test_a_budget_that_nothing_fits_is_an_error(most, codes):
    told = list(problems(*found(SPEC.replace("objective: loss", f"objective: loss, budget: {{params: {most}}}"))))
    assert [p.code for p in told] == codes
    assert all(p.span is not None for p in told)


@pytest.mark.parametrize(
    ("oracle", "codes"),
    [
        ("BayesianOptimization", ["K174"]),  # 15 at random, and 10 trials unless told otherwise
        ("{BayesianOptimization: {max_trials: 15}}", ["K174"]),
        ("{BayesianOptimization: {max_trials: 16}}", []),
        ("{BayesianOptimization: {max_trials: 10, num_initial_points: 4}}", []),
        ("{RandomSearch: {max_trials: 10}}", []),
    ],
)
def test_a_model_of_trials_that_is_never_made_is_a_warning(oracle, codes):
    told = list(problems(*found(SPEC.replace("objective: loss", f"objective: loss, oracle: {oracle}"))))
    assert [(p.code, p.severity) for p in told] == [(code, "warning") for code in codes]


def test_the_space_as_text():
    _, where, ends = found(SPEC)
    assert list(lines(where, ends)) == [
        "search: 5 holes, 2 of them conditional, about 392 networks, 10 to 112 parameters",
        "  vars.depth                  int     1 … 2",
        "  model.layers.stage-0.units  int     2 … 8",
        "  model.layers.dropout.when   bool    true | false",
        "  model.layers.stage-1.units  int     2 … 8  if vars.depth = 2",
        "  model.layers.dropout.rate   float   0 … 0.5, +0.1  if model.layers.dropout.when = true",
    ]
