"""rates: what a range test's losses say. The curves are drawn by hand, so that their answers are known."""

import math

import numpy as np
import pytest

from kbuild.train.rates import diverged, memory, noise, smoothed, suggest, sweep

RATES = sweep(1e-7, 10.0, 201)


def bowl(lowest: float, high: float = 2.3, low: float = 0.3) -> np.ndarray:
    """A loss that is flat, falls over the two decades before `lowest`, and rises steeply behind it."""
    decades = np.log10(RATES / lowest)
    return np.where(decades < 0, low + (high - low) * np.clip(-decades / 2, 0, 1), low + 5 * decades)


def test_rates_grow_by_one_factor_and_keep_their_ends():
    assert RATES[0] == 1e-7
    assert RATES[-1] == pytest.approx(10.0, rel=1e-12)
    np.testing.assert_allclose(RATES[1:] / RATES[:-1], 10 ** (8 / 200), rtol=1e-9)


def test_the_average_is_the_weighted_mean_of_all_that_was():
    losses = [3.0, 1.0, 4.0, 1.0, 5.0]
    weights = 0.9 ** np.arange(5)[::-1]
    assert smoothed(losses, 0.9)[-1] == pytest.approx(np.average(losses, weights=weights))
    assert smoothed(losses, 0.9)[0] == 3.0
    np.testing.assert_array_equal(smoothed(losses, 0.0), losses)


def test_the_average_reaches_over_the_same_part_of_few_and_many_steps():
    assert memory(300) == pytest.approx(0.9)
    assert memory(90) == memory(20) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("last", "lowest", "over"), [
    (2.0, 0.5, False), (2.01, 0.5, True), (math.nan, 0.5, True), (math.inf, 0.5, True),
    (5.0, -1.0, False), (5.0, 0.0, False), (0.3, math.inf, False),
])  # fmt: skip
def test_a_loss_diverges_above_four_times_its_minimum(last, lowest, over):
    assert diverged(last, lowest) is over


@pytest.mark.parametrize("lowest", [1e-4, 3e-2, 0.5])
def test_the_suggestion_is_a_tenth_of_the_rate_at_the_minimum(lowest):
    found = suggest(RATES, bowl(lowest))
    assert found.rate == pytest.approx(lowest / 10, rel=0.1)
    assert found.lowest == pytest.approx(lowest, rel=0.1)
    assert lowest / 100 < found.steepest < lowest
    assert found.rate == float(f"{found.rate:.1e}")


def test_what_is_no_number_at_the_end_is_left_out():
    curve = bowl(1e-2)
    curve[-30:] = math.nan
    assert suggest(RATES, curve).rate == pytest.approx(1e-3, rel=0.1)


def test_a_loss_that_ends_as_no_number_while_it_falls_has_a_minimum():
    curve = bowl(1.0)[:180].copy()
    at = int(curve.argmin())
    curve = np.append(curve[:at], math.nan)
    assert suggest(RATES[: at + 1], curve).rate == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize(("curve", "why"), [
    (np.full(201, 2.3), "the loss hardly falls at any rate"),
    (np.linspace(2.3, 5.0, 201), "the loss hardly falls at any rate"),
    (np.linspace(2.3, 0.5, 201), "the loss still falls at the highest rate"),
    (np.full(201, math.nan), "the loss was a number for too few steps"),
])  # fmt: skip
def test_a_curve_that_does_not_tell(curve, why):
    found = suggest(RATES, curve)
    assert (found.rate, found.why) == (None, why)


def test_the_noise_of_the_first_steps_is_not_the_steepest_fall():
    curve = bowl(1e-2)
    curve[:3] += [40.0, 20.0, 10.0]
    assert suggest(RATES, curve).steepest > 1e-4


def test_a_loss_below_zero_can_fall():
    found = suggest(RATES, bowl(1e-2) - 3.0)
    assert found.rate == pytest.approx(1e-3, rel=0.1)


def test_the_noise_of_an_average_is_measured():
    """Against what averages of real draws do, a thousand of them."""
    draws = np.random.default_rng(0).normal(2.0, 0.3, 5000)
    strays = smoothed(draws.tolist(), 0.8)[100:].std()
    assert noise(draws.tolist(), 0.8) == pytest.approx(strays, rel=0.1)
    assert noise(draws.tolist(), 0.0) == pytest.approx(0.3, rel=0.1)
    assert noise([1.0], 0.8) == 0.0


def test_what_chance_makes_of_a_flat_loss_is_no_fall():
    for seed in range(50):
        losses = np.random.default_rng(seed).normal(2.0, 0.5, 60).tolist()
        beta = memory(60)
        assert suggest(RATES[:60], smoothed(losses, beta), noise(losses, beta)).rate is None
