"""K340: what the rule says of a metric is what Keras does with it on a batch."""

import inspect

import numpy as np
import pytest

KINDS = {
    "int": ("{source: {npz: a.npz, x: x, y: int}}", "{units: 5, activation: softmax}"),
    "one": ("{source: {npz: a.npz, x: x, y: two}}", "{units: 1, activation: sigmoid}"),
    "two": ("{source: {npz: a.npz, x: x, y: two}}", "{units: 2, activation: softmax}"),
    "vector": ("{source: {npz: a.npz, x: x, y: vector}}", "{units: 5, activation: softmax}"),
    "many": ("{source: {npz: a.npz, x: x, y: many}}", "{units: 5, activation: sigmoid}"),
}
ARGUMENTS = {
    "PrecisionAtRecall": "{recall: 0.5}",
    "RecallAtPrecision": "{precision: 0.5}",
    "SensitivityAtSpecificity": "{specificity: 0.5}",
    "SpecificityAtSensitivity": "{sensitivity: 0.5}",
    "MeanIoU": "{num_classes: 5}",
    "OneHotMeanIoU": "{num_classes: 5}",
    "IoU": "{num_classes: 5, target_class_ids: [0]}",
    "OneHotIoU": "{num_classes: 5, target_class_ids: [0]}",
}
MEANINGLESS = {"CategoricalAccuracy", "F1Score", "FBetaScore"}
"""Keras takes integers for the first, and compares all with class 0; the others give a number for each class."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics")
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 5
    many = rng.integers(0, 2, (40, 5))
    many[0] = 1
    np.savez(
        path / "a.npz", x=rng.random((40, 4), dtype="float32"), int=labels, two=labels % 2, vector=np.eye(5)[labels],
        many=many,
    )  # fmt: skip
    return path


def problems(kind, metric, folder):
    from kbuild.data.load import load as read
    from kbuild.plan.check import check
    from kbuild.spec.load import load
    from kbuild.text.problem import SpecError

    data, units = KINDS[kind]
    text = f"kbuild: 1\ndata: {data}\nmodel: [{{Dense: {units}}}]\ntrain: {{metrics: [{metric}]}}\n"
    spec = load(text, data_roots=[folder])
    dataset = read(spec.data, 0)
    try:
        found = check(spec, dataset.header)
        return [p for p in found.problems if p.code == "K340"], spec, found, dataset
    except SpecError as error:
        assert {p.code for p in error.problems if p.severity == "error"} == {"K340"}
        return [p for p in error.problems if p.code == "K340"], spec, None, dataset


def fails(kind, metric, folder):
    """Whether Keras fails to update a metric, with labels and predictions of the shapes that kbuild would give it."""
    from keras import ops
    from keras.src.trainers.compile_utils import CompileMetrics

    from kbuild.model import objects

    arrays = np.load(folder / "a.npz")
    y = arrays[{"one": "two"}.get(kind, kind)][:12]
    units = 1 if kind == "one" else 2 if kind == "two" else 5
    predicted = np.random.default_rng(1).random((12, units), dtype="float32")
    if kind not in ("one", "many"):
        predicted /= predicted.sum(axis=1, keepdims=True)
    metrics = CompileMetrics([objects.make(metric)], None)
    try:
        labels = ops.convert_to_tensor(y.astype("int32" if y.ndim == 1 else "float32"))
        metrics.update_state(labels, ops.convert_to_tensor(predicted))
        metrics.result()
    except Exception:
        return True
    return False


def classes():
    import keras

    found = [name for name, one in vars(keras.metrics).items() if inspect.isclass(one)]
    return sorted(set(found) - {"Metric", "Mean", "Sum", "MeanMetricWrapper"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_of_keras(kind, folder):
    from kbuild.spec.load import load

    wrong = []
    for name in classes():
        written = f"{{{name}: {ARGUMENTS[name]}}}" if name in ARGUMENTS else name
        said, *_ = problems(kind, written, folder)
        spec = load(
            f"kbuild: 1\nmodel: {{inputs: {{x: {{shape: [4]}}}}, layers: [{{Dense: 1}}]}}\ntrain: {{metrics: [{written}]}}\n"
        )
        failed = fails(kind, spec.train.metrics[0], folder)
        error = any(problem.severity == "error" for problem in said)
        if error != failed and not (error and name in MEANINGLESS):
            wrong.append((name, "said" if error else "not said", "fails" if failed else "works"))
    assert wrong == []


@pytest.mark.parametrize("metric", ["accuracy", "acc", "mae", "auc"])
@pytest.mark.parametrize("kind", ["one", "vector"])
def test_words_that_fit(kind, metric, folder):
    assert problems(kind, metric, folder)[0] == []


def test_accuracy_of_probabilities_is_not_what_it_is_called(folder):
    assert [(p.severity, p.message) for p in problems("one", "Accuracy", folder)[0]] == [
        ("warning", "`Accuracy` asks whether label and prediction are equal, and a probability never is")
    ]


@pytest.mark.parametrize("metric", ["accuracy", "AUC", "Precision"])
def test_metrics_of_classes_for_a_number(tell, metric):
    found = tell("K340", f"data: {{source: diabetes}}\nmodel: [{{Dense: 1}}]\ntrain: {{metrics: [{metric}]}}")
    assert [severity for severity, _ in found] == ["warning"]


def test_mixed_labels_are_vectors(tell):
    text = """
        data: {source: digits, augment: [{MixUp: {alpha: 0.2}}]}
        model: [Flatten, {Dense: {units: 10, activation: softmax}}]
        train: {loss: categorical_crossentropy, metrics: [NAME]}
    """
    assert tell("K340", text.replace("NAME", "TopKCategoricalAccuracy")) == []
    assert tell("K340", text.replace("NAME", "SparseTopKCategoricalAccuracy"))[0][0] == "error"
