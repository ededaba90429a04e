"""verify: the first steps of a run, done again, give the same bits; if not, it says what is different."""

import json

import pytest

import kbuild
from kbuild.text.problem import SpecError
from kbuild.train.progress import Reporter
from kbuild.train.verify import verify

SPEC = """
kbuild: 1
name: again
data: {source: iris, batch_size: 8}
model: [{Dense: {units: 8, activation: relu}}, {Dropout: 0.2}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 1, optimizer: {Adam: 1e-2}, schedule: {cosine: {warmup: 5 steps}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return kbuild.fit(kbuild.load(SPEC), out=tmp_path_factory.mktemp("run") / "run", report=Reporter()).path


def test_a_run_repeats(run):
    before = sorted(path.relative_to(run) for path in run.rglob("*"))
    found = verify(run)
    assert found["steps"] == 15  # an epoch has no more, and they are run at once
    assert sorted(path.relative_to(run) for path in run.rglob("*")) == before


def test_what_is_another_number_is_told(run, tmp_path):
    text = (run / "run.json").read_text()
    info = json.loads(text)
    info["witness"]["loss"] += 0.25
    (run / "run.json").write_text(json.dumps(info))
    try:
        with pytest.raises(SpecError) as error:
            verify(run)
    finally:
        (run / "run.json").write_text(text)
    (problem,) = error.value.problems
    assert problem.code == "K624"
    assert "does not repeat: after 15 steps the loss is" in problem.message
    assert error.value.exit_code == 5


def test_another_seed_does_not_repeat(run):
    text = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(text.replace("epochs: 1", "epochs: 1\n  seed: 5"))
    try:
        with pytest.raises(SpecError) as error:
            verify(run)
    finally:
        (run / "spec.yaml").write_text(text)
    assert error.value.problems[0].code == "K624"
