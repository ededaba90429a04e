"""A run that starts from another: what it took is told and kept, and it goes on without it."""

import json
import shutil

import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train.progress import Reporter
from kbuild.train.resume import resume
from kbuild.train.verify import verify

BASE = """
kbuild: 1
name: base
data: {source: iris, batch_size: 32, split: {validation: 0.2, test: 0.2}, preprocess: [Normalization]}
model:
  - {Dense: 8, name: body, remat: true}
  - {ReLU: null}
  - {Dense: {units: 3, activation: softmax}, name: head}
train: {epochs: 1, tensorboard: false}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a run in `runs/base`."""
    folder = tmp_path_factory.mktemp("started")
    kbuild.fit(kbuild.load(BASE), out=folder / "runs" / "base", report=Reporter())
    return folder


def spec(folder, weights="runs/base", overrides=None):
    (folder / "next.yaml").write_text(
        BASE.replace("name: head", "name: top").replace("name: base", f"weights: {weights}")
    )
    return kbuild.load(folder / "next.yaml", overrides=overrides)


class Notes(Reporter):
    def __init__(self):
        self.all = []

    def note(self, text: str) -> None:
        self.all.append(text)


def test_a_run_says_and_keeps_what_it_started_from_and_goes_on_without_it(base, monkeypatch):
    monkeypatch.chdir(base)
    notes = Notes()
    run = kbuild.fit(spec(base, overrides={"train.epochs": 2}), out=base / "runs" / "next", report=notes)
    said = "weights: 1 of 2 layers from runs/base; not in the file: `top`"
    assert said in notes.all
    (kept,) = json.loads((run.path / "run.json").read_text())["weights"]
    assert (kept["source"], kept["layers"], kept["missing"]) == (str(base / "runs" / "base"), 1, ["top"])
    assert run.as_json()["weights"] == [kept]
    assert kbuild.open_run(run.path).as_json()["weights"] == [kept]
    assert verify(run.path)["steps"] > 0
    monkeypatch.chdir("/")
    before = (base / "runs" / "base").rename(base / "runs" / "away")
    try:
        again = resume(run.path, epochs="+1", report=Reporter())
        assert (again.status, again.epochs) == ("done", 3)
        assert again.as_json()["weights"] == [kept]
        with pytest.raises(SpecError, match="the weights to start from are not there"):
            verify(run.path)
    finally:
        before.rename(base / "runs" / "base")


def test_the_layer_that_matched_begins_with_its_weights(base, monkeypatch):
    monkeypatch.chdir(base)
    found = kbuild.build(spec(base))
    trained = kbuild.open_run(base / "runs" / "base").model
    one, other = (model.get_layer("body").get_weights() for model in (found, trained))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_a_run_that_was_killed_has_to_be_ended_first(base, monkeypatch):
    monkeypatch.chdir(base)
    shutil.copytree(base / "runs" / "base", base / "runs" / "killed")
    (base / "runs" / "killed" / "model.keras").unlink()
    with pytest.raises(SpecError) as caught:
        kbuild.fit(spec(base, "runs/killed"), out=base / "never", report=Reporter())
    (problem,) = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert (problem.code, problem.help) == ("K116", "`kbuild fit --resume runs/killed` ends it")
    assert not (base / "never").exists()
