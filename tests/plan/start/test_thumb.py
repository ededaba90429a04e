"""Rules of thumb: what each says, over many sizes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.plan.start import thumb

SETTINGS = settings(derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize(
    ("entering", "leaving", "examples", "widths"),
    [
        (30, 1, 569, [21]),  # ⅔ · 30 + 1
        (13, 3, 178, [12]),  # ⅔ · 13 + 3 = 11.67
        (4, 3, 150, [4]),  # 5.67, and no more than the inputs
        (784, 10, 60000, [533, 73]),  # 532.67, then √(533 · 10)
        (1, 1, 300, [1]),
        (2, 4, 300, [4]),  # twice the inputs is no bound where it is below the outputs
    ],
)
def test_hidden_widths(entering, leaving, examples, widths):
    assert thumb.hidden(entering, leaving, examples) == widths


@SETTINGS
@given(st.integers(1, 2000), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 10**6)))
def test_hidden_widths_are_between_the_ends_and_taper(entering, leaving, examples):
    widths = thumb.hidden(entering, leaving, examples)
    assert widths == sorted(widths, reverse=True)
    assert all(min(entering, leaving) <= width <= max(entering, leaving) for width in widths)
    if leaving < 2 * entering:
        assert widths[0] < 2 * entering


@SETTINGS
@given(st.lists(st.integers(1, 600), min_size=1, max_size=3))
def test_stages_halve_until_the_smaller_side_is_4_to_7(sides):
    sizes = thumb.stages(sides)
    assert sizes[0] == sides
    assert all(after == [(side + 1) // 2 for side in before] for before, after in itertools.pairwise(sizes))
    assert min(sizes[-1]) <= 7
    assert len(sizes) == 1 or min(sizes[-1]) >= 4


def test_of_an_unknown_size_three_stages_are_a_start():
    assert len(thumb.stages([None, 3])) == 4


def test_filters_double_within_reason():
    assert thumb.filters(6) == [32, 64, 128, 256, 512, 512]


@pytest.mark.parametrize(
    ("widths", "rates"), [([64, 32], [0.0, 0.2]), ([21], [0.2]), ([20, 4], [0.0, 0.1]), ([4], [0.0])]
)
def test_dropout_stands_after_the_last_normalization(widths, rates):
    assert thumb.dropout(widths) == rates


@SETTINGS
@given(st.integers(1, 10**7))
def test_batches_epochs_and_parts_fit_the_data(examples):
    size = thumb.batch(examples)
    assert 1 <= size <= max(1, examples // 4)
    assert thumb.batch(examples + 1) >= size
    assert 15 <= thumb.epochs(examples, size) <= 200
    assert thumb.patience(thumb.epochs(examples, size)) < thumb.epochs(examples, size)
    assert 0 < 2 * thumb.kept(examples) < 0.5
