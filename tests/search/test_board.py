"""What TensorBoard's own table of hyperparameters says of a study."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from kbuild.search import ledger
from kbuild.search.answer import answer
from kbuild.search.study import open_study, place
from kbuild.search.task import Task, run

SPEC = """
kbuild: 1
data: {source: iris, split: {validation: 0.2, test: 0.2}}
model: [{Dense: {units: 3, activation: softmax}}]
train:
  epochs: 3
  optimizer: {SGD: RATE}
  schedule: {piecewise: {at: [2 epochs], values: [RATE, 90.0]}}   # so that the last epoch is not the best
  metrics: [accuracy]
  repeats: COUNT
"""
STATUSES = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three trials: one that gets worse in the end, one of two trainings, one that goes on from the first."""
    path = tmp_path_factory.mktemp("study") / "s"
    (path / "trials").mkdir(parents=True)
    told = {"kind": "study", "name": "s", "status": "done", "objective": "val_loss", "direction": "min"}
    (path / "run.json").write_text(json.dumps(told))
    book = ledger.Ledger(path / ledger.NAME)
    trials = [
        (1, "0.05", 1, {"train.optimizer.SGD": 0.05, "deep": True, "kind": "wide"}, None, None),
        (2, "0.1", 2, {"train.optimizer.SGD": 0.1, "deep": False}, None, None),
        (3, "0.05", 1, {"train.optimizer.SGD": 0.05, "deep": True, "kind": "wide"}, 5, 1),
    ]
    for number, rate, count, values, epochs, parent in trials:
        text = SPEC.replace("RATE", rate).replace("COUNT", str(count))
        start = None if parent is None else place(path, parent)
        out = place(path, number)
        task = Task(number, "s", text, path, (), False, out, "val_loss", None, epochs, start, values=values)
        found = run(task)
        assert found.status == "done", found.reason
        book.add({"event": "trial", "trial": number, "values": values, "params": 15})
        book.add({**asdict(found), "event": "end", "trial": number})
    book.close()
    answer(open_study(path))
    return path


def ask(url, route, body):
    request = urllib.request.Request(
        f"{url}/data/plugin/hparams/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answered:
        return json.load(answered)


@pytest.fixture
def table():
    """What `kbuild board DIR` shows: the columns, and the rows by name."""
    servers = []

    def shown(path, rows):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "kbuild", "board", str(path), "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        servers.append(server)
        said = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
        assert said
        url = said[0].rstrip("/")
        until = time.monotonic() + 60
        while True:
            columns = ask(url, "experiment", {"experimentName": "", "includeMetrics": True})
            asked = [{"metric": one["name"]} for one in columns.get("metricInfos", ())]
            asked += [{"hparam": one["name"]} for one in columns.get("hparamInfos", ())]
            wanted = [{**one, "includeInResult": True} for one in asked]
            body = {"startIndex": 0, "sliceSize": 100, "allowedStatuses": STATUSES, "colParams": wanted}
            groups = ask(url, "session_groups", body).get("sessionGroups", [])
            if len(groups) >= rows or time.monotonic() > until:
                return columns, {group["name"]: group for group in groups}
            time.sleep(0.5)

    yield shown
    for server in servers:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        server.stdout.close()


def metrics(group):
    return {(one["name"].get("group", ""), one["name"]["tag"]): one["value"] for one in group["metricValues"]}


@pytest.mark.full
def test_a_row_a_trial_with_its_values_and_its_best_score(study, table):
    columns, rows = table(study, 3)
    assert sorted(rows) == ["trial 1", "trial 2", "trial 3"]
    kinds = {one["name"]: one["type"] for one in columns["hparamInfos"]}
    assert kinds == {
        "deep": "DATA_TYPE_BOOL", "kind": "DATA_TYPE_STRING", "train.optimizer.SGD": "DATA_TYPE_FLOAT64",
    }  # fmt: skip
    assert columns["metricInfos"][0]["name"]["tag"] == "best/val_loss"
    for trial in open_study(study).trials:
        row = rows[f"trial {trial.number}"]
        assert row["hparams"] == dict(trial.values)  # a hole that is not there is not shown
        found = metrics(row)
        assert found["", "best/val_loss"] == pytest.approx(trial.score)
        assert found["", "best/val_accuracy"] == pytest.approx(trial.metrics["val_accuracy"])
        assert found["", "test/loss"] == pytest.approx(trial.test["loss"])
    assert len(rows["trial 2"]["sessions"]) == 2
    history = (place(study, 1) / "history.csv").read_text().splitlines()
    losses = [float(line.split(",")[history[0].split(",").index("val_loss")]) for line in history[1:]]
    assert min(losses) != losses[-1], "the best is to be another than the last"
    assert metrics(rows["trial 1"])["", "best/val_loss"] == pytest.approx(min(losses))
    assert metrics(rows["trial 1"])["validation", "epoch_loss"] == pytest.approx(losses[-1])


@pytest.mark.full
def test_among_other_runs_each_has_its_own_columns(study, table):
    columns, rows = table(study.parent, 3)
    assert sorted(rows) == ["trial 1", "trial 2", "trial 3"]
    assert {"deep", "kind", "train.optimizer.SGD"} == {one["name"] for one in columns["hparamInfos"]}
    tags = {(one["name"].get("group", ""), one["name"]["tag"]) for one in columns["metricInfos"]}
    assert {("", "best/val_loss"), ("validation", "epoch_loss"), ("train", "epoch_loss")} <= tags


def tags(folder):
    """Tag and step of all that the event files right in a folder hold."""
    return [
        (value.tag, event.step)
        for file in sorted(Path(folder).glob("events.*"))
        for event in EventFileLoader(str(file)).Load()
        for value in event.summary.value
    ]


@pytest.mark.full
def test_nothing_is_doubled_where_a_trial_goes_on(study):
    for number, epochs in ((1, 3), (3, 5)):
        events = place(study, number) / "tensorboard"
        for part in ("", "train", "validation"):
            found = tags(events / part)
            assert sorted(found) == sorted(set(found))
        assert {step for _, step in tags(events / "validation")} == {*range(1, epochs + 1)}
        assert {("_hparams_/session_start_info", 0), ("best/val_loss", 0)} < {*tags(events)}


@pytest.mark.full
def test_an_answer_that_is_written_again_replaces_the_columns(study):
    before = tags(study / "tensorboard")
    answer(open_study(study))
    assert tags(study / "tensorboard") == before == [("_hparams_/experiment", 0)]


@pytest.mark.full
def test_without_event_files_there_are_no_columns(study, tmp_path):
    import shutil

    shutil.copytree(study, tmp_path / "s", ignore=shutil.ignore_patterns("tensorboard"))
    answer(open_study(tmp_path / "s"))
    assert not (tmp_path / "s" / "tensorboard").exists()
