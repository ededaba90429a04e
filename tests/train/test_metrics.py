import numpy as np
import pytest

from kbuild.train import metrics


def test_softmax_and_sigmoid_of_logits():
    logits = np.array([[1000.0, 0.0], [0.0, np.log(3.0)]])
    np.testing.assert_allclose(metrics.probabilities(logits, True), [[1, 0], [0.25, 0.75]], atol=1e-12)
    np.testing.assert_allclose(metrics.probabilities(np.array([[np.log(3.0)], [-1000.0]]), True), [[0.75], [0.0]])
    np.testing.assert_array_equal(metrics.probabilities(np.array([[0.2, 0.8]]), False), [[0.2, 0.8]])


def test_choice_and_confidence():
    one = np.array([[0.9], [0.2]])
    assert metrics.chosen(one).tolist() == [1, 0]
    np.testing.assert_allclose(metrics.confidence(one), [0.9, 0.8])
    assert metrics.chosen(np.array([[0.1, 0.6, 0.3]])).tolist() == [1]


def test_confusion_has_true_classes_in_rows():
    true, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert metrics.confusion(true, predicted, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_report_of_classes():
    true, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    rows = metrics.per_class(true, predicted, ["a", "b", "c"])
    assert rows["a"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert rows["b"]["precision"] == pytest.approx(2 / 3)
    assert rows["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert rows["macro"]["recall"] == pytest.approx(0.5)


def test_errors_of_numbers():
    found = metrics.compared(np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [5.0]])).numbers
    assert found == {"mae": pytest.approx(2 / 3), "rmse": pytest.approx(np.sqrt(4 / 3)), "r2": pytest.approx(1 - 4 / 2)}
    assert np.isnan(metrics.compared(np.ones(3), np.ones(3)).numbers["r2"])


def test_worst_first():
    assert metrics.worst(np.array([0.1, 0.9, 0.5, 0.9]), 3).tolist() == [1, 3, 2]
