"""compare: what it prints, draws and refuses."""

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import kbuild as package

SPEC = """
kbuild: 1
name: small
data: {source: iris, split: {validation: 0.2, test: 0.2}}
model: [{Dense: {units: 8, activation: relu}}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 2, metrics: [accuracy], tensorboard: false}
"""


def study(path, count, *, seed=0, fail=()):
    """A study as `kbuild tune` leaves it: a rate that matters, a width that does not, a depth that is not always
    there."""
    rng = random.Random(seed)
    events: list[dict[str, object]] = [{"event": "study", "spec": "kbuild: 1\n"}]
    for number in range(1, count + 1):
        rate, kind, width = 10 ** rng.uniform(-4, -1), rng.choice(["flat", "conv"]), rng.randint(4, 64)
        values = {"rate": rate, "kind": kind, "model.a.units": width}
        values |= {"depth": rng.randint(1, 3)} if kind == "flat" else {}
        score = 0.1 + abs(math.log10(rate) + 2.5)
        asked = {"event": "trial", "trial": number, "proposed": values, "values": values, "epochs": None}
        events.append({**asked, "parent": None, "params": 10 * width, "flops": 20 * width})
        end = {"event": "end", "trial": number, "status": "done", "score": score, "epochs": 2, "seconds": 1.5}
        if number in fail:
            end |= {"status": "failed", "score": None, "reason": "there is no memory left"}
        events.append({**end, "metrics": {"val_loss": score}, "test": {"loss": 2 * score}})
    path.mkdir(parents=True)
    (path / "ledger.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    told = {"kind": "study", "name": "s", "status": "done", "objective": "val_loss", "direction": "min"}
    (path / "run.json").write_text(json.dumps(told))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, one with another network, and a set of two that differ in their seeds."""
    home = tmp_path_factory.mktemp("runs")

    def fit(name, **changes):
        package.fit(package.load(SPEC, overrides=changes), out=home / name)
        return home / name

    wide = {"model": [{"Dense": {"units": 16, "activation": "relu"}}, {"Dense": {"units": 3, "activation": "softmax"}}]}
    twice = fit("twice", **{"train.repeats": 2})
    return twice / "members" / "1", fit("wide", **wide, **{"train.epochs": 3}), twice


def rows(text, first):
    """The cells of the lines of a table below the header that begins with `first`, by their first cell."""
    lines = text.split("\n")
    start = next(at for at, line in enumerate(lines) if line.split()[:1] == [first])
    body = lines[start + 1 : start + 1 + next(n for n, line in enumerate([*lines[start + 1 :], ""]) if not line)]
    return {line.split()[0]: line.split()[1:] for line in body}


def test_runs_stand_side_by_side(kbuild, runs, tmp_path):
    done = kbuild("compare", *runs, "--out", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    table = rows(done.out, "run")
    assert table["1"] == ["done", "67", "146", "2", "2", table["1"][-1]]  # 4·8 + 8 + 8·3 + 3 parameters
    assert table["wide"][1:4] == ["131", "274", "3"]
    assert table["twice"][:3] == ["(2", "repeats)", "done"]
    assert "±" in next(
        line for line in done.out.split("\n") if line.startswith("twice") and "." in line and "±" in line
    )
    differs = rows(done.out, "what")
    assert differs["dense:"] == ["units", "8", "16", "8"]
    assert differs["train.epochs"] == ["2", "3", "2"]
    assert differs["train.repeats"][-1] == "2"
    assert "data.batch_size" not in differs
    with Image.open(tmp_path / "out" / "curves.png") as picture:
        assert picture.width > 600


def test_the_best_of_each_metric_is_marked(kbuild, runs):
    found = json.loads(kbuild("compare", *runs[:2], "--json", "--no-pictures").out)
    assert found["pictures"] == []
    for name in ("loss", "val_loss", "test_loss", "accuracy", "val_accuracy", "test_accuracy"):
        part, bare = ("test", name[5:]) if name.startswith("test_") else ("metrics", name)
        values = [run[part][bare] for run in found["runs"]]
        best = (min if "loss" in name else max)(values)
        marked = [str(path) for path, value in zip(runs, values, strict=False) if value == best]
        assert found["best"][name] == marked
    for path, told in zip(runs, found["runs"], strict=False):
        kept = json.loads((path / "run.json").read_text())
        assert (told["metrics"], told["test"], told["params"]) == (kept["metrics"], kept["test"], kept["parameters"])


def test_a_set_counts_as_one(kbuild, runs):
    found = json.loads(kbuild("compare", runs[0], runs[2], "--json", "--no-pictures").out)["runs"][1]
    members = [json.loads((runs[2] / "members" / n / "run.json").read_text())["metrics"]["val_loss"] for n in "12"]
    assert found["metrics"]["val_loss"] == pytest.approx(sum(members) / 2)
    assert found["sd"]["val_loss"] == pytest.approx(abs(members[0] - members[1]) / math.sqrt(2))
    assert (found["kind"], found["size"], found["epochs"]) == ("repeats", 2, 2)


def test_a_run_that_is_not_over_is_shown_as_such(kbuild, runs, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    told = json.loads((runs[0] / "run.json").read_text())
    gone = ("epochs", "seconds", "best_epoch", "metrics", "test")
    (half / "run.json").write_text(json.dumps({k: v for k, v in told.items() if k not in gone} | {"status": "running"}))
    (half / "spec.yaml").write_text((runs[0] / "spec.yaml").read_text())
    (half / "history.csv").write_text("".join((runs[0] / "history.csv").read_text().splitlines(True)[:2]))
    done = kbuild("compare", half, runs[0], "--no-pictures")
    assert rows(done.out, "run")["half"][:5] == ["running", "67", "146", "1", "-"]
    assert "no difference between their specs" in done.out


def test_a_spec_that_cannot_be_read_is_no_reason_to_show_no_numbers(kbuild, runs, tmp_path):
    import shutil

    torn = tmp_path / "torn"
    shutil.copytree(runs[0], torn)
    (torn / "spec.yaml").write_text("kbuild: 1\nmodel: [Dens]\n")
    done = kbuild("compare", runs[0], torn, "--no-pictures")
    assert done.code == 0
    assert rows(done.out, "run")["torn"][:3] == ["done", "67", "-"]
    assert "torn: what differs is not told: its spec cannot be read: there is no layer or block `Dens`" in done.out


def test_what_cannot_stand_side_by_side(kbuild, runs, tmp_path):
    searched = study(tmp_path / "s", 3)
    for given, message in (
        ([runs[0]], "is one run, and there is nothing to compare it with"),
        ([runs[0], runs[0]], "is given twice"),
        ([runs[0], searched], "is a study, and is not compared with runs"),
    ):
        done = kbuild("compare", *given)
        assert (done.code, done.out) == (5, "")
        assert done.err.startswith("error[K650]") and message in done.err
    assert "error[K603]" in kbuild("compare", tmp_path / "nowhere").err
    assert "error[K604]" in kbuild("compare", tmp_path, runs[0]).err
    assert "error[K601]" in kbuild("compare", searched, "--out", runs[0]).err


def test_a_study_with_nothing_done_or_a_damaged_ledger(kbuild, tmp_path):
    failed = study(tmp_path / "failed", 2, fail=(1, 2))
    done = kbuild("compare", failed)
    assert done.code == 5
    assert "error[K651]" in done.err and "no trial that is done (2 failed)" in done.err
    damaged = study(tmp_path / "damaged", 3)
    lines = (damaged / "ledger.jsonl").read_text().splitlines(True)
    (damaged / "ledger.jsonl").write_text("".join([lines[0], "{torn\n", *lines[1:]]))
    done = kbuild("compare", damaged)
    assert (done.code, "error[K640]: line 2 of" in done.err) == (5, True)


def test_a_study_as_tables_and_pictures(kbuild, tmp_path):
    path = study(tmp_path / "s", 40, fail=(7,))
    done = kbuild("compare", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("s: done, 39 trials done, 1 failed; minimum of val_loss\n")
    assert "failed (trial 7): there is no memory left" in done.out
    holes = rows(done.out, "hole")
    assert next(iter(holes)) == "rate"
    assert "·: not there in this trial" in done.out
    for name in ("parallel.png", "importance.png", "front.png"):
        with Image.open(path / "report" / name) as picture:
            assert picture.width > 500
        assert f"picture: {path / 'report' / name}" in done.out


def test_a_study_as_json(kbuild, tmp_path):
    path = study(tmp_path / "s", 40, fail=(7,))
    found = json.loads(kbuild("compare", path, "--json", "--no-pictures").out)
    trials = found["trials"]
    scores = [trial["score"] for trial in trials if trial["status"] == "done"]
    assert scores == sorted(scores) and len(scores) == 39
    assert trials[-1]["trial"] == 7 and trials[-1]["reason"] == "there is no memory left"
    done = [trial for trial in trials if trial["status"] == "done"]
    free = [
        trial["trial"]
        for trial in done
        if not any(o["params"] <= trial["params"] and o["score"] < trial["score"] for o in done)
    ]
    assert sorted(found["front"]) == sorted(free)
    assert next(hole["path"] for hole in found["importance"]["holes"]) == "rate"
    assert not (path / "report").exists()


def test_few_trials_say_nothing_of_importance(kbuild, tmp_path):
    done = kbuild("compare", study(tmp_path / "s", 5))
    assert "importance is not told: 5 trials are too few for 4 holes; 10 are needed" in done.out
    assert not (tmp_path / "s" / "report" / "importance.png").exists()


def test_keras_is_not_loaded(runs, tmp_path):
    code = (
        "import sys\nfrom kbuild.cli.main import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\nfound = {'keras', 'tensorflow', 'jax', 'torch', 'keras_tuner'}\n"
        "assert not found & set(sys.modules), found & set(sys.modules)"
    )
    searched = study(tmp_path / "s", 12)
    env = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    for given in ([searched], runs[:2]):
        done = subprocess.run(
            [sys.executable, "-c", code, "compare", *map(str, given)],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
