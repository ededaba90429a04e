"""tune: what the command prints, and how it ends."""

import csv
import json
from pathlib import Path

import pytest

from kbuild.search.study import open_study

SPEC = """
kbuild: 1
name: small
data: {source: iris, batch_size: 32, split: {validation: 0.2, test: 0.2}}
model: [{Dense: {units: {$int: [4, 16]}, activation: relu}}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 2, optimizer: adam, tensorboard: false, execution: {jit: false}}
tune: {oracle: {RandomSearch: {max_trials: 2}}, objective: val_loss, parallel: 1, executions_per_trial: 2}
"""
UNITS = "model.layers.dense.units"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPEC)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("small.yaml", "--resume", "runs/small-001"),
        ("--resume", "runs/small-001", "--out", "other"),
        ("--resume", "runs/small-001", "--set", "train.epochs=3"),
        ("--resume", "runs/small-001", "--parallel", 2),
        ("--resume", "runs/small-001", "--backend", "jax"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(arguments, kbuild, place):
    done = kbuild("tune", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "give a SPEC, or --resume STUDY" in done.err
    assert not (place / "runs").exists()


@pytest.mark.parametrize("arguments", [("--parallel", 0), ("--ray",), ("--workers", 3)])
def test_options_that_are_none_are_wrong_usage(arguments, kbuild, place):
    assert kbuild("tune", "small.yaml", *arguments).code == 2


def test_a_spec_that_cannot_be_searched_is_told(kbuild, place):
    for old, new, code in [
        ("{$int: [4, 16]}", "4", "K170"),
        ("objective: val_loss", "objective: val_los", "K330"),
        ("max_trials: 2", "max_trial: 2", "K103"),
    ]:
        (place / "wrong.yaml").write_text(SPEC.replace(old, new))
        done = kbuild("tune", "wrong.yaml")
        assert done.code == 1
        assert f"error[{code}]" in done.err
    assert not (place / "runs").exists()


def test_what_is_no_study_cannot_be_gone_on_with(kbuild, place):
    done = kbuild("tune", "--resume", "runs/none")
    assert (done.code, done.out) == (5, "")
    assert "error[K603]" in done.err
    run = place / "runs" / "small-001"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"name": "small", "status": "stopped"}))
    done = kbuild("tune", "--resume", run)
    assert (done.code, done.out) == (5, "")
    assert "error[K642]" in done.err
    done = kbuild("tune", "small.yaml", "--out", run)
    assert done.code == 5
    assert "error[K601]" in done.err


@pytest.mark.full
def test_a_search_of_trials_that_are_trained_twice_and_its_refit(kbuild, place):
    done = kbuild("tune", "small.yaml", "--json", "--refit")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    path = Path(told["study"])
    study = open_study(path)
    assert (path, told["status"], told["trials"], told["failed"]) == (Path("runs/small-001"), "done", 2, 0)
    assert (told["objective"], told["direction"], told["spec"]) == ("val_loss", "min", "runs/small-001/best.yaml")
    assert set(told["best"]) == {"trial", "score", "sd", "values"}
    assert list(told["best"]["values"]) == [UNITS]

    for trial in study.trials:  # the mean of two trainings, and how far they are apart
        run = study.run(trial)
        scores = [json.loads((run / "members" / n / "run.json").read_text())["metrics"]["val_loss"] for n in ("1", "2")]
        assert trial.score == pytest.approx(sum(scores) / 2)
        assert trial.sd == pytest.approx(abs(scores[0] - scores[1]) / 2**0.5)
    with (path / "trials.csv").open() as file:
        assert [float(row["sd"]) for row in csv.DictReader(file)] == [trial.sd for trial in study.trials]
    assert study.best is not None
    head = (path / "best.yaml").read_text().splitlines()
    assert head[0] == f"# val_loss {study.best.score:.6g} ± {study.best.sd:.6g}, the best of 2 trials in small-001"
    assert head[2] == f"# {UNITS} = {told['best']['values'][UNITS]}"
    assert head[3].startswith("# trained with ")

    refit = json.loads((path / "refit" / "run.json").read_text())
    assert told["refit"]["run"] == "runs/small-001/refit"
    assert refit["status"] == "done"
    assert "val_loss" not in told["refit"]["metrics"]

    again = kbuild("tune", "--resume", path, "--json", "--refit")  # nothing is left to do
    assert (again.code, json.loads(again.out)) == (0, told)
    quiet = kbuild("tune", "--resume", path, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


@pytest.mark.full
def test_trials_over_folds(kbuild, place):
    text = SPEC.replace("{validation: 0.2, test: 0.2}", "{folds: 3, test: 0.2}").replace(
        ", executions_per_trial: 2", ""
    )
    (place / "small.yaml").write_text(text)
    done = kbuild("tune", "small.yaml", "--json")
    assert (done.code, done.err) == (0, "")
    study = open_study(json.loads(done.out)["study"])
    for trial in study.trials:
        members = sorted(path.name for path in (study.run(trial) / "members").iterdir())
        assert members == ["1", "2", "3"]
        assert trial.sd is not None and trial.sd > 0
