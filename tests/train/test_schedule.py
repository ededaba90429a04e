import keras
import numpy as np
import pytest

from kbuild.spec.train import Cosine, CosineRestarts, Exponential, Linear, OneCycle, Piecewise, Step
from kbuild.train.schedule import Scheduled, steps

S, E = 10, 6  # steps in an epoch, epochs
T = S * E


def rates(schedule, base=0.1, s=S, e=E):
    made = Scheduled(schedule, base, s, e)
    return np.array([float(keras.ops.convert_to_numpy(made(step))) for step in range(s * e)])


def oracle(keras_schedule):
    return np.array([float(keras.ops.convert_to_numpy(keras_schedule(step))) for step in range(T)])


def test_lengths():
    assert steps("3 epochs", 10, 6) == 30
    assert steps("25 percent", 10, 6) == 15
    assert steps("7 steps", 10, 6) == 7
    assert steps("0.5 epochs", 10, 6) == 5


def test_step():
    t = np.arange(T)
    np.testing.assert_allclose(rates(Step(every="2 epochs", factor=0.5)), 0.1 * 0.5 ** (t // 20), rtol=1e-6)


def test_exponential_is_keras_decay():
    expected = oracle(keras.optimizers.schedules.ExponentialDecay(0.1, S, 0.9))
    np.testing.assert_allclose(rates(Exponential(every="1 epoch", factor=0.9)), expected, rtol=1e-5)


def test_cosine_is_keras_decay():
    expected = oracle(keras.optimizers.schedules.CosineDecay(0.1, T, alpha=0.01))
    np.testing.assert_allclose(rates(Cosine(to=1e-3)), expected, rtol=1e-5, atol=1e-8)


def test_linear_is_keras_polynomial_decay():
    expected = oracle(keras.optimizers.schedules.PolynomialDecay(0.1, T, 1e-3))
    np.testing.assert_allclose(rates(Linear(to=1e-3)), expected, rtol=1e-5)


@pytest.mark.parametrize(("factor", "decay"), [(2.0, 1.0), (1.0, 0.5), (1.5, 0.8)])
def test_restarts_are_keras_restarts(factor, decay):
    expected = oracle(keras.optimizers.schedules.CosineDecayRestarts(0.1, 8, t_mul=factor, m_mul=decay))
    # Keras's own float32 logarithm misses exact restarts, so these steps are left to the next test
    t = np.arange(T)
    ends = np.cumsum([8 * factor**k for k in range(8)])
    away = np.min(np.abs(t[:, None] - ends[None]), axis=1) > 1e-6
    got = rates(CosineRestarts(period="8 steps", factor=factor, decay=decay))
    np.testing.assert_allclose(got[away], expected[away], rtol=1e-4, atol=1e-6)


def test_a_restart_begins_at_the_top():
    got = rates(CosineRestarts(period="1 epoch", factor=2.0))
    np.testing.assert_allclose(got[[0, 10, 30]], 0.1, rtol=1e-6)
    assert got[9] < 0.01
    assert got[29] < 0.01


def test_piecewise_is_keras_piecewise():
    expected = oracle(keras.optimizers.schedules.PiecewiseConstantDecay([19, 29], [0.3, 0.2, 0.05]))
    np.testing.assert_allclose(rates(Piecewise(at=[2, "50%"], values=[0.3, 0.2, 0.05])), expected, rtol=1e-6)


def test_one_cycle_goes_up_and_down():
    got = rates(OneCycle(warmup="50%", div=10, final_div=100))
    assert got[0] == pytest.approx(0.01)
    assert got[30] == pytest.approx(0.1)
    assert got.argmax() == 30
    assert got[15] == pytest.approx(0.055)
    assert got[59] == pytest.approx(0.001 + (0.1 - 0.001) / 30, rel=1e-4)
    assert rates(OneCycle(peak=0.5)).max() == pytest.approx(0.5)


@pytest.mark.parametrize(
    "schedule",
    [
        Cosine(warmup="2 epochs"),
        Linear(warmup="2 epochs"),
        Exponential(warmup="2 epochs"),
        Step(warmup="2 epochs", every="50 epochs"),
        CosineRestarts(warmup="2 epochs"),
        Piecewise(at=["5 epochs"], values=[0.1, 0.01], warmup="20 steps"),
    ],
    ids=lambda schedule: schedule.kind,
)
def test_warm_up_is_a_line_that_ends_at_the_base_rate(schedule):
    got = rates(schedule)
    np.testing.assert_allclose(got[:20], 0.1 * np.arange(1, 21) / 20, rtol=1e-5)
    assert got[20] == pytest.approx(0.1, rel=1e-5)


def test_cosine_after_warm_up_ends_at_the_end_of_the_run():
    got = rates(Cosine(to=0.0, warmup="25%"))
    t = np.arange(15, T)
    np.testing.assert_allclose(got[15:], 0.05 * (1 + np.cos(np.pi * (t - 15) / 45)), rtol=1e-4, atol=1e-8)


def test_config_makes_the_same_schedule():
    made = Scheduled(Cosine(to=1e-4, warmup="1 epoch"), 0.01, 7, 3)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
    assert isinstance(again, Scheduled)
    assert again.get_config() == made.get_config()
    assert [float(again(t)) for t in range(21)] == [float(made(t)) for t in range(21)]


def test_an_optimizer_follows_it():
    optimizer = keras.optimizers.SGD(Scheduled(Linear(to=0.0), 0.1, 2, 2))
    variable = keras.Variable([1.0])
    optimizer.build([variable])
    seen = []
    for _ in range(4):
        seen.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        optimizer.apply([keras.ops.ones(1)])
    assert seen == pytest.approx([0.1, 0.075, 0.05, 0.025])
