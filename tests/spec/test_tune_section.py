"""The `tune` section: what is taken, and what is not."""

import pytest

from kbuild.spec.load import load
from kbuild.text.problem import SpecError

SPEC = "kbuild: 1\nmodel: {{inputs: {{x: {{shape: [2]}}}}, layers: [{{Dense: 1}}]}}\ntune: {}\n"


def test_nothing_is_searched_without_one():
    assert load(SPEC.format("false")).tune is None
    assert load(SPEC.format("null")).tune is None


def test_all_of_it():
    text = (
        "{oracle: {Hyperband: {max_epochs: 9, factor: 3}}, objective: {name: val_f1, direction: max}, parallel: 2,"
        " executions_per_trial: 3, budget: {params: 1e6, flops: 50e6, memory: 2 GB, hours: 2}, timeout: 1 hour, seed: 0}"
    )
    tune = load(SPEC.format(text)).tune
    assert (tune.oracle.name, tune.oracle.args) == ("Hyperband", {"max_epochs": 9, "factor": 3})
    assert (tune.objective.name, tune.objective.direction) == ("val_f1", "max")
    assert (tune.executions_per_trial, tune.parallel, tune.seed, tune.timeout) == (3, 2, 0, 3600.0)
    assert (tune.budget.params, tune.budget.flops, tune.budget.memory, tune.budget.hours) == (1e6, 50e6, 2 * 10**9, 2)


def test_a_name_is_an_oracle_and_an_objective():
    tune = load(SPEC.format("{oracle: GridSearch, objective: val_accuracy}")).tune
    assert (tune.oracle.name, tune.objective.name, tune.objective.direction) == ("GridSearch", "val_accuracy", "auto")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("3", "K101", "`tune` is a map"),
        ("{oracel: RandomSearch}", "K101", "`tune` has no key `oracel`"),
        ("{oracle: RandomSerch}", "K102", "RandomSerch"),
        ("{oracle: [RandomSearch]}", "K105", "one name with its arguments"),
        ("{oracle: {RandomSearch: {max_trial: 3}}}", "K103", "max_trial"),
        ("{oracle: {RandomSearch: {max_trials: 0}}}", "K105", "`max_trials`"),
        ("{oracle: {RandomSearch: {objective: loss}}}", "K103", "takes no `objective`"),
        ("{objective: {direction: max}}", "K104", "needs `name`"),
        ("{objective: {name: a, direction: up}}", "K105", "direction"),
        ("{objective: 3}", "K105", "a name or a map"),
        ("{executions_per_trial: 0}", "K105", "executions_per_trial"),
        ("{parallel: 0}", "K105", "parallel"),
        ("{budget: {param: 1}}", "K101", "param"),
        ("{budget: {hours: 0}}", "K105", "hours"),
        ("{budget: 3}", "K105", "`tune.budget` is a map"),
        ("{timeout: soon}", "K105", "no length of time"),
        ("{seed: -1}", "K105", "seed"),
    ],
)
def test_what_is_wrong_is_told(text, code, words):
    with pytest.raises(SpecError) as caught:
        load(SPEC.format(text))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert words in caught.value.problems[0].message
    assert caught.value.problems[0].span is not None
