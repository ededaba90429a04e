"""Trials on a Ray cluster: how it is reached, what comes home, and that a node may die."""

import json
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from kbuild.search import ledger
from kbuild.search.connect import connected
from kbuild.search.parcel import packed, unpacked
from kbuild.search.study import open_study
from kbuild.text.problem import SpecError

HERE = Path(__file__).parent
BUILDER = HERE.parents[1] / "builder"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(BUILDER)}
SPEC = """
kbuild: 1
name: small
data: {source: iris, batch_size: 2}
model:
  - {Dense: {units: {$int: [4, 16]}}, repeat: {$int: [1, 2]}, name: stage}
  - ReLU
  - {Dense: {units: 3, activation: softmax}}
train:
  {epochs: 15, optimizer: {Adam: {$float: [1e-3, 1e-1], sampling: log}}, tensorboard: false,
  execution: {steps_per_execution: 1, jit: false}}
tune: {oracle: {RandomSearch: {max_trials: 5}}, objective: val_loss, parallel: 2}
"""
VARYING = ("elapsed", "seconds")
ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


def reached(address):
    with pytest.raises(SpecError) as caught, connected(address):
        pass
    assert caught.value.exit_code == 4
    return caught.value.problems[0]


def ended(path):
    """What became of the trials, but for the times."""
    ends = sorted((e for e in ledger.read(path / ledger.NAME) if e["event"] == "end"), key=lambda e: e["trial"])
    return [{name: value for name, value in end.items() if name not in VARYING} for end in ends]


@ray
@pytest.mark.parametrize("address", ["lokal", "host", "ray://host", "host:port", ""])
def test_what_is_no_address_is_told(address):
    problem = reached(address)
    assert (problem.code, problem.message) == ("K517", f"`{address}` is no address of a Ray cluster")
    assert problem.help == "give `local`, `auto`, `HOST:PORT` or `ray://HOST:PORT`"


@ray
@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_a_cluster_that_is_not_there_is_told_at_once(form):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = form.format(free.getsockname()[1])
    problem = reached(address)
    assert (problem.code, problem.message) == ("K517", f"no Ray cluster answers at `{address}`: Connection refused")


def test_without_ray_the_extra_is_named(tmp_path):
    code = "import sys; sys.modules['ray'] = None\nfrom kbuild.cli.main import main\nmain(['tune', 'SPEC', '--ray', 'local'])"
    (tmp_path / "small.yaml").write_text(SPEC)
    code = code.replace("SPEC", str(tmp_path / "small.yaml"))
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "error[K516]: `--ray` needs Ray, which is not installed" in done.stderr
    assert 'help: pip install "kbuild[ray]"' in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_is_carried_whole_and_replaces_what_was_there(tmp_path):
    run, home = tmp_path / "run", tmp_path / "home" / "0001"
    (run / "checkpoints" / "step-3").mkdir(parents=True)
    (run / "checkpoints" / "step-3" / "arrays.npz").write_bytes(bytes(range(256)))
    (run / "run.json").write_text("{}")
    content = packed(run)
    assert content is not None
    home.mkdir(parents=True)
    (home / "old").write_text("")
    unpacked(content, home)
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()) == [
        "checkpoints/step-3/arrays.npz",
        "run.json",
    ]
    assert (home / "checkpoints" / "step-3" / "arrays.npz").read_bytes() == bytes(range(256))
    assert [path.name for path in home.parent.iterdir()] == ["0001"]
    assert packed(tmp_path / "none") is None


@ray
@pytest.mark.full
def test_a_node_that_dies_in_mid_trial_costs_only_that(tmp_path):
    """Two nodes that share no disk with the driver; one is killed while it trains."""
    (tmp_path / "small.yaml").write_text(SPEC)
    done = subprocess.run(
        [sys.executable, HERE / "clustered.py", tmp_path / "small.yaml", tmp_path / "ray"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)  # Ray itself says nothing
    given = [tuple(one) for one in told["given"]]
    twice = [trial for trial, where in given if where == "second"][-1]
    assert (twice, "first") in given
    assert sorted(trial for trial, _ in given) == sorted([1, 2, 3, 4, 5, twice])

    here = [sys.executable, "-m", "kbuild", "tune", tmp_path / "small.yaml", "--out", tmp_path / "here", "--quiet"]
    subprocess.run(here, env=ENVIRONMENT, timeout=900, check=True)
    assert ended(tmp_path / "ray") == ended(tmp_path / "here")
    best = [
        (tmp_path / name / "best.yaml").read_text().replace(f"in {name}\n", "in STUDY\n") for name in ("ray", "here")
    ]
    assert best[0] == best[1]
    for trial in open_study(tmp_path / "ray").trials:
        assert (tmp_path / "ray" / "trials" / f"{trial.number:04d}" / "model.keras").is_file()
    assert not (tmp_path / "ray" / ".ray").exists()


@ray
@pytest.mark.full
def test_a_search_that_was_stopped_on_a_cluster_goes_on_there(tmp_path):
    (tmp_path / "small.yaml").write_text(SPEC)
    study = tmp_path / "study"
    command = [sys.executable, "-m", "kbuild", "tune"]
    begun = subprocess.Popen(
        [*command, tmp_path / "small.yaml", "--out", study, "--ray", "local", "--quiet"], env=ENVIRONMENT
    )
    while begun.poll() is None and not list(study.glob("trials/0001/checkpoints/step*")):
        time.sleep(0.1)
    begun.terminate()
    assert begun.wait(300) == 143
    assert json.loads((study / "run.json").read_text())["status"] == "stopped"
    assert ended(study) == []
    done = subprocess.run(
        [*command, "--resume", study, "--ray", "local", "--json"],
        env=ENVIRONMENT, timeout=900, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr[-2000:])
    assert json.loads(done.stdout)["trials"] == 5
    subprocess.run([*command, tmp_path / "small.yaml", "--out", tmp_path / "here", "-q"], env=ENVIRONMENT, check=True)
    assert ended(study) == ended(tmp_path / "here")
