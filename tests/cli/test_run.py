"""fit, evaluate and predict: few processes, since each must start Keras."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SPEC = """kbuild: 1
name: tiny
data: {source: iris, batch_size: 16}
vars: {width: {$choice: [16, 32]}}
model:
  - {Dense: {units: $width, activation: relu}}
  - {Dense: {units: 3, activation: softmax}, name: kind}
train:
  optimizer: {Adam: 1e-2}
  epochs: 2
  schedule: {cosine: {to: 1e-4}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def test_from_a_spec_to_answers(kbuild, spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit = kbuild("fit", "tiny.yaml", "--set", "train.epochs=3")
    assert (fit.code, fit.err) == (0, "")
    lines = fit.out.split("\n")
    assert lines[0] == "vars.width is open and stands for 16"
    assert "multiclass, 3 classes; the last layer gives probabilities (softmax)" in lines
    assert sum(line.startswith("epoch ") for line in lines) == 3
    run = Path("runs/tiny-001")
    assert f"run:  {run}" in lines
    assert f"next: kbuild evaluate {run} · kbuild board runs" in lines

    evaluated = kbuild("evaluate", run)
    assert (evaluated.code, evaluated.err) == (0, "")
    assert "output kind" in evaluated.out
    assert evaluated.out.startswith("test (15 examples)\n")
    report = json.loads(kbuild("evaluate", run, "--part", "validation", "--json").out)
    assert report["part"] == "validation"

    np.save("two.npy", np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], "float32"))
    predicted = kbuild("predict", run, "two.npy", "--json")
    assert predicted.code == 0
    answers = json.loads(predicted.out)
    assert len(answers) == 2
    assert set(answers[0]["probabilities"]) == {"setosa", "versicolor", "virginica"}
    shown = kbuild("predict", run, "two.npy")
    assert [line.split(": ")[1].split()[0] for line in shown.out.strip().split("\n")] == [a["class"] for a in answers]

    nothing = kbuild("predict", run, "no.npy")
    assert nothing.code == 3
    assert "there is no file `no.npy`" in nothing.err
    part = kbuild("evaluate", "runs/none-001")
    assert part.code == 5
    assert "there is no run directory `runs/none-001`" in part.err
    again = kbuild("fit", "tiny.yaml", "--out", run)
    assert again.code == 5
    assert "Traceback" not in again.err


def test_json_is_one_object_and_nothing_else(alone, spec, tmp_path):
    done = alone("fit", spec, "--json", "--out", "here")
    assert done.code == 0
    assert done.err == ""
    found = json.loads(done.out)
    assert {"run", "status", "epochs", "seconds", "best_epoch", "metrics", "test"} <= set(found)
    assert (found["run"], found["status"], found["epochs"]) == ("here", "done", 2)
    assert {"loss", "val_loss", "accuracy", "val_accuracy"} <= set(found["metrics"])
    assert (tmp_path / "here" / "model.keras").is_file()
    _board(tmp_path)


def _board(folder: Path) -> None:
    """TensorBoard serves what the run wrote, on this machine only, until it is told to end."""
    server = subprocess.Popen(
        [sys.executable, "-m", "kbuild", "board", str(folder), "--port", "0"],
        env={"PYTHONPATH": str(ROOT / "builder"), "HOME": str(folder), "PATH": "", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        tags = {}
        for _ in range(60):
            with urllib.request.urlopen(f"{url}data/plugin/scalars/tags", timeout=10) as answer:
                tags = json.load(answer)
            if "here/validation" in tags:
                break
            time.sleep(0.5)
        assert "epoch_loss" in tags["here/train"]
        assert "epoch_loss" in tags["here/validation"]
        with urllib.request.urlopen(
            f"{url}data/plugin/scalars/scalars?run=here/train&tag=epoch_loss", timeout=10
        ) as answer:
            assert len(json.load(answer)) == 2
    finally:
        server.send_signal(signal.SIGINT)
        _, complaint = server.communicate(timeout=30)
    assert server.returncode == 0
    assert complaint == ""


def test_a_folder_that_is_not_there(kbuild, tmp_path):
    done = kbuild("board", tmp_path / "none")
    assert done.code == 5
    assert "there is no directory" in done.err


def test_a_spec_without_data_cannot_be_fitted(kbuild, tmp_path):
    spec = tmp_path / "none.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [3]}}, layers: [{Dense: 2}]}\n")
    done = kbuild("fit", spec)
    assert done.code == 1
    assert "the spec has no `data`" in done.err
