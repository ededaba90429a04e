"""What the numbers of an epoch are called before there is one, against what Keras reports of one that was trained."""

import numpy as np
import pytest

from kbuild.plan.check import check
from kbuild.plan.logs import logs, metric_names, objective
from kbuild.spec.call import Call
from kbuild.spec.load import load

ONE = """kbuild: 1
model:
  inputs: {x: {shape: [4]}}
  layers: [{Dense: {units: 3, activation: softmax}, name: kind}]
"""
THREE = """kbuild: 1
model:
  inputs: {x: {shape: [4]}}
  layers:
    - {Dense: {units: 3, activation: softmax}, name: kind}
    - {Dense: 1, name: size, from: x}
    - {Dense: {units: 1, activation: sigmoid}, name: ill, from: x}
  outputs: [kind, size, ill]
"""
TRAIN = [
    (ONE, "loss: sparse_categorical_crossentropy, metrics: []"),
    (ONE, "loss: sparse_categorical_crossentropy, metrics: [accuracy]"),
    (ONE, "loss: SparseCategoricalCrossentropy, metrics: [acc, accuracy, sparse_categorical_accuracy]"),
    (ONE, "loss: sparse_categorical_crossentropy, metrics: [accuracy, accuracy, accuracy]"),
    (
        ONE,
        "loss: sparse_categorical_crossentropy, metrics: [SparseCategoricalAccuracy, SparseCategoricalAccuracy,"
        " {SparseTopKCategoricalAccuracy: 2}, {SparseTopKCategoricalAccuracy: {k: 1, name: top}}]",
    ),
    (THREE, "loss: {kind: sparse_categorical_crossentropy, size: mse, ill: BinaryCrossentropy}, metrics: []"),
    (
        THREE,
        "loss: {kind: sparse_categorical_crossentropy, size: huber, ill: binary_crossentropy},"
        " metrics: {kind: accuracy, size: [mae, RootMeanSquaredError], ill: [accuracy, AUC, {Precision: {name: hits}}]}",
    ),
    (
        THREE,
        "loss: {kind: sparse_categorical_crossentropy, size: mse, ill: null}, metrics: {kind: accuracy, size: mae}",
    ),
    (THREE, "loss: {kind: sparse_categorical_crossentropy, size: null, ill: null}, metrics: {kind: [accuracy]}"),
    (
        THREE,
        "loss: {kind: sparse_categorical_crossentropy, size: mse, ill: mse}, loss_weights: {size: 0.1},"
        " metrics: {kind: [accuracy, acc], size: [mse, MeanSquaredError, MeanSquaredError], ill: [AUC, AUC, auc]}",
    ),
]


def reported(checked, validation):
    """The columns of the history after one batch."""
    from kbuild.model.build import build
    from kbuild.train.compile import compile

    model = build(checked.plan)
    compile(model, checked.spec.train, checked.heads, 1)
    model.run_eagerly = True
    rng = np.random.default_rng(0)
    x = rng.random((6, 4), dtype="float32")
    y = {"kind": np.arange(6) % 3, "size": rng.random(6, dtype="float32"), "ill": np.arange(6) % 2}
    wanted = {name: y[name] for name in checked.plan.outputs}
    given = next(iter(wanted.values())) if len(wanted) == 1 else wanted
    history = model.fit(x, given, verbose=0, validation_data=(x, given) if validation else None)
    return list(history.history)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of an output without a loss
@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize(("model", "train"), TRAIN)
def test_names_are_those_that_keras_reports(model, train, validation):
    checked = check(load(f"{model}train: {{{train}, tensorboard: false}}\n"))
    found = logs(checked.spec, checked.heads)
    assert found.complete
    known = found.names if validation else found.training
    assert sorted(reported(checked, validation)) == sorted(known)


def test_every_metric_of_keras_is_named_as_keras_names_it():
    import inspect

    import keras

    from kbuild.model import objects

    needed = {"PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5}}
    needed |= {"SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5}}
    needed |= {name: {"num_classes": 2} for name in ("MeanIoU", "OneHotMeanIoU")}
    needed |= {name: {"num_classes": 2, "target_class_ids": [0]} for name in ("IoU", "OneHotIoU")}
    calls = [
        Call("metrics", name, needed.get(name, {}))
        for name, one in vars(keras.metrics).items()
        if inspect.isclass(one) and name not in {"Metric", "MeanMetricWrapper"}
    ]
    assert len(calls) > 40
    assert {call.name: name for call in calls for name in metric_names([call])} == {
        call.name: _plain(objects.make(call).name) for call in calls
    }


def _plain(name):
    """Keras counts up the names of objects that are given none."""
    head, _, number = name.rpartition("_")
    return head if number.isdigit() else name


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{source: iris}", True),
        ("{source: iris, split: {validation: 0}}", False),
        ("{source: iris, split: false}", False),
        ("{source: iris, split: {validation: 20, test: 0}}", True),
        ("{source: mnist, split: {validation: 0}}", False),
    ],
)
def test_whether_there_is_validation_data(data, expected):
    checked = check(load(f"kbuild: 1\ndata: {data}\nmodel: [Flatten, {{Dense: 10}}]\ntrain: {{loss: null}}\n"))
    assert logs(checked.spec, checked.heads).validation is expected


def test_a_validation_part_of_the_source(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 4)), y=np.zeros(9))
    part = "x: x, y: y"
    text = f"kbuild: 1\ndata: {{source: {{npz: a.npz, {part}, validation: {{{part}}}}}, split: false}}\nmodel: [{{Dense: 1}}]\n"
    checked = check(load(text, data_roots=[tmp_path]))
    assert logs(checked.spec, checked.heads).validation is True


@pytest.mark.parametrize(
    ("tune", "expected"),
    [
        ("", None),
        ("tune: {objective: val_accuracy}", ("val_accuracy", "tune.objective")),
        ("tune: {objective: {name: mine, direction: max}}", ("mine", "tune.objective.name")),
        ("tune: {parallel: 2}", None),
    ],
)
def test_the_objective(tune, expected):
    assert objective(load(f"{ONE}{tune}\n")) == expected
