"""What a training step holds, in bytes; the optimizers' slots are held against Keras in tests/model/optimizers."""

import pytest

from kbuild.plan.cost.cost import Cost
from kbuild.plan.memory import Memory, memory
from kbuild.spec.load import load

COST = Cost(trainable=100, frozen=10, flops=0, kept=1000)


def train(text: str):
    return load(f"kbuild: 1\nmodel: [{{Dense: 10}}]\ntrain:\n  {text}\n", trust=True).train


def test_single_precision():
    assert memory(COST, train("optimizer: adam"), 8) == Memory(440, 400, 800, 32_000)
    assert memory(COST, train("optimizer: SGD"), 1) == Memory(440, 400, 0, 4_000)
    assert memory(COST, train("optimizer: adam"), 8).total == 33_640


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_adds_a_half_copy_and_halves_the_activations(precision: str):
    assert memory(COST, train(f"precision: {precision}"), 8) == Memory(660, 400, 800, 16_000)


def test_what_is_not_known_is_none_and_counts_nothing_in_at_least():
    found = memory(Cost(100, None, 0, None), train("optimizer: adam"))
    assert found == Memory(None, 400, 800, None)
    assert (found.total, found.at_least) == (None, 1200)


def test_slots_are_asked_for_by_arguments():
    text = "optimizer: {RMSprop: {learning_rate: 1e-3, momentum: 0.9, centered: true, use_ema: true}}"
    assert memory(COST, train(text)).optimizer == 4 * 400
    assert memory(COST, train("optimizer: {Lookahead: {optimizer: {SGD: 0.1}}}")).optimizer == 400
