"""A search: its trials, its answer, and that neither kills nor signals make it another."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kbuild
from kbuild.search import ledger
from kbuild.search.study import open_study
from kbuild.text.problem import SpecError
from kbuild.train.progress import Reporter

SCRIPT = Path(__file__).with_name("killed.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "builder")}
SPEC = """
kbuild: 1
name: small
data: {source: iris, batch_size: 32}
model:
  - {Dense: {units: {$int: [4, 16]}}, repeat: {$int: [1, 2]}, name: stage}
  - ReLU
  - {Dense: {units: 3, activation: softmax}}
train: {epochs: 2, optimizer: {Adam: {$float: [1e-3, 1e-1], sampling: log}}, tensorboard: false}
tune: {oracle: {RandomSearch: {max_trials: 4}}, objective: val_loss, parallel: 2}
"""
VARYING = ("elapsed", "seconds")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "small.yaml"
    path.write_text(SPEC)
    return path


def search(spec, out, *when, check=True):
    """Run a search in a process of its own."""
    found = subprocess.run(
        [sys.executable, SCRIPT, spec, out, *map(str, when)],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert not check or found.returncode == 0, found.stderr
    return found


def told(path):
    """What a ledger says, but for the times; ends in the order of trials."""
    events = [{k: v for k, v in e.items() if k not in VARYING} for e in ledger.read(path / ledger.NAME)]
    asked = [e for e in events if e["event"] == "trial"]
    return asked, sorted((e for e in events if e["event"] == "end"), key=lambda e: e["trial"])


def content(path):
    """`best.yaml` but for the name of the study."""
    return (path / "best.yaml").read_text().replace(path.name, "STUDY")


@pytest.fixture(scope="module")
def whole(spec, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "study"
    search(spec, path)
    return path


def test_all_trials_are_done_and_the_best_is_the_best(whole):
    study = open_study(whole)
    assert (study.status, study.exit_code, len(study.counted)) == ("done", 0, 4)
    assert study.best.score == min(trial.score for trial in study.trials)
    with (whole / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[study.best.number - 1]["score"]) == study.best.score
    assert sorted(path.name for path in (whole / "top").iterdir()) == ["1.yaml", "2.yaml", "3.yaml", "4.yaml"]


def test_no_hole_is_left_in_the_best_spec_and_it_says_what_it_reached(whole):
    text = (whole / "best.yaml").read_text()
    study = open_study(whole)
    assert text.startswith(f"# val_loss {study.best.score:.6g}, the best of 4 trials")
    read = kbuild.load(whole / "best.yaml")
    assert read.tune is None
    assert kbuild.check(read) == [p for p in kbuild.check(read) if p.severity == "hint"]


def test_each_trial_is_a_run(whole):
    for trial in open_study(whole).trials:
        run = kbuild.open_run(whole / "trials" / f"{trial.number:04d}")
        assert run.status == "done"
        assert run.metrics["val_loss"] == trial.score


def test_the_best_spec_trains_to_the_same_score(whole, tmp_path):
    run = kbuild.fit(kbuild.load(whole / "best.yaml"), out=tmp_path / "run", report=Reporter())
    assert run.metrics["val_loss"] == pytest.approx(open_study(whole).best.score, rel=1e-6)


@pytest.mark.full
def test_a_study_that_was_killed_becomes_the_same(spec, whole, tmp_path):
    path = tmp_path / "study"
    assert search(spec, path, "fsync", 4, check=False).returncode == -signal.SIGKILL
    assert len(told(path)[1]) < 4
    search(spec, path)
    assert told(path) == told(whole)
    assert content(path) == content(whole)


def test_another_spec_is_another_study(spec, whole, tmp_path):
    from kbuild.search import tune

    text = (whole / "spec.yaml").read_text()
    try:
        (whole / "spec.yaml").write_text(text.replace("[4, 16]", "[4, 32]"))
        with pytest.raises(SpecError) as caught:
            tune.resume(whole)
    finally:
        (whole / "spec.yaml").write_text(text)
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.exit_code) == ("K641", 5)
    assert "units" in problem.message


def test_a_run_is_no_study(whole):
    with pytest.raises(SpecError) as caught:
        open_study(whole / "trials" / "0001")
    assert caught.value.problems[0].code == "K642"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((" {$int: [4, 16]}", " 4"), None),
        (("parallel: 2", "parallel: 2, budget: {params: 3}"), "K172"),
    ],
)
def test_what_cannot_be_searched_is_told_before_anything_starts(change, code, tmp_path):
    from kbuild.search import tune

    text = SPEC.replace(*change)
    if code is None:
        text = text.replace("{$int: [1, 2]}", "1").replace("{$float: [1e-3, 1e-1], sampling: log}", "1e-3")
    with pytest.raises(SpecError) as caught:
        tune.tune(kbuild.load(text), out=tmp_path / "study")
    assert caught.value.problems[0].code == (code or "K170")
    assert not (tmp_path / "study").exists()


@pytest.mark.full
def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    tune = "oracle: {RandomSearch: {max_trials: 2}}, parallel: 1"
    script.write_text(
        f"import kbuild\nprint('top')\nspec = kbuild.load({SPEC.partition('tune:')[0] + f'tune: {{{tune}}}'!r})\n"
        "study = kbuild.tune(spec)\nprint(study.status, len(study.ranked))\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    assert lines.count("top") == 1, done.stderr
    assert lines[-1] == "done 2"


def test_data_that_are_not_there_are_told_once_and_no_study_begins(tmp_path):
    spec = tmp_path / "absent.yaml"
    spec.write_text(SPEC.replace("source: iris", "source: {npz: absent.npz, x: x, y: y}"))
    with pytest.raises(SpecError) as caught:
        kbuild.tune(kbuild.load(spec), out=tmp_path / "study")
    assert [problem.code for problem in caught.value.problems] == ["K402"]
    assert caught.value.problems[0].span.line == 4
    assert not (tmp_path / "study").exists()


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_it_goes_on(number, spec, whole, tmp_path):
    path = tmp_path / "study"
    command = [sys.executable, "-m", "kbuild", "tune", str(spec), "--out", str(path), "--quiet"]
    started = subprocess.Popen(command, env=ENVIRONMENT)
    until = time.monotonic() + 300
    while time.monotonic() < until and not (path / "trials" / "0001").exists():
        time.sleep(0.2)
    started.send_signal(number)
    assert started.wait(120) == 128 + number
    assert json.loads((path / "run.json").read_text())["status"] == "stopped"
    search(spec, path)
    assert told(path) == told(whole)


@pytest.mark.full
@pytest.mark.parametrize("threads", [None, 2])
def test_the_best_spec_of_deterministic_trials_trains_to_the_same_bits(threads, tmp_path):
    text = """
kbuild: 1
name: windows
data: {source: digits, split: {validation: 0.2}}
model:
  - Conv2D: {filters: {$int: [8, 16]}, kernel_size: 3, activation: relu}
  - {Dropout: 0.2}
  - Flatten
  - {Dense: {units: 10, activation: softmax}}
train: {epochs: 2, optimizer: adam, deterministic: true, threads: THREADS}
tune: {oracle: {RandomSearch: {max_trials: 1}}, parallel: 2}
"""
    spec, study, run = tmp_path / "windows.yaml", tmp_path / "study", tmp_path / "run"
    spec.write_text(text.replace("THREADS", json.dumps(threads)))
    search(spec, study)
    had = json.loads((study / "run.json").read_text())
    assert threads in (None, had["threads"])
    fit = [sys.executable, "-m", "kbuild", "fit", study / "best.yaml", "--out", run, "--quiet"]
    subprocess.run(fit, env=ENVIRONMENT, check=True)
    if had["backend"] == "tensorflow":
        assert json.loads((run / "run.json").read_text())["threads"] == had["threads"]
    weights = [kbuild.open_run(path).model.get_weights() for path in (run, study / "trials" / "0001")]
    assert [one.tobytes() for one in weights[0]] == [one.tobytes() for one in weights[1]]


@pytest.mark.full
def test_trials_that_fail_are_told_and_end_the_search(spec, tmp_path):
    text = SPEC.replace("{$float: [1e-3, 1e-1], sampling: log}", "{$float: [1e30, 1e32], sampling: log}")
    (tmp_path / "bad.yaml").write_text(text)
    search(tmp_path / "bad.yaml", tmp_path / "study", check=False)
    study = open_study(tmp_path / "study")
    assert (study.status, study.exit_code, study.best) == ("failed", 4, None)
    assert all("became" in trial.reason for trial in study.trials if trial.status == "failed")
    assert not (tmp_path / "study" / "best.yaml").exists()
