"""Ranges by the names of arguments: what an optimizer may be told."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError


def messages(optimizer, layer="{Dense: 3}"):
    text = f"kbuild: 1\nmodel: {{inputs: {{x: {{shape: [4]}}}}, layers: [{layer}]}}\ntrain: {{loss: mse, optimizer: {optimizer}}}\n"
    try:
        check(load(text))
    except SpecError as error:
        return [problem.message for problem in error.problems if problem.code == "K105"]
    return []


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("{Adam: {beta_1: 2}}", "`beta_1` of `Adam` must be below 1, not 2"),
        ("{AdamW: {beta_2: 1.0}}", "`beta_2` of `AdamW` must be below 1, not 1"),
        ("{Lion: {beta_1: -0.1}}", "`beta_1` of `Lion` must be at least 0, not -0.1"),
        ("{SGD: {momentum: 1}}", "`momentum` of `SGD` must be below 1, not 1"),
        ("{RMSprop: {rho: 1.5}}", "`rho` of `RMSprop` must be below 1, not 1.5"),
        ("{Muon: {adam_beta_2: 3}}", "`adam_beta_2` of `Muon` must be below 1, not 3"),
        ("{AdamW: {weight_decay: -1.0}}", "`weight_decay` of `AdamW` must be at least 0, not -1"),
    ],
)
def test_an_optimizer_forgets(optimizer, message):
    assert messages(optimizer) == [message]


@pytest.mark.parametrize(
    "optimizer",
    [
        "{Adam: {beta_1: 0.0, beta_2: 0.9999}}",
        "{SGD: {momentum: 0.99}}",
        "{RMSprop: {rho: 0}}",
        "{Adafactor: {beta_2_decay: -0.8}}",
    ],
)
def test_what_is_published_passes(optimizer):
    assert messages(optimizer) == []


def test_the_statistics_of_a_normalization_may_stay():
    assert messages("Adam", "{BatchNormalization: {momentum: 1.0}}, {Dense: 3}") == []
    assert messages("Adam", "{BatchNormalization: {momentum: -1.0}}, {Dense: 3}") != []
