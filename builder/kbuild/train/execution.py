"""Seed, determinism, device and the way in which a step is run. One of the few files that know the backend."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from kbuild.model import backend
from kbuild.spec.train import Train
from kbuild.text.problem import Problem, SpecError


@contextmanager
def precision(train: Train) -> Iterator[None]:
    """Layers that are made inside compute as `train.precision` says; what comes after is as before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(train.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def prepare(train: Train) -> list[str]:
    """Make the process ready to build and train: seed, determinism. Call before the model is built.

    Returns:
        What a user should know of it, a line each.

    Raises:
        SpecError: K162 if the backend cannot do what is asked.
    """
    notes = []
    if train.precision != "float32" and not accelerated():
        notes.append(
            f"warning: `precision: {train.precision}` on a CPU is slower than float32, up to 60 times; it is for GPUs"
        )
    backend.seed(train.seed, train.deterministic)
    return notes


def arguments(train: Train) -> dict[str, object]:
    """How `compile` is to run the step: `jit_compile` and `steps_per_execution`.

    Raises:
        SpecError: K162 if the backend cannot run it so.
    """
    if train.execution == "auto":
        # XLA is refused under determinism, and Keras's "auto" does not know of it
        return {"jit_compile": "auto" if not train.deterministic or keras.backend.backend() != "tensorflow" else False}
    steps = train.execution.steps_per_execution
    if steps > 1 and keras.backend.backend() == "torch":
        raise SpecError(
            Problem(
                "K162",
                "`steps_per_execution` above 1 does not work on the torch backend",
                help="leave it out, or use `--backend tensorflow`",
                path="train.execution.steps_per_execution",
            )
        )
    return {"jit_compile": train.execution.jit, "steps_per_execution": steps}


def accelerated() -> bool:
    """Whether Keras sees a GPU or TPU."""
    return not all(name.startswith("cpu") for name in keras.distribution.list_devices())


def device() -> str:
    """The devices of this run: `cpu:0`, `gpu:0, gpu:1`."""
    found = [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]
    return ", ".join(found) or "cpu"
