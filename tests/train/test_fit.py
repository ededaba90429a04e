import csv
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kbuild.spec.load import load
from kbuild.text.problem import SpecError
from kbuild.train import checkpoint, score
from kbuild.train.fit import fit
from kbuild.train.progress import Reporter
from kbuild.train.run import open_run

DIGITS = """
kbuild: 1
name: digits
data:
  source: digits
  batch_size: 64
  preprocess: [{Rescaling: 0.0625}]
model:
  - Flatten
  - {Dense: {units: 32, activation: relu}}
  - Dense: 10
train:
  optimizer: {Adam: {learning_rate: 0.01}}
  epochs: 3
"""


class Notes(Reporter):
    def __init__(self):
        self.notes, self.rows = [], []

    def note(self, text):
        self.notes.append(text)

    def epoch(self, row, best):
        self.rows.append((dict(row), best))


def train(out, overrides=None, text=DIGITS, report=None):
    return fit(load(text, overrides or {}), out=out, report=report or Reporter(), command=("kbuild", "fit"))


def refused(out, overrides=None, text=DIGITS):
    with pytest.raises(SpecError) as caught:
        train(out, overrides, text)
    return caught.value


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("fit") / "run"
    notes = Notes()
    overrides = {
        "train.schedule": {"cosine": {"warmup": "1 epoch"}},
        "train.early_stopping": {"patience": 5},
        "train.epochs": 6,
    }
    return train(out, overrides, report=notes), notes


def test_digits_are_learned(done):
    run, _ = done
    assert (run.status, run.exit_code, run.epochs) == ("done", 0, 6)
    assert run.test["accuracy"] > 0.9
    assert set(run.metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_the_run_directory_is_whole(done):
    run, _ = done
    there = {
        str(file.relative_to(run.path))
        for file in run.path.rglob("*")
        if file.is_file() and "tfevents" not in file.name
    }
    assert there >= {
        "spec.yaml",
        "run.json",
        "history.csv",
        "model.keras",
        "report/evaluation.json",
        "report/confusion.png",
        "report/curves.png",
    }
    assert len([name for name in there if name.startswith("checkpoints/") and name.endswith("arrays.npz")]) == 2
    assert not [name for name in there if Path(name).name.startswith(".")]


def test_the_description_says_how_it_came_about(done):
    run, _ = done
    info = json.loads((run.path / "run.json").read_text())
    assert info["status"] == "done"
    assert info["command"] == ["kbuild", "fit"]
    assert info["backend"] == keras.backend.backend()
    assert info["versions"]["keras"] == keras.__version__
    assert info["data"]["train"] > info["data"]["test"] > 100
    assert info["parameters"] == 64 * 32 + 32 + 32 * 10 + 10
    assert info["outputs"][0]["logits"] is True
    assert open_run(run.path).as_json() == run.as_json()


def test_json_of_a_run(done):
    run, _ = done
    assert list(run.as_json()) == ["run", "status", "epochs", "seconds", "best_epoch", "metrics", "test", "health"]
    json.dumps(run.as_json(), allow_nan=False)


def test_history_has_a_row_an_epoch_and_metrics_are_those_of_the_best(done):
    run, notes = done
    with (run.path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == list("123456")
    assert list(rows[0]) == ["epoch", "seconds", "learning_rate", "loss", "accuracy", "val_accuracy", "val_loss"]
    best = min(rows, key=lambda row: float(row["val_loss"]))
    assert run.best_epoch == int(best["epoch"])
    assert run.metrics["val_loss"] == pytest.approx(float(best["val_loss"]))
    assert [row["epoch"] for row, _ in notes.rows] == [1, 2, 3, 4, 5, 6]
    assert notes.rows[run.best_epoch - 1][1] is True
    rates = run.history["learning_rate"]
    assert rates[0] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)


def test_the_person_is_told_the_loss(done):
    _, notes = done
    assert notes.notes[0] == "multiclass, 10 classes; the last layer gives logits"


def test_the_saved_model_is_the_one_that_was_evaluated(done):
    run, _ = done
    again = score.evaluate(run.path)
    assert again["metrics"]["accuracy"] == pytest.approx(run.test["accuracy"])
    assert again["metrics"]["loss"] == pytest.approx(run.test["loss"], rel=1e-4)
    validation = score.evaluate(run.path, "validation")
    assert validation["metrics"]["loss"] == pytest.approx(run.metrics["val_loss"], rel=1e-4)
    assert not hasattr(run.model, "optimizer") or run.model.optimizer is None


def test_the_report_adds_up(done):
    run, _ = done
    found = score.evaluate(run.path)
    output = next(iter(found["outputs"].values()))
    matrix = np.array(output["confusion"])
    assert matrix.shape == (10, 10)
    assert matrix.sum() == found["examples"]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(found["metrics"]["accuracy"])
    assert output["mistakes"] == matrix.sum() - np.trace(matrix)
    assert output["per_class"]["macro"]["support"] == found["examples"]
    shares = [row["probability"] for row in output["worst"]]
    assert shares == sorted(shares, reverse=True)
    assert all(row["true"] != row["predicted"] for row in output["worst"])
    assert json.loads((run.path / "report" / "evaluation.json").read_text()) == found


def test_tensorboard_shows_the_run(done):
    run, _ = done

    def scalars(part, tag):
        events = EventAccumulator(str(run.path / "tensorboard" / part))
        events.Reload()
        return [point.value for point in events.Scalars(tag)]

    assert scalars("train", "epoch_loss") == pytest.approx(run.history["loss"])
    assert scalars("validation", "epoch_loss") == pytest.approx(run.history["val_loss"])
    assert scalars("", "best/val_loss") == pytest.approx([run.metrics["val_loss"]])


def test_the_resolved_spec_fits_to_the_same_run(done, tmp_path):
    run, _ = done
    again = fit(load(run.path / "spec.yaml"), out=tmp_path / "again", report=Reporter())
    first, second = (one.history for one in (run, again))
    for name in first:
        if name != "seconds":
            np.testing.assert_allclose(first[name], second[name], rtol=1e-4, err_msg=name)


def test_last_is_the_end_and_model_is_the_best(tmp_path):
    overrides = {
        "train.epochs": 8, "train.optimizer": {"SGD": {"learning_rate": 3.0}}, "train.early_stopping": {"patience": 2},
    }  # fmt: skip
    run = train(tmp_path / "run", overrides)
    values = run.history["val_loss"]
    assert run.best_epoch == int(np.argmin(values)) + 1
    assert len(values) == min(8, run.best_epoch + 2)
    assert score.evaluate(run.path, "validation")["metrics"]["loss"] == pytest.approx(min(values), rel=1e-4)
    last = checkpoint.newest(run.path / "checkpoints").arrays
    best = run.model.variables
    same = [np.array_equal(last[f"model/{at}"], weight) for at, weight in enumerate(best)]
    assert all(same) == (run.best_epoch == run.epochs)


def test_a_directory_that_is_taken_is_refused_before_anything_is_loaded(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    error = refused(tmp_path)
    assert (error.problems[0].code, error.exit_code) == ("K601", 5)
    assert error.problems[0].message == f"`{tmp_path}` is not empty"
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_spec_without_data_is_refused(tmp_path):
    text = "kbuild: 1\nmodel: {inputs: {x: {shape: [3]}}, layers: [{Dense: 1}]}\n"
    error = refused(tmp_path / "r", text=text)
    assert (error.problems[0].code, error.problems[0].message) == (
        "K166",
        "the spec has no `data`, so there is nothing to train on",
    )


def test_a_monitor_that_nothing_yields_is_refused_before_a_run_exists(tmp_path):
    error = refused(tmp_path / "r", {"train.early_stopping": {"monitor": "val_acuracy"}})
    (problem,) = (problem for problem in error.problems if problem.severity == "error")
    assert (problem.code, problem.message) == ("K330", "nothing is called `val_acuracy` to monitor")
    assert problem.help.startswith("did you mean `val_accuracy`?")
    assert not (tmp_path / "r").exists()


def test_no_validation_data_is_said(tmp_path):
    error = refused(tmp_path / "r", {"train.early_stopping": {}, "data.split.validation": 0})
    assert error.problems[0].help == "there is no validation data: set `data.split.validation`, or monitor `loss`"


def test_a_loss_that_explodes_ends_the_run_with_what_was_good(tmp_path):
    overrides = {
        "train.optimizer": {"SGD": {"learning_rate": 1.0e30}}, "train.epochs": 5,
    }  # fmt: skip
    error = refused(tmp_path / "r", overrides)
    (problem,) = error.problems
    assert (problem.code, error.exit_code) == ("K510", 4)
    assert problem.message.startswith("`loss` became ")
    assert problem.message.endswith(" of epoch 1")
    assert problem.help == (
        "lower it: the learning rate is 1e+30, and `SGD` learns with 1e-10 to 100; or set `global_clipnorm: 1.0` in "
        "the optimizer"
    )
    run = open_run(tmp_path / "r")
    assert (run.status, run.epochs, run.best_epoch, run.exit_code) == ("failed", 0, None, 4)
    with pytest.raises(SpecError) as caught:
        run.model  # noqa: B018
    assert caught.value.problems[0].message == f"the run `{tmp_path / 'r'}` has no model: its status is `failed`"


def test_shapes_that_do_not_meet_are_told_before_a_run_exists(tmp_path):
    overrides = {"train.loss": {"CosineSimilarity": {}}, "train.metrics": [], "model": ["Flatten", {"Dense": 7}]}
    error = refused(tmp_path / "r", {**overrides, "train.loss": "categorical_hinge", "train.metrics": ["accuracy"]})
    assert error.problems[0].code in {"K511", "K220", "K221", "K222"}
    assert not (tmp_path / "r").exists()


def test_an_autoencoder_learns_its_input(tmp_path):
    model = [
        "Flatten",
        {"Dense": {"units": 24, "activation": "relu"}},
        {"Dense": {"units": 64, "activation": "sigmoid"}},
        {"Reshape": [8, 8, 1]},
    ]
    run = train(tmp_path / "r", {"data.target": "input", "model": model, "train.epochs": 6})
    assert run.test["loss"] < 0.06
    found = json.loads((run.path / "report" / "evaluation.json").read_text())
    output = next(iter(found["outputs"].values()))
    assert output["rmse"] ** 2 == pytest.approx(run.test["loss"], rel=1e-3)
    assert (run.path / "report" / "worst.png").stat().st_size > 1000


def test_regression_is_scored_as_numbers(tmp_path):
    overrides = {
        "data.source": "diabetes", "data.preprocess": ["Normalization"], "train.epochs": 2,
        "model": [{"Dense": {"units": 16, "activation": "relu"}}, {"Dense": 1}],
    }  # fmt: skip
    run = train(tmp_path / "r", overrides)
    found = json.loads((run.path / "report" / "evaluation.json").read_text())
    output = next(iter(found["outputs"].values()))
    assert output["mae"] == pytest.approx(run.test["mae"], rel=1e-3)
    assert (run.path / "report" / "prediction.png").exists()


def test_augmentation_with_mixing_trains(tmp_path):
    overrides = {"data.augment": [{"GaussianNoise": 0.1}, {"MixUp": {"alpha": 0.2}}], "train.epochs": 2}
    run = train(tmp_path / "r", overrides)
    assert run.test["accuracy"] > 0.5


def test_plateau_averages_class_weights_and_histograms(tmp_path):
    overrides = {
        "train.optimizer": {"Adam": {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9}},
        "train.schedule": {"plateau": {"patience": 1, "factor": 0.5, "warmup": "10 steps"}},
        "train.class_weight": "balanced",
        "train.tensorboard": {"histograms": 1},
        "train.metrics": ["accuracy", {"SparseTopKCategoricalAccuracy": {"k": 2, "name": "top2"}}],
        "train.early_stopping": {"monitor": "val_top2", "patience": 1},
        "train.callbacks": ["TerminateOnNaN"],
    }
    run = train(tmp_path / "r", overrides)
    assert run.test["accuracy"] > 0.8
    assert run.metrics["val_top2"] == pytest.approx(max(run.history["val_top2"]))
    events = EventAccumulator(str(run.path / "tensorboard" / "train"))
    events.Reload()
    assert "dense/kernel" in events.Tags()["tensors"]


def test_mixed_precision_on_a_cpu_warns_and_trains(tmp_path):
    notes = Notes()
    run = train(tmp_path / "r", {"train.precision": "mixed_bfloat16", "train.epochs": 1}, report=notes)
    assert run.status == "done"
    assert any("`precision: mixed_bfloat16` on a CPU is slower than float32" in note for note in notes.notes)
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.full
def test_sigterm_stops_a_process_and_keeps_the_best(tmp_path):
    out = tmp_path / "r"
    script = (
        "import sys\n"
        "from kbuild.spec.load import load\n"
        "from kbuild.train.fit import fit\n"
        f"run = fit(load({DIGITS!r}, {{'train.epochs': 100000}}), out={str(out)!r})\n"
        "print(run.status, run.epochs >= 2, flush=True)\n"
        "sys.exit(run.exit_code)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        for text in process.stdout:
            if text.startswith("epoch") and int(text.split()[1].split("/")[0]) >= 2:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
        assert process.wait(timeout=60) == 143
    assert rest.splitlines()[-1] == "stopped True"
    run = open_run(out)
    assert (run.status, run.exit_code) == ("stopped", 143)
    assert run.model.count_params() == 64 * 32 + 32 + 32 * 10 + 10
    assert not math.isnan(run.metrics["val_loss"])


def test_sigint_stops_the_run_after_the_step(tmp_path):
    class Sender(Reporter):
        def epoch(self, row, best):
            if row["epoch"] == 2:
                signal.raise_signal(signal.SIGINT)

    run = train(tmp_path / "r", {"train.epochs": 50}, report=Sender())
    assert (run.status, run.exit_code, run.epochs) == ("stopped", 130, 2)
    assert checkpoint.newest(run.path / "checkpoints").state["epoch"] == 2
    assert json.loads((run.path / "run.json").read_text())["signal"] == signal.SIGINT


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path, monkeypatch):
    from kbuild.train import session

    def full(model, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "save", full)
    error = refused(tmp_path / "r", {"train.epochs": 1})
    (problem,) = error.problems
    assert (problem.code, problem.message) == (
        "K608",
        f"cannot write the run `{tmp_path / 'r'}`: No space left on device",
    )
    assert open_run(tmp_path / "r").status == "failed"


def test_a_run_without_test_data_and_tensorboard(tmp_path):
    run = train(tmp_path / "r", {"data.split.test": 0, "train.tensorboard": False, "train.epochs": 1})
    assert not (run.path / "tensorboard").exists()
    assert run.test == {}
    with pytest.raises(SpecError) as caught:
        score.evaluate(run.path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("K609", "the data has no part `test`")
    assert problem.help == "choose one of `train`, `validation`"


def test_keras_is_imported_when_the_backend_is_known():
    verbs = ("fit", "resume", "several", "verify", "score", "predict", "lr")
    code = (
        f"import sys\nfor verb in {verbs}:\n    __import__(f'kbuild.train.{{verb}}')\nassert 'keras' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(score.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
