"""Run by test_distribute.py in a process with several devices: `python shared.py BACKEND DEVICES PART,PART FOLDER`.

It prints one JSON value: by part the numbers that the tests compare.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

backend, devices, what, place = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if backend == "jax":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
else:
    import tensorflow as tf

    parts = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)

import numpy as np  # noqa: E402

import kbuild  # noqa: E402
from kbuild.text.problem import SpecError  # noqa: E402
from kbuild.train.progress import Reporter  # noqa: E402
from kbuild.train.verify import verify  # noqa: E402

# 100 examples to train on: the last batch of 16 has 4; 25 to validate: the last has 9
SPEC = """
kbuild: 1
name: shared
data: {{source: iris, batch_size: 16, preprocess: [Normalization], split: {{validation: 25, test: 25}}}}
model: [{{Dense: 16}}, {more} ReLU, {{Dense: {{units: 3, activation: softmax}}}}]
train: {{optimizer: {{SGD: {{learning_rate: 0.05, momentum: 0.9}}}}, epochs: 3, metrics: [accuracy]}}
"""


class Notes(Reporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """A line."""
        self.notes.append(text)


def train(name: str, more: str = "", **overrides: object) -> Any:
    """A run, or its problems."""
    said = {"train.distribute": "data_parallel", **{key.replace("__", "."): value for key, value in overrides.items()}}
    try:
        return kbuild.fit(kbuild.load(SPEC.format(more=more), overrides=said), out=place / name, report=Notes())
    except SpecError as error:
        return [[problem.code, problem.message, problem.help] for problem in error.problems]


def gap(one: Any, other: Any) -> float:
    """The largest difference between the weights and the histories of two runs, time aside."""
    pairs = list(zip(one.model.get_weights(), other.model.get_weights(), strict=True))
    pairs += [(np.asarray(one.history[key]), np.asarray(other.history[key])) for key in one.history if key != "seconds"]
    return float(max(np.abs(a - b).max() for a, b in pairs))


def bits(run: Any) -> str:
    """The weights, byte for byte, and the history without its times."""
    import hashlib

    history = {key: values for key, values in run.history.items() if key != "seconds"}
    data = b"".join(value.tobytes() for value in run.model.get_weights()) + json.dumps(history).encode()
    return hashlib.sha256(data).hexdigest()


def info(run: Any) -> Any:
    """What `run.json` says."""
    return json.loads((run.path / "run.json").read_text())


def one_or_many() -> object:
    """The same numbers on one device and on all, with batches that cannot be shared evenly."""
    norm = "BatchNormalization, {Dropout: 0.2}," if backend == "jax" else ""
    alone, many = train("one", norm, train__distribute="none"), train("many", norm)
    # 97 examples: the last batch has one, which each device computes
    uneven = {"data__split": {"validation": 28, "test": 25}}
    rest = 0.0
    if backend == "jax":
        rest = gap(train("a", norm, train__distribute="none", **uneven), train("b", norm, **uneven))
    short = train("short", norm, train__epochs=1)
    report = Notes()
    longer = kbuild.resume(short.path, epochs=3, report=report)
    found = {
        "gap": gap(alone, many), "uneven": rest, "devices": info(many)["devices"], "alone": "devices" in info(alone),
        "processes": info(many)["processes"], "verified": verify(many.path)["steps"],
        "resumed": bits(longer) == bits(many), "test": gap_of(alone.test, many.test),
        "warned": warned(report),
    }  # fmt: skip
    written = longer.path / "run.json"
    written.write_text(json.dumps({**info(longer), "devices": [*info(longer)["devices"], "cpu:99"]}))
    kbuild.resume(longer.path, epochs="+1", report=report)
    return {**found, "warned_then": warned(report)}


def warned(report: Notes) -> int:
    """How often it was said that the devices are others."""
    return sum("other devices" in note for note in report.notes)


def gap_of(one: dict[str, float], other: dict[str, float]) -> float:
    """The largest difference between numbers by name."""
    assert one.keys() == other.keys()
    return max(abs(one[key] - other[key]) for key in one)


def refused() -> object:
    """What cannot be."""
    found = {"batch": train("batch", data__batch_size=15), "small": train("small", data__batch_size=1)}
    if backend == "tensorflow":
        found["norm"] = train("norm", "BatchNormalization,")
        found["last"] = train("last", data__split={"validation": 26, "test": 25})
        os.environ["TF_CONFIG"] = "{}"
        found["workers"] = train("workers")
        del os.environ["TF_CONFIG"]
    return {**found, "left": [name for name in found if (place / name).exists()]}


def one_device() -> object:
    """A spec for many devices on a machine with one."""
    report = Notes()
    said = {"train.distribute": "data_parallel"}
    run: Any = kbuild.fit(kbuild.load(SPEC.format(more=""), overrides=said), out=place / "run", report=report)
    return {"notes": report.notes, "devices": "devices" in info(run)}


def wrong_step() -> object:
    """A loss that weighs the examples of a batch together is another on the share of a device."""
    import keras

    @keras.saving.register_keras_serializable("test")
    class Together(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.square(keras.ops.mean(y_pred, axis=0))[:1] * keras.ops.ones_like(y_pred[:, 0])

    from kbuild.train import distribute_mirrored
    from kbuild.train.fit import prepared

    spec = kbuild.load(SPEC.format(more=""), overrides={"train.distribute": "data_parallel"})
    with prepared(spec, backend) as job:
        batch = next(iter(job.train.data))
        before = job.model.get_weights()
        distribute_mirrored.check(job.model, [batch], 4)
        with job.model.distribute_strategy.scope():
            job.model.compile(optimizer="sgd", loss=Together())
        try:
            distribute_mirrored.check(job.model, [batch], 4)
        except SpecError as error:
            same = all((a == b).all() for a, b in zip(before, job.model.get_weights(), strict=True))
            return {"message": error.problems[0].message, "unchanged": same}
    return {"message": "", "unchanged": True}


print(json.dumps({part: globals()[part]() for part in what.split(",")}))
