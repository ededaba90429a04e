"""What is too large: the budget of the spec, the memory of the machine."""

import pytest

from kbuild.plan import budget
from kbuild.plan.budget import machine_memory, over
from kbuild.plan.cost.cost import Cost, Costs
from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import Problem

GB = 10**9


def found(train: str, costs: list[Cost], data: str = "") -> list[Problem]:
    """Problems of a chain with one step for each cost: `s0`, `s1`, …"""
    layers = ", ".join(f"{{Dense: 2, name: s{i}}}" for i in range(len(costs)))
    spec = load(f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [4]}}}}\n  layers: [{layers}]\ntrain:\n  {train}\n{data}")
    plan = expand(spec)
    named = {step.name: cost for step, cost in zip(plan.steps, costs, strict=True)}
    return list(over(spec, plan, Costs(named, Cost())))


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    monkeypatch.setattr(budget, "machine_memory", lambda: 16 * GB)


def test_parameters_are_told_exactly():
    costs = [Cost(trainable=25, frozen=5, flops=0, kept=0), Cost(trainable=70, frozen=0, flops=0, kept=0)]
    assert found("budget: {params: 100}", costs) == []
    problem = found("budget: {params: 99}", costs)[0]
    assert (problem.code, problem.message, problem.help) == (
        "K240", "the network has 100 parameters, and `train.budget` allows 99", "`s1` holds most: 70% of them",
    )  # fmt: skip
    assert problem.path == "train.budget.params"
    assert problem.span.line == 6


def test_operations_have_as_many_digits_as_it_takes():
    costs = [Cost(flops=5_000_000_001), Cost(flops=0)]
    assert found("budget: {flops: 5e9}", [Cost(flops=5 * GB)]) == []
    assert [p.message for p in found("budget: {flops: 5e9}", costs)] == [
        "a forward pass takes 5.000000001 GFLOPs for each example, and `train.budget` allows 5 GFLOPs"
    ]
    assert [p.message for p in found("budget: {flops: 9.999e8}", costs)] == [
        "a forward pass takes 5 GFLOPs for each example, and `train.budget` allows 1 GFLOPs"
    ]


def test_memory_of_a_step_counts_slots_and_the_batch():
    data = "data: {source: iris, batch_size: 100}\n"
    costs = [Cost(trainable=10**8, kept=10**6), Cost(frozen=10**8)]
    # weights 0.8, gradients 0.4, Adam 0.8, activations 0.4 GB
    assert found("budget: {memory: 2.4 GB}", costs, data) == []
    (problem,) = found("budget: {memory: 2.3 GB}", costs, data)
    assert (problem.code, problem.message) == (
        "K240",
        "a training step with a batch of 100 holds about 2.4 GB, and `train.budget` allows 2.3 GB",
    )
    assert problem.help == "`s0` holds most: 83% of it; `batch_size: 64` would fit"
    assert found("{budget: {memory: 2.3 GB}, optimizer: SGD}", costs, data) == []


def test_unknown_costs_count_nothing():
    assert found("budget: {params: 1}", [Cost(None, None, None, None), Cost(trainable=1)]) == []
    assert [p.code for p in found("budget: {params: 1}", [Cost(None, 1), Cost(trainable=1)])] == ["K240"]


def test_a_network_that_no_batch_size_makes_fit_is_an_error_at_its_heaviest_step():
    costs = [Cost(trainable=10), Cost(trainable=10**9 - 20), Cost(trainable=10)]
    assert found("epochs: 1", costs) == []
    costs[1] = Cost(trainable=10**9 + 11)
    (problem,) = found("epochs: 1", costs)
    assert (problem.code, problem.severity, problem.path) == ("K241", "error", "model.layers.s1")
    assert problem.message == (
        "this network cannot be trained here: a step needs about 16.0000005 GB, and this machine has 16 GB"
    )
    assert problem.help == "`s1` holds 99% of it; `train.budget: {memory: …}` says how much memory there is"
    assert [p.code for p in found("epochs: 1", [Cost(kept=4 * GB + 1)])] == ["K241"]


def test_a_batch_that_does_not_fit_is_a_warning_with_one_that_would():
    costs = [Cost(trainable=10**8, kept=10**7)]
    data = "data: {source: iris, batch_size: 512}\n"
    (problem,) = found("epochs: 1", costs, data)
    assert (problem.code, problem.severity, problem.path) == ("K242", "warning", "data.batch_size")
    assert problem.message == "a training step with a batch of 512 needs about 22.1 GB, and this machine has 16 GB"
    assert problem.help == "`batch_size: 256` would fit; `train.budget: {memory: …}` says how much memory there is"
    assert found("epochs: 1", costs, data.replace("512", "256")) == []


def test_a_budget_of_memory_says_how_much_there_is():
    costs = [Cost(trainable=10**10)]
    assert [p.code for p in found("epochs: 1", costs)] == ["K241"]
    assert [p.code for p in found("budget: {params: 1e11}", costs)] == ["K241"]
    assert found("budget: {memory: 1 TB}", costs) == []


def test_numbers_beyond_a_float_are_told():
    assert [p.code for p in found("budget: {params: 1, flops: 1}", [Cost(10**400, 0, 10**400, 10**400)])] == [
        "K240", "K240", "K241",
    ]  # fmt: skip


def test_the_machine_says_how_much_memory_it_has(monkeypatch):
    assert 2**28 < machine_memory() < 2**50
    monkeypatch.delattr("os.sysconf")
    assert machine_memory() == 64 * 2**30
