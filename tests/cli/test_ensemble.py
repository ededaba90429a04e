"""ensemble, export: from a set of runs to one model, and to files for others."""

import json
from pathlib import Path

import keras
import pytest

import kbuild as api
from kbuild.text.problem import SpecError
from kbuild.train.progress import Reporter

SPEC = """kbuild: 1
name: bag
data: {source: iris, split: {test: 0.2}, batch_size: 16}
model: [{Dense: {units: 3, activation: softmax}}]
train: {repeats: 2, bootstrap: true, epochs: 1, tensorboard: false, health: false, checkpoint: false}
"""


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    path = tmp_path / "bag.yaml"
    path.write_text(SPEC)
    return path


@pytest.mark.full
def test_from_a_set_to_one_model_to_a_file(kbuild, bag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert kbuild("fit", "bag.yaml", "--quiet").code == 0
    done = kbuild("ensemble", "runs/bag-001")
    assert (done.code, done.err) == (0, "")
    first, head, *rows = done.out.strip().split("\n")
    assert first == "average of 2 members"
    assert head.split("  ")[-1].strip() == "test loss"
    names = ["runs/bag-001/members/1", "runs/bag-001/members/2", "average"]
    assert [row.split()[0] for row in rows[:3]] == names
    assert [len(row.split()) for row in rows[:3]] == [5, 5, 5]
    assert rows[3] == "run:  runs/bag-ensemble-001"

    told = json.loads(kbuild("ensemble", "runs/bag-001", "--how", "vote", "--json", "--out", "vote").out)
    assert (told["run"], told["how"], told["held"]) == ("vote", "vote", ["validation", "test"])
    assert [one["run"] for one in told["of"]] == names[:2]
    assert told["test"].keys() == {"accuracy", "loss"}
    assert kbuild("evaluate", "vote", "--json").code == 0

    written = kbuild("export", "vote", "--to", "keras", "--out", "it.h5")
    assert (written.code, written.err) == (0, "")
    said, compared, path = written.out.strip().split("\n")
    assert said == "the file is `it.keras`: the suffix of `keras` is `.keras`"
    assert compared.startswith("loaded by another process, it differs from the model by ")
    assert keras.models.load_model(path).count_params() == 30

    assert kbuild("ensemble", "runs/bag-001/members/1").code == 5
    assert kbuild("ensemble", "runs/bag-001", "--how", "boost").code == 2
    assert kbuild("ensemble", "runs/bag-001", "--out", "vote").code == 5
    assert kbuild("export", "vote", "--to", "h5").err == (
        "error[K661]: `h5` is no format\n  = help: one of keras, savedmodel, onnx, litert\n"
    )
    assert kbuild("export", "runs/bag-001", "--to", "keras").code == 5


@pytest.mark.full
def test_the_best_trials_of_a_study(kbuild, bag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = SPEC.replace("repeats: 2, bootstrap: true", "optimizer: {Adam: {$float: [1e-3, 1e-1]}}")
    bag.write_text(text + "tune: {oracle: {RandomSearch: {max_trials: 3}}, objective: val_loss}\n")
    assert kbuild("tune", "bag.yaml", "--quiet", "--out", "study").code == 0
    ranked = [trial.number for trial in api.open_study("study").ranked]
    told = json.loads(kbuild("ensemble", "study", "--top", "2", "--json").out)
    assert [one["run"] for one in told["of"]] == [f"study/trials/{number:04d}" for number in ranked[:2]]
    for top in (None, 4):
        with pytest.raises(SpecError) as error:
            api.ensemble(["study"], top=top, report=Reporter())
        (problem,) = error.value.problems
        assert (problem.code, problem.message) == ("K630", "`study` is a search, 3 of whose trials are done")
        assert problem.help == "say how many of the best to take: `--top 3`"
