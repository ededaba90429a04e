from types import SimpleNamespace

import pytest

from kbuild.spec.call import Call
from kbuild.spec.names import snake_case
from kbuild.spec.train import EarlyStopping, Plateau, Train
from kbuild.text.problem import SpecError
from kbuild.train import monitors

ADAM = Call("optimizers", "Adam")
LOGS = ("loss", "accuracy")


def problems(train, validation=True):
    with pytest.raises(SpecError) as caught:
        monitors.check(SimpleNamespace(train=train), LOGS, validation)
    return [(p.code, p.message, p.help, p.path) for p in caught.value.problems]


def test_a_typing_slip_gets_the_near_name():
    assert problems(Train(optimizer=ADAM, early_stopping=EarlyStopping(monitor="val_acuracy"))) == [
        (
            "K160",
            "nothing is called `val_acuracy` to monitor",
            "did you mean `val_accuracy`? An epoch yields `loss`, `accuracy`, `val_loss`, `val_accuracy`",
            "train.early_stopping.monitor",
        )
    ]


def test_without_validation_data_the_help_says_so():
    ((_, message, hint, _),) = problems(Train(optimizer=ADAM, early_stopping=EarlyStopping()), validation=False)
    assert message == "nothing is called `val_loss` to monitor"
    assert hint == "there is no validation data: set `data.split.validation`, or monitor `loss`"


def test_every_monitor_is_looked_at():
    train = Train(
        optimizer=ADAM,
        early_stopping=EarlyStopping(monitor="val_f1"),
        schedule=Plateau(monitor="zzz"),
        callbacks=(Call("callbacks", "EarlyStopping", {"monitor": "qqq"}), Call("callbacks", "TerminateOnNaN")),
    )
    assert [path for *_, path in problems(train)] == [
        "train.early_stopping.monitor",
        "train.schedule.plateau.monitor",
        "train.callbacks.EarlyStopping.monitor",
    ]


def test_what_is_there_passes():
    train = Train(optimizer=ADAM, early_stopping=EarlyStopping(monitor="accuracy"), schedule=Plateau())
    assert monitors.check(SimpleNamespace(train=train), LOGS, True) == (*LOGS, "val_loss", "val_accuracy")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("digit_loss", "min"),
        ("val_digit_accuracy", "max"),
        ("acc", "max"),
        ("auc", "max"),
        ("mean_io_u", "max"),
        ("binary_io_u", "max"),
        ("f1_score", "max"),
        ("r2_score", "max"),
        ("mean_absolute_error", "min"),
        ("mae", "min"),
        ("false_negatives", "min"),
        ("true_positives", "max"),
        ("sparse_top_k_categorical_accuracy", "max"),
        ("kl_divergence", "min"),
        ("precision_at_recall", "max"),
    ],
)
def test_directions(name, expected):
    assert monitors.direction(name) == expected


def test_direction_of_every_metric_that_keras_knows_one_of():
    import keras

    made = [
        keras.metrics.AUC(),
        keras.metrics.Precision(),
        keras.metrics.MeanIoU(num_classes=2),
        keras.metrics.F1Score(),
        keras.metrics.R2Score(),
        keras.metrics.MeanSquaredError(),
        keras.metrics.SensitivityAtSpecificity(0.5),
        keras.metrics.BinaryAccuracy(),
        keras.metrics.CosineSimilarity(),
        keras.metrics.Poisson(),
    ]
    for metric in made:
        known = getattr(metric, "_direction", None)
        assert known in (
            None,
            {"max": "up", "min": "down"}[monitors.direction(snake_case(type(metric).__name__))],
        ), metric


def test_a_name_of_its_own_goes_by_the_class():
    metrics = (Call("metrics", "Recall", {"name": "hits"}),)
    assert monitors.direction("val_hits", "auto", metrics) == "max"
    assert monitors.direction("val_digit_hits", "auto", metrics) == "max"
    assert monitors.direction("hits", "min", metrics) == "min"
