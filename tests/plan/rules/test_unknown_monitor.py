"""K330: every name that is monitored is one that an epoch will yield (R34)."""

import pytest

IRIS = """
data: {source: iris}
model: [{Dense: {units: 3, activation: softmax}}]
"""
TWO = """
model:
  inputs: {x: {shape: [4]}}
  layers: [{Dense: {units: 3, activation: softmax}, name: kind}, {Dense: 1, name: size, from: x}]
  outputs: [kind, size]
"""


def said(name):
    return [("error", f"nothing is called `{name}` to monitor")]


@pytest.mark.parametrize("monitor", ["loss", "val_loss", "accuracy", "val_accuracy"])
def test_what_there_will_be_passes_wherever_it_is_named(tell, monitor):
    train = (
        "train: {early_stopping: {monitor: NAME}, epochs: 30, schedule: {plateau: {monitor: NAME}},"
        " callbacks: [{EarlyStopping: {monitor: NAME}}]}\ntune: {objective: NAME}"
    )
    assert tell("K330", IRIS + train.replace("NAME", monitor)) == []


@pytest.mark.parametrize(
    "train",
    [
        "train: {early_stopping: {monitor: acc}}",
        "train: {schedule: {plateau: {monitor: acc}}}",
        "train: {callbacks: [{EarlyStopping: {monitor: acc}}]}",
        "tune: {objective: acc}",
        "tune: {objective: {name: acc, direction: max}}",
    ],
)
def test_every_place_is_looked_at(tell, train):
    assert tell("K330", IRIS + train) == said("acc")


def test_the_default_of_a_callback_counts(tell):
    data = IRIS.replace("iris}", "iris, split: {validation: 0}}")
    assert tell("K330", data + "train: {callbacks: [ReduceLROnPlateau]}") == said("val_loss")
    assert tell("K330", data + "train: {callbacks: [TerminateOnNaN], early_stopping: {monitor: loss}}") == []


def test_metrics_by_their_names(tell):
    metrics = (
        "train: {metrics: [{SparseTopKCategoricalAccuracy: {k: 2, name: top2}}, acc], early_stopping: {monitor: NAME}}"
    )
    for name in ("val_top2", "val_acc", "top2"):
        assert tell("K330", IRIS + metrics.replace("NAME", name)) == []
    assert tell("K330", IRIS + metrics.replace("NAME", "val_accuracy")) == said("val_accuracy")


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("kind_loss", True),
        ("val_kind_accuracy", True),
        ("size_mae", True),
        ("loss", True),
        ("accuracy", False),
        ("size_accuracy", False),
        ("val_mae", False),
    ],
)
def test_of_several_outputs(tell, name, there):
    train = (
        "train: {loss: {kind: sparse_categorical_crossentropy, size: mse},"
        f" metrics: {{kind: accuracy, size: mae}}, early_stopping: {{monitor: {name}}}}}"
    )
    assert tell("K330", TWO + train) == ([] if there else said(name))


def test_one_loss_of_two_has_no_number_of_its_own(tell):
    train = "train: {loss: {kind: sparse_categorical_crossentropy, size: null}, early_stopping: {monitor: kind_loss}}"
    assert tell("K330", TWO + train + "\n") == []
    assert tell("K330", TWO + train.replace("null}", "null}, metrics: {kind: []}")) == said("kind_loss")


def test_what_is_not_known_is_not_denied(tell):
    # without data and without a loss the metrics are decided later
    open_ = "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 3}]}\n"
    assert tell("K330", open_ + "train: {early_stopping: {monitor: val_accuracy}}") == []
    assert tell("K330", open_ + "train: {loss: mse, early_stopping: {monitor: val_mae}}") == []
    assert tell("K330", open_ + "train: {loss: mse, metrics: [mae], early_stopping: {monitor: val_mse}}") == said(
        "val_mse"
    )


def test_a_hole_among_the_metrics_leaves_the_objective_open(tell):
    hole = "train: {metrics: [{$choice: [accuracy, acc]}]}\ntune: {objective: val_acc}"
    assert tell("K330", IRIS + hole) == []


def test_metrics_of_ones_own_may_have_any_name(tmp_path):
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    (tmp_path / "own.py").write_text("import keras\n\nclass Mine(keras.metrics.Mean):\n    pass\n")
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"kbuild: 1\nuse: [own.py]\n{IRIS}train: {{metrics: [Mine], early_stopping: {{monitor: val_whatever}}}}\n"
    )
    assert [p.code for p in check(load(path, trust=True)).problems if p.severity == "error"] == []
