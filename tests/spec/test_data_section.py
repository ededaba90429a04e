"""The `data` section: what can stand beside what."""

import pytest

from kbuild.spec.load import load
from kbuild.text.problem import SpecError

SPEC = "kbuild: 1\ndata: {{source: iris, split: {split}}}\nmodel: [{{Dense: 3}}]\n"


def split(text: str, **overrides):
    spec = load(SPEC.format(split=text), overrides=overrides)
    assert spec.data is not None
    return spec.data.split


def test_folds_and_a_seed_of_the_split():
    found = split("{folds: 5, fold: 2, seed: 3, test: 0.2}")
    assert (found.folds, found.fold, found.seed, found.test) == (5, 2, 3, 0.2)
    assert (split("{test: 0.2}").folds, split("{test: 0.2}").seed) == (None, None)


def test_folds_are_laid_over_a_validation_part_by_null():
    found = split("{validation: 0.3, test: 0.2}", **{"data.split.folds": 5, "data.split.validation": None})
    assert (found.folds, found.test) == (5, 0.2)
    assert split("{validation: null}").validation == 0.1


def test_a_test_part_may_be_large_where_folds_take_the_place_of_validation():
    assert split("{folds: 2, test: 0.95}").test == 0.95


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{folds: 5, validation: 0.1}", "K105", "`data.split` has both `folds` and `validation`"),
        ("{folds: 5, fold: 6}", "K105", "`data.split.fold` must be at most 5, not `6`"),
        ("{folds: 5, fold: 0}", "K105", "`data.split.fold`: must be at least 1, not `0`"),
        ("{folds: 1}", "K105", "`data.split.folds`: must be at least 2, not `1`"),
        ("{folds: true}", "K105", "`data.split.folds`: must be an integer, not `true`"),
        ("{fold: 1}", "K104", "`data.split.fold` needs `folds`"),
        ("{seed: -1}", "K105", "`data.split.seed`: must be at least 0, not `-1`"),
        ("{fodls: 5}", "K101", "`data.split` has no key `fodls`"),
    ],
)
def test_what_cannot_be(text, code, message):
    with pytest.raises(SpecError) as error:
        split(text)
    assert [(problem.code, problem.message) for problem in error.value.problems] == [(code, message)]
