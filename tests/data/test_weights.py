import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from kbuild.data.weights import balanced


def test_it_is_the_formula_of_scikit_learn():
    labels = np.array([0] * 7 + [1] * 2 + [2] * 11)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert list(balanced(labels, 3).values()) == wanted.tolist()


def test_classes_weigh_the_same_and_absent_ones_nothing():
    labels = np.array([0] * 6 + [2] * 2)
    assert balanced(labels, 3) == {0: 8 / (2 * 6), 1: 0.0, 2: 8 / (2 * 2)}
