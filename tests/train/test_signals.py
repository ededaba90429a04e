"""SIGTERM and SIGINT, wherever they come, end the command soon, with their exit code and no traceback; the run goes on."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from kbuild.train import checkpoint

SPEC = """
kbuild: 1
name: signals
data: {source: iris, split: {validation: 0.2, test: 0.2}, batch_size: 16}
model: [{Dense: {units: 8, activation: relu}}, {Dropout: 0.2}, {Dense: {units: 3, activation: softmax}}]
train: {epochs: 3, optimizer: {Adam: 1e-2}, execution: {steps_per_execution: 1}}
"""
TERM, INT = signal.SIGTERM, signal.SIGINT
FULL = os.environ.get("KBUILD_FULL") == "1"


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "signals.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def whole(spec, nursery, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    assert nursery.run("fit", spec, "--out", path, "--quiet").code == 0
    return path


def newest(run: Path):
    return checkpoint.newest(run / "checkpoints")


def equal(run: Path, whole: Path) -> None:
    one, other = newest(run), newest(whole)
    assert {name: a.tobytes() for name, a in one.arrays.items()} == {
        name: a.tobytes() for name, a in other.arrays.items()
    }
    assert (run / "report" / "evaluation.json").read_bytes() == (whole / "report" / "evaluation.json").read_bytes()


@pytest.mark.parametrize("number", [TERM, INT], ids=["term", "int"])
def test_before_there_is_a_run_there_is_none(nursery, spec, tmp_path, number):
    done = nursery.run("fit", spec, "--out", tmp_path / "run", kill=[("compile", 1, number)])
    assert (done.code, done.err) == (128 + number, f"stopped by {'SIGTERM' if number == TERM else 'Ctrl-C'}\n")
    assert not (tmp_path / "run").exists()


# of the tests of an epoch the first two batches are the look at the first batch, before training
@pytest.mark.parametrize(
    ("place", "at", "number"),
    [
        ("batch", 8, TERM),
        ("test", 4, INT),
        ("predict", 1, TERM),
        *(pytest.param(*one, marks=pytest.mark.full) for one in [
            ("batch", 1, TERM), ("batch", 6, INT), ("batch", 12, TERM), ("batch", 17, INT), ("epoch", 1, TERM), ("epoch", 3, INT),
            ("between", 1, TERM), ("between", 2, INT), ("between", 3, TERM), ("test", 2, TERM), ("test", 3, TERM), ("test", 6, INT),
            ("predict", 1, INT),
        ]),
    ],
)  # fmt: skip
def test_once_it_stops_and_goes_on(nursery, spec, whole, tmp_path, place, at, number):
    run = tmp_path / "run"
    done = nursery.run("fit", spec, "--out", run, kill=[(place, at, number)])
    assert done.code == 128 + number, done.err
    assert "Traceback" not in done.err + done.out and f"next: kbuild fit --resume {run}" in done.out
    info = json.loads((run / "run.json").read_text())
    assert (info["status"], info["signal"]) == ("stopped", number)
    assert not list(run.rglob(".*"))
    if place in ("batch", "between") and at not in (6, 12, 18):
        assert newest(run) is not None
    again = nursery.run("fit", "--resume", run, "--quiet")
    assert again.code == 0, again.err
    equal(run, whole)
    assert json.loads((run / "run.json").read_text())["signal"] is None


@pytest.mark.parametrize(
    ("place", "first", "second"),
    [("batch", INT, INT), *(pytest.param(*one, marks=pytest.mark.full) for one in [("batch", TERM, TERM), ("batch", TERM, INT), ("test", INT, TERM), ("epoch", INT, INT), ("predict", INT, INT)])],
)  # fmt: skip
def test_twice_it_ends_at_once(nursery, spec, whole, tmp_path, place, first, second):
    run = tmp_path / "run"
    done = nursery.run(
        "fit",
        spec,
        "--out",
        run,
        kill=[(place, 3 if place == "test" else 1, first), (place, 3 if place == "test" else 1, second)],
    )
    assert done.code in (128 + second, -second), done.err
    assert "Traceback" not in done.err
    # what can be done again is ended by the first, and there is time to say so
    expected = "stopped" if place == "predict" else "running"
    assert json.loads((run / "run.json").read_text())["status"] == expected
    again = nursery.run("fit", "--resume", run, "--quiet")
    assert again.code == 0, again.err
    equal(run, whole)


def test_from_outside_at_any_time(nursery, spec, whole, tmp_path):
    """Signals of another process, at times that nothing was prepared for."""
    for number, wait in enumerate((0.05, 0.4, 1.0, 1.6, 2.2, 3.0) if FULL else (0.5,)):
        run = tmp_path / str(number)
        pid = nursery.start("fit", spec, "--out", run, "--set", "train.epochs=3")
        time.sleep(wait)
        os.kill(pid, (TERM, INT)[number % 2])
        done = nursery.wait(pid)
        assert done.code in (143, 130, 0, -15), done.err
        assert "Traceback" not in done.err + done.out
        if (run / "run.json").exists() and done.code:
            assert nursery.run("fit", "--resume", run, "--quiet").code in (0, 5)
            equal(run, whole)


COLLECTED = """
import gc, os, signal
def collecting(phase, found):
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        gc.callbacks.remove(collecting)
        os.kill(os.getpid(), {number})
        sum(range(9))  # the handler is called here, and what it raises is dropped
gc.callbacks.append(collecting)
from kbuild.cli.main import main
main(["fit", {spec!r}, "--out", {run!r}, "--set", "train.epochs=5000"])
"""


@pytest.mark.parametrize("number", [TERM, pytest.param(INT, marks=pytest.mark.full)])
def test_a_signal_that_comes_while_garbage_is_collected_is_not_lost(nursery, spec, tmp_path, number):
    done = nursery.run("-c", COLLECTED.format(number=int(number), spec=str(spec), run=str(tmp_path / "run")))
    assert (done.code, "Traceback" in done.err, "ignored" in done.err) == (128 + number, False, False), done.err


def test_two_processes_do_not_train_one_run(nursery, spec, whole, tmp_path):
    run = tmp_path / "run"
    assert nursery.run("fit", spec, "--out", run, "--quiet", kill=[("batch", 8, TERM)]).code == 143
    pid = nursery.start("fit", "--resume", run, "--quiet", kill=[("epoch", 1, signal.SIGSTOP)])
    stopped(pid)
    other = nursery.run("fit", "--resume", run)
    assert (other.code, "Traceback" in other.err) == (5, False)
    assert f"error[K620]: another process trains in `{run}`: process {pid} on " in other.err
    os.kill(pid, signal.SIGKILL)
    assert nursery.wait(pid).code == -9
    # the lock of a process that was killed is gone with it
    assert nursery.run("fit", "--resume", run, "--quiet").code == 0
    equal(run, whole)


def stopped(pid: int) -> None:
    """Wait until a process stands still."""
    for _ in range(1200):
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
            return
        time.sleep(0.05)
    raise AssertionError("it never came there")
