"""distribute: one batch on several devices gives the numbers of one device. Each test runs in a process of its own,
because a process counts its devices once.
"""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
JAX = pytest.param("jax", marks=pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed"))
TENSORFLOW = pytest.param(
    "tensorflow",
    marks=pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="TensorFlow is not installed"),
)
SPEC = """
kbuild: 1
name: two
data: {source: iris, batch_size: 16, preprocess: [Normalization], split: {validation: 28, test: 25}}
model: [{Dense: 16}, BatchNormalization, ReLU, {Dense: {units: 3, activation: softmax}}]
train: {optimizer: {SGD: {learning_rate: 0.05, momentum: 0.9}}, epochs: 2, distribute: data_parallel}
"""


def environment(backend: str, **more: str) -> dict[str, str]:
    unwanted = {"TF_CONFIG", "XLA_FLAGS", "KERAS_BACKEND"}
    kept = {key: value for key, value in os.environ.items() if key not in unwanted and "KERAS_DISTR" not in key}
    return {**kept, "PYTHONPATH": str(ROOT / "builder"), "KERAS_BACKEND": backend, **more}


def shared(backend: str, devices: int, what: str, place: Path) -> Any:
    script = Path(__file__).parent / "shared.py"
    done = subprocess.run(
        [sys.executable, script, backend, str(devices), what, place],
        env=environment(backend), capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().split("\n")[-1])


@pytest.fixture(scope="module", params=[JAX, TENSORFLOW])
def many(request, tmp_path_factory):
    """Backend, number of devices, and what was found on them."""
    backend, devices = request.param, 4 if request.param == "jax" else 2
    parts = "one_or_many,refused" + (",wrong_step" if backend == "tensorflow" else "")
    return backend, devices, shared(backend, devices, parts, tmp_path_factory.mktemp("many"))


@pytest.mark.full
def test_many_devices_give_the_numbers_of_one(many):
    _, devices, parts = many
    found = parts["one_or_many"]
    assert found["gap"] < 1e-5
    assert found["uneven"] < 1e-5
    assert found["test"] < 1e-5
    assert len(found["devices"]) == devices
    assert (found["processes"], found["alone"]) == (1, False)


@pytest.mark.full
def test_a_run_on_many_devices_repeats_and_goes_on_to_the_same_bits(many):
    _, _, parts = many
    assert parts["one_or_many"]["verified"] == 7
    assert parts["one_or_many"]["resumed"]
    assert (parts["one_or_many"]["warned"], parts["one_or_many"]["warned_then"]) == (0, 1)


@pytest.mark.full
def test_what_cannot_be_shared_is_refused_before_a_run_is_made(many):
    backend, devices, parts = many
    found = parts["refused"]
    near = "12 or 16" if devices == 4 else "14 or 16"
    assert found["batch"] == [
        ["K167", f"a batch of 15 cannot be shared evenly by {devices} devices", f"take a `batch_size` of {near}"]
    ]
    assert found["small"][0][2] == f"take a `batch_size` of {devices}"
    assert found["left"] == []
    if backend == "tensorflow":
        assert found["norm"][0][1] == "`batch_normalization` takes its statistics from the share of one device"
        assert found["last"][0][1].startswith("the last batch of an epoch has 3 examples, which 2 devices cannot share")
        assert found["workers"][0][1].endswith("is not supported by Keras 3 (keras#20585)")
        assert found["workers"][0][2] == "use JAX: `--backend jax`"


@pytest.mark.full
def test_a_step_that_is_not_that_of_one_device_is_found(many):
    backend, _, parts = many
    if backend != "tensorflow":
        pytest.skip("only what TensorFlow does is held against one device")
    assert parts["wrong_step"]["message"].startswith("a step on 2 devices is not that of one: the loss differs by ")
    assert parts["wrong_step"]["unchanged"]


@pytest.mark.full
@pytest.mark.parametrize("backend", [JAX, TENSORFLOW])
def test_one_device_is_told_of(backend, tmp_path):
    found = shared(backend, 1, "one_device", tmp_path)["one_device"]
    assert "`distribute: data_parallel` changes nothing here: there is one device" in found["notes"]
    assert not found["devices"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(place: Path, *arguments: str) -> list[subprocess.CompletedProcess]:
    """The command in two processes with two devices each, over loopback."""
    more = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "kbuild", *arguments], cwd=place, text=True,
            env=environment("jax", KERAS_DISTRIBUTION_PROCESS_ID=str(number), **more),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in (0, 1)
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=400) for process in begun]
    finally:
        for process in begun:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *said)
        for process, said in zip(begun, ended, strict=True)
    ]


@pytest.mark.full
@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_two_processes_leave_one_run_with_the_numbers_of_one_device(tmp_path):
    (tmp_path / "two.yaml").write_text(SPEC)
    first = together(tmp_path, "fit", "two.yaml", "--backend", "jax")
    assert [done.returncode for done in first] == [0, 0], first
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["two-001"]
    run = tmp_path / "runs" / "two-001"
    info = json.loads((run / "run.json").read_text())
    assert (info["processes"], len(info["devices"])) == (2, 4)
    assert "epoch 2/2" in first[0].stdout
    # JAX's own library for processors tells of its connections
    assert [line for line in first[1].stdout.splitlines() if not line.startswith("[Gloo]")] == []

    alone = subprocess.run(
        [sys.executable, "-m", "kbuild", "fit", "two.yaml", "--out", "alone", "--set", "train.distribute=none"],
        cwd=tmp_path, env=environment("jax"), capture_output=True, timeout=400,
    )  # fmt: skip
    assert alone.returncode == 0
    rows = [(tmp_path / where / "history.csv").read_text().splitlines() for where in ("runs/two-001", "alone")]
    assert rows[0][0] == rows[1][0]
    columns = rows[0][0].split(",")
    for one, other in zip(rows[0][1:], rows[1][1:], strict=True):
        pairs = zip(columns, one.split(","), other.split(","), strict=True)
        assert all(abs(float(a) - float(b)) < 1e-5 for name, a, b in pairs if name != "seconds")

    again = together(tmp_path, "fit", "--resume", str(run), "--epochs", "+1")
    assert [done.returncode for done in again] == [0, 0], again
    assert "epoch 3/3" in again[0].stdout
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["two-001"]
