"""Loss, metrics and task of each output: decided once, from the data, the last layer and what is written."""

import pytest

from kbuild.data.header import Header, Target, Task, Tensor
from kbuild.plan.expand import expand
from kbuild.plan.head import heads
from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.text.problem import SpecError


def header(task: Task, count: int | None = None, one_hot: bool = False) -> Header:
    shape = (count,) if one_hot or task == "multilabel" else ()
    return Header({"input": Tensor((8,), "float32")}, {"output": Target(shape, "int32", task, (), count, one_hot)})


def head(model: str, known: Header, rest: str = ""):
    spec = load(f"kbuild: 1\nmodel: {model}\n{rest}\ndata: {{source: digits}}\n")
    return heads(spec, expand(spec, known), known)[0]


def problem(model: str, known: Header, rest: str = ""):
    with pytest.raises(SpecError) as caught:
        head(model, known, rest)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("model", "known", "loss"),
    [
        (
            "[{Dense: 10}]",
            header("multiclass", 10),
            Call("losses", "SparseCategoricalCrossentropy", {"from_logits": True}),
        ),
        (
            "[{Dense: {units: 10, activation: softmax}}]",
            header("multiclass", 10),
            Call("losses", "SparseCategoricalCrossentropy"),
        ),
        ("[{Dense: 10}, Softmax]", header("multiclass", 10), Call("losses", "SparseCategoricalCrossentropy")),
        (
            "[{Dense: 10}, {Activation: softmax}]",
            header("multiclass", 10, True),
            Call("losses", "CategoricalCrossentropy"),
        ),
        ("[{Dense: {units: 1, activation: sigmoid}}]", header("binary", 2), Call("losses", "BinaryCrossentropy")),
        ("[{Dense: 1}]", header("binary", 2), Call("losses", "BinaryCrossentropy", {"from_logits": True})),
        (
            "[{Dense: {units: 2, activation: softmax}}]",
            header("binary", 2),
            Call("losses", "SparseCategoricalCrossentropy"),
        ),
        ("[{Dense: 1}]", header("regression"), Call("losses", "MeanSquaredError")),
        ("[{Dense: {units: 4, activation: sigmoid}}]", header("multilabel", 4), Call("losses", "BinaryCrossentropy")),
    ],
)
def test_the_automatic_loss(model: str, known: Header, loss: Call):
    assert head(model, known).loss == loss


def test_what_was_decided_is_said():
    assert head("[{Dense: 10}]", header("multiclass", 10)).why == "multiclass, 10 classes; the last layer gives logits"


def test_usual_metrics_and_none_when_none_are_written():
    assert head("[{Dense: 10}]", header("multiclass", 10)).metrics == (Call("identifier", "accuracy"),)
    assert head("[{Dense: 1}]", header("regression")).metrics == (Call("identifier", "mae"),)
    assert head("[{Dense: 10}]", header("multiclass", 10), "train: {metrics: []}").metrics == ()


def test_accuracy_over_one_logit_parts_the_classes_at_zero():
    assert head("[{Dense: 1}]", header("binary", 2)).metrics == (
        Call("metrics", "BinaryAccuracy", {"name": "accuracy", "threshold": 0.0}),
    )


@pytest.mark.parametrize(
    ("model", "known", "rest", "code", "message"),
    [
        ("[{Dense: 9}]", header("multiclass", 10), "", "K220", "the output `output` has 9 units and the data have 10 classes"),
        ("[{Dense: {units: 9, activation: softmax}}]", header("multiclass", 10), "train: {loss: sparse_categorical_crossentropy}", "K220",
         "the output `output` has 9 units and the data have 10 classes"),
        ("[{Dense: {units: 10, activation: softmax}}]", header("multiclass", 10), "train: {loss: categorical_crossentropy}", "K221",
         "the labels are integers, and `categorical_crossentropy` wants vectors"),
        ("[{Dense: {units: 10, activation: softmax}}]", header("multiclass", 10, True), "train: {loss: sparse_categorical_crossentropy}",
         "K221", "the labels are vectors, and `sparse_categorical_crossentropy` wants integers"),
        ("[{Dense: 10}]", header("multiclass", 10), "train: {loss: sparse_categorical_crossentropy}", "K223",
         "`sparse_categorical_crossentropy` wants probabilities, and the output `output` has no activation"),
        ("[{Dense: {units: 10, activation: softmax}}]", header("multiclass", 10),
         "train: {loss: {SparseCategoricalCrossentropy: {from_logits: true}}}", "K223",
         "`SparseCategoricalCrossentropy` is told to expect logits, and the output `output` has gone through softmax"),
        ("[{Dense: 10, name: last}]", header("multiclass", 10), "train: {metrics: {lst: [accuracy]}}", "K201",
         "`train.metrics` names the output `lst`, which is not there"),
    ],
)  # fmt: skip
def test_what_would_train_the_wrong_thing_is_an_error(model: str, known: Header, rest: str, code: str, message: str):
    found = problem(model, known, rest)
    assert (found.code, found.message) == (code, message)


def test_mixed_labels_are_vectors():
    spec = load(
        "kbuild: 1\nmodel: [{Dense: {units: 10, activation: softmax}}]\n"
        "data: {source: digits, augment: [{MixUp: {alpha: 0.2}}]}\ntrain: {loss: sparse_categorical_crossentropy}\n"
    )
    known = header("multiclass", 10)
    with pytest.raises(SpecError, match="MixUp and CutMix make vectors of the labels"):
        heads(spec, expand(spec, known), known)


def test_the_arrow_ends_in_what_the_task_calls_for():
    for task, count, last in (("multiclass", 10, 10), ("binary", 2, 1), ("regression", None, 1)):
        spec = load(f"kbuild: 1\nmodel: 8 -> 16 -> {last}\ndata: {{source: digits}}\n")
        plan = expand(spec, header(task, count))  # type: ignore[arg-type]
        wanted = {"multiclass": "softmax", "binary": "sigmoid", "regression": None}[task]
        assert plan.steps[-1].call.args.get("activation") == wanted


@pytest.mark.parametrize(
    ("metric", "args"),
    [
        ("AUC", {"from_logits": True}),
        ("Precision", {"thresholds": 0.0}),
        ("Recall", {"thresholds": 0.0}),
        ("BinaryAccuracy", {"threshold": 0.0}),
        ("{Precision: {thresholds: 0.7}}", {"thresholds": 0.7}),
    ],
)
def test_metrics_over_one_logit_part_the_classes_at_zero(metric: str, args: dict[str, object]):
    (found,) = head("[{Dense: 1}]", header("binary", 2), f"train: {{metrics: [{metric}]}}").metrics
    assert found.args == args
    (found,) = head(
        "[{Dense: {units: 1, activation: sigmoid}}]", header("binary", 2), "train: {metrics: [AUC]}"
    ).metrics
    assert found.args == {}
