"""Data that nobody thought of, through the whole of `fit`: what is refused, where, and what is computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from kbuild.model.objects import sentence
from kbuild.spec.load import load
from kbuild.text.problem import SpecError
from kbuild.train.fit import fit
from kbuild.train.predict import predict
from kbuild.train.progress import Reporter

SIZE = 48
TWO = """
kbuild: 1
data:
  source: {npz: a.npz, x: {image: xi, meta: xm}, y: {digit: yd, box: yb}}
  batch_size: 16
model:
  inputs: {image: {shape: [4, 4, 1]}, meta: {shape: [3]}}
  layers:
    - {Flatten: , from: image, name: flat}
    - {Concatenate: , from: [flat, meta], name: both}
    - {Dense: {units: 3, activation: softmax}, name: digit, from: both}
    - {Dense: 2, name: box, from: both}
  outputs: [digit, box]
train: {optimizer: adam, epochs: 1, tensorboard: false}
"""
ONE = """
kbuild: 1
data:
  source: {npz: a.npz, x: xm, y: yd}
  batch_size: 16
model: [{Dense: {units: 3, activation: softmax}}]
train: {optimizer: adam, epochs: 1, tensorboard: false}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "a.npz",
        xi=random.random((SIZE, 4, 4, 1), "float32"),
        xm=random.random((SIZE, 3), "float32"),
        yd=np.arange(SIZE) % 3,
        yb=random.random((SIZE, 2), "float32"),
        labels=random.integers(0, 2, (SIZE, 3)).astype("float32"),
    )
    return tmp_path


def train(home, text, **overrides):
    file = home / "spec.yaml"
    file.write_text(text)
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return fit(load(file, dotted), out=home / "run", report=Reporter())


def refused(home, text, **overrides):
    with pytest.raises(SpecError) as caught:
        train(home, text, **overrides)
    assert not (home / "run").exists()
    (problem,) = caught.value.problems
    return problem


def test_metrics_of_an_output_stay_when_another_has_no_loss(home):
    run = train(home, TWO, train__loss={"digit": "sparse_categorical_crossentropy", "box": None},
                train__metrics={"digit": ["accuracy"]})  # fmt: skip
    assert {"digit_accuracy", "val_digit_accuracy", "loss"} <= set(run.history)


def test_an_array_that_is_not_there_is_shown_in_the_spec(home):
    problem = refused(home, TWO.replace("box: yb", "box: yc"))
    assert (problem.code, problem.message) == ("K410", "`a.npz` has no array `yc`")
    assert problem.span.line == 4


def test_an_input_for_which_the_data_have_nothing(home):
    problem = refused(home, TWO.replace("meta: xm", "metas: xm"))
    assert (problem.code, problem.message) == ("K217", "the data have nothing for the input `meta`")
    assert problem.help == "did you mean `metas`?"
    assert problem.span.line == 7


def test_class_weights_where_nothing_tells_classes(home):
    problem = refused(home, ONE.replace("y: yd", "y: yb").replace("{units: 3, activation: softmax}", "2"),
                      train__class_weight="balanced")  # fmt: skip
    assert problem.message == "`class_weight` needs an output that tells classes, and the task is regression"
    assert problem.span is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace("y: yd", "y: yb"), "the output `output` is [3] and its target is [2]"),
        (ONE.replace("y: yd}", "y: yd}\n  target: input").replace("units: 3", "units: 5"),
         "the output `output` is [5] and its target, the preprocessed input, is [3]"),
        (ONE.replace("epochs: 1", "epochs: 1, loss: mse"), "the output `output` is [3] and its target is one number"),
    ],
)  # fmt: skip
def test_an_output_that_has_not_the_shape_of_its_target(home, text, said):
    problem = refused(home, text)
    assert (problem.code, problem.message) == ("K222", said)
    assert problem.span.line == 6 + text.count("target: input")


def test_accuracy_of_several_labels_counts_each(home):
    run = train(home, ONE.replace("y: yd", "y: labels").replace("softmax", "sigmoid"))
    shares = np.asarray(run.history["accuracy"]) * 3 * (SIZE - 10)
    np.testing.assert_allclose(shares, np.round(shares), atol=1e-3)


def test_mixing_works_without_labels(home):
    text = ONE.replace("x: xm, y: yd}", "x: xi}\n  target: input\n  augment: [{MixUp: {alpha: 0.2}}]")
    run = train(home, text.replace("{units: 3, activation: softmax}", "1"))
    assert np.isfinite(run.history["loss"]).all()


def test_augmentation_that_is_made_for_other_inputs(home):
    problem = refused(home, ONE.replace("batch_size", "augment: [{RandomFlip: horizontal}]\n  batch_size"))
    assert problem.code == "K350"
    assert "RandomFlip" in problem.message
    assert problem.span.line == 5


def test_layers_that_learn_from_the_data_stand_in_preprocess(home):
    problem = refused(home, ONE.replace("model: [", "model: [Normalization, "))
    assert (problem.code, problem.message) == (
        "K218", "`Normalization` learns from the data, which it does in `data.preprocess` only"
    )  # fmt: skip
    assert problem.span.line == 6


def test_layers_that_are_told_what_they_would_learn(home):
    preprocess = "preprocess: [{Discretization: {bin_boundaries: [0.5]}}, {Rescaling: 1.0}]\n  batch_size"
    assert train(home, ONE.replace("batch_size", preprocess)).status == "done"


def test_times_of_a_schedule_that_go_back(home):
    with pytest.raises(SpecError, match="must grow, and `1 epochs` follows `2 epochs`"):
        train(home, ONE, train__schedule={"piecewise": {"at": ["2 epochs", "1 epochs"], "values": [0.1, 0.2, 0.3]}})


def test_a_run_whose_loss_diverges_says_so(home):
    with pytest.raises(SpecError, match=r"`loss` became NaN in .*epoch 1"):
        train(home, ONE.replace("epochs: 1", "epochs: 2"), data__preprocess=[{"Rescaling": 1e30}],
              train__optimizer={"SGD": 1e38})  # fmt: skip
    info = json.loads((home / "run" / "run.json").read_text())
    assert info["status"] == "failed"
    assert info["error"].startswith("`loss` became NaN in ") and info["error"].endswith("epoch 1")


def test_a_table_with_a_single_line_that_names_columns(home):
    run = train(home, ONE)
    (home / "new.csv").write_text("1,2,x\n")
    with pytest.raises(SpecError, match=r"`new\.csv` has no rows: its only line is not all numbers"):
        predict(run.path, [Path("new.csv")])


def test_what_keras_says_of_a_failing_step_is_its_reason():
    long = "Graph execution error:\n\nDetected at node a defined at (most recent call last):\n\nIncompatible shapes: [2]\n\t [[{{node a}}]]"
    assert sentence(ValueError(long)) == "Incompatible shapes: [2]"
    called = (
        "Exception encountered when calling F.call().\n\n\x1b[1mRank 3 is expected.\x1b[0m\n\nArguments received: x"
    )
    assert sentence(ValueError(called)) == "Rank 3 is expected"
