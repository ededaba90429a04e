import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kbuild.data.order import deal, permutation, sample

seeds = st.integers(0, 2**32 - 1)


@given(st.integers(0, 500), seeds, st.integers(0, 1000))
def test_each_example_comes_once(count, seed, epoch):
    assert sorted(permutation(count, seed, epoch).tolist()) == list(range(count))


@given(seeds, st.integers(0, 1000))
def test_it_depends_on_nothing_but_its_arguments(seed, epoch):
    first = permutation(50, seed, epoch)
    np.random.seed(epoch)
    assert (permutation(50, seed, epoch) == first).all()


@given(seeds, st.integers(0, 1000), st.integers(1, 50))
def test_epochs_seeds_and_the_split_have_orders_of_their_own(seed, epoch, more):
    order = permutation(50, seed, epoch)
    assert (permutation(50, seed, epoch + more) != order).any()
    assert (permutation(50, (seed + more) % 2**32, epoch) != order).any()
    assert (deal(50, seed) != order).any()


def test_the_order_is_the_same_in_every_release():
    assert permutation(8, 0, 0).tolist() == [2, 4, 7, 5, 0, 6, 3, 1]
    assert permutation(8, 0, 1).tolist() == [3, 1, 7, 4, 5, 0, 2, 6]
    assert deal(8, 0).tolist() == [7, 3, 6, 0, 1, 4, 5, 2]


def test_every_place_gets_every_example():
    orders = np.array([permutation(5, 3, epoch) for epoch in range(2000)])
    shares = np.array([np.bincount(orders[:, place], minlength=5) for place in range(5)]) / 2000
    assert np.abs(shares - 0.2).max() < 0.05


@given(st.integers(0, 500), seeds)
def test_a_sample_has_as_many_examples_and_depends_on_nothing_else(count, seed):
    found = sample(count, seed)
    assert found.shape == (count,)
    assert set(found.tolist()) <= set(range(count))
    np.random.seed(count)
    assert (sample(count, seed) == found).all()


def test_a_sample_draws_every_example_as_often_and_63_percent_of_them():
    drawn = np.array([np.bincount(sample(50, seed), minlength=50) for seed in range(2000)])
    assert np.abs(drawn.mean(axis=0) - 1).max() < 0.12
    assert abs((drawn > 0).mean() - (1 - (1 - 1 / 50) ** 50)) < 0.003
    # each draw is independent: the variance is that of the binomial distribution
    assert abs(drawn.var() - 50 * (1 / 50) * (1 - 1 / 50)) < 0.02


def test_a_sample_is_the_same_in_every_release():
    assert sample(8, 0).tolist() == [0, 0, 1, 1, 3, 3, 4, 6]
    assert (sample(8, 1) != sample(8, 0)).any()
