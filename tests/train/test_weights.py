import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from kbuild.text.problem import SpecError
from kbuild.train import weights

Y = np.array([0, 0, 0, 1, 2, 2])


def test_balanced_is_what_scikit_learn_computes():
    got = weights.of_examples("balanced", Y, (), 3, None)
    assert got is not None
    np.testing.assert_allclose(got, compute_sample_weight("balanced", Y), rtol=1e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("y", [Y, Y[:, None], np.eye(3)[Y]], ids=["integers", "column", "one-hot"])
def test_labels_may_have_any_form(y):
    got = weights.of_examples({"b": 2.0, "c": 0.5}, y, ("a", "b", "c"), 3, None)
    np.testing.assert_array_equal(got, [1, 1, 1, 2, 0.5, 0.5])


def test_weights_of_examples_multiply():
    got = weights.of_examples({"0": 3}, Y, (), 3, np.arange(6.0))
    np.testing.assert_array_equal(got, [0, 3, 6, 3, 4, 5])


def test_nothing_to_weigh_is_none():
    assert weights.of_examples(None, Y, (), 3, None) is None


def test_an_unknown_class_is_told():
    with pytest.raises(SpecError) as caught:
        weights.of_examples({"cat": 1, "dgo": 2}, Y, ("cat", "dog", "eel"), 3, None)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("K165", "`dgo` is no class of the data")
    assert problem.help == "the classes are `cat`, `dog`, `eel`"


def test_one_hot():
    np.testing.assert_array_equal(weights.one_hot(np.array([[1], [0]]), 2), [[0, 1], [1, 0]])
    soft = np.array([[0.5, 0.5]])
    np.testing.assert_array_equal(weights.one_hot(soft, 2), soft)
