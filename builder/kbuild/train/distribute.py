"""`train.distribute` → Spread: the same training on several devices, each with a share of every batch.

On JAX the layouts are those of `keras.distribution.DataParallel`, over all devices of all processes; the batches are
laid out here, because Keras gives the last, smaller batch of an epoch the layout of the first. On TensorFlow it is
`MirroredStrategy`, which distribute_mirrored.py holds against a single device. One of the few files that know the
backend.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import keras
import numpy as np

from kbuild.spec.train import Train
from kbuild.text.problem import Problem, SpecError
from kbuild.train.execution_rule import Choice
from kbuild.train.feed import Feed

PROCESSES = ("KERAS_DISTRIBUTION_JOB_ADDRESSES", "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID")
"""Variables that make several processes one training (`keras.distribution.initialize`)."""
_PATH = "train.distribute"


@dataclass(frozen=True)
class Spread:
    """The devices that share each batch.

    Args:
        devices: all of them, of all processes: `cpu:0`, `gpu:3`.
        processes: how many processes train together.
        process: the number of this one; 0 is the one that writes.
        engine: what Keras calls it: a `keras.distribution.DataParallel`, or a `tf.distribute.MirroredStrategy`.
    """

    devices: tuple[str, ...]
    processes: int
    process: int
    engine: Any

    @property
    def writes(self) -> bool:
        """Whether this process is the one that leaves the run directory."""
        return self.process == 0

    def __str__(self) -> str:
        found = f"each batch is shared by {len(self.devices)} devices ({', '.join(self.devices)})"
        return found + (f" of {self.processes} processes" if self.processes > 1 else "")


def spread(train: Train, batch_size: int) -> tuple[Spread | None, list[str]]:
    """What a training is spread over; call it before anything is computed.

    Args:
        batch_size: of the spec: that of the whole batch, whatever the number of devices.

    Returns:
        None where one device trains; and what a user should know of it, a line each.

    Raises:
        SpecError: K167 if the backend cannot do it, or the batch cannot be shared evenly.
    """
    if train.distribute == "none":
        return None, []
    found = _ENGINES[keras.backend.backend()]()
    count = len(found.devices)
    if count == 1:
        return None, ["`distribute: data_parallel` changes nothing here: there is one device"]
    if batch_size % count:
        raise SpecError(_uneven(batch_size, count))
    return found, [str(found)]


def scope(found: Spread | None) -> AbstractContextManager[object]:
    """Variables of a model that is made inside stand on every device."""
    return nullcontext() if found is None else found.engine.scope()


def beside(model: keras.Model) -> AbstractContextManager[object]:
    """What is made inside stands where the variables of a model stand: its optimizer, its metrics."""
    if keras.backend.backend() == "jax":
        devices = _devices(model)
        return _parallel(devices).scope() if len(devices) > 1 else nullcontext()
    strategy = getattr(model, "distribute_strategy", None)
    return strategy.scope() if strategy is not None and strategy.num_replicas_in_sync > 1 else nullcontext()


def built(model: keras.Model) -> None:
    """Make the variables of the optimizer now, inside `beside`: Keras would make them in `fit`, outside of it."""
    if keras.backend.backend() == "jax" and len(_devices(model)) > 1:
        model.optimizer.build(model.trainable_variables)


def shared(feed: Feed, found: Spread | None) -> Feed:
    """The same batches, laid out over the devices.

    A batch that they cannot share evenly, the last one of an epoch, is computed as a whole by each of them, so that
    the numbers are those of one device.
    """
    if found is None:
        return feed
    if keras.backend.backend() != "jax":
        return replace(feed, held=None)
    rest = feed.rest
    return replace(feed, held=None, rest=cache(lambda first: _Laid(rest(first), found)))


def choice(train: Train, found: Spread | None) -> Choice | None:
    """How the steps are run on several devices, of which no rule knows; None on one."""
    if found is None:
        return None
    said = train.execution
    jit = keras.backend.backend() == "jax" and (said == "auto" or said.jit is not False)
    return Choice(jit, 1 if said == "auto" else said.steps_per_execution, f"{len(found.devices)} devices")


def agree(model: keras.Model, found: Spread | None, batches: Callable[[int], Any], sizes: tuple[int, int]) -> None:
    """Where the engine is not known to be right, hold it against one device.

    Args:
        batches: the data that `evaluate` is given, of so many examples in one batch.
        sizes: of the batches of an epoch, and of its last one.

    Raises:
        SpecError: K167 if a step is another than on one device.
    """
    if found is not None and keras.backend.backend() == "tensorflow":
        from kbuild.train import distribute_mirrored

        tried = [next(iter(batches(size))) for size in dict.fromkeys(sizes)]
        distribute_mirrored.check(model, tried, sizes[1])


def first(model: keras.Model, rows: int) -> int:
    """How many of so many examples can be tried as one batch: as many as the model's devices can share evenly.

    Raises:
        SpecError: K167 if there are fewer than devices.
    """
    count = len(_devices(model)) if keras.backend.backend() == "jax" else 1
    if rows < count:
        message = f"there are {rows} examples to train on, fewer than the {count} devices"
        raise SpecError(_refused(message, "leave `distribute` out"))
    return rows - rows % count


class _Laid(keras.utils.PyDataset):
    """Batches of another `PyDataset` as arrays that lie on all devices."""

    def __init__(self, data: Any, found: Spread):
        super().__init__()
        self._data, self._found = data, found

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> tuple:
        return keras.tree.map_structure(lambda array: _share(array, self._found), self._data[index])  # pyright: ignore[reportReturnType]

    def on_epoch_end(self) -> None:
        self._data.on_epoch_end()


def _devices(model: keras.Model) -> list[str]:
    """Where the variables of a model on JAX stand."""
    variables: Any = model.variables
    found = variables[0].value.sharding.device_set if variables else ()
    return [f"{device.platform}:{device.id}" for device in sorted(found, key=lambda device: device.id)]


def _parallel(devices: Sequence[str]) -> keras.distribution.DataParallel:
    # every process lays its own part of the batches out: Keras could shard tf.data only
    return keras.distribution.DataParallel(devices=list(devices), auto_shard_dataset=False)


def _share(array: np.ndarray, found: Spread) -> object:
    """The array over the devices by rows, of which each process brings its own; whole on each where they do not fit."""
    import jax  # pyright: ignore[reportMissingImports]

    layout = found.engine.get_data_layout(array.shape).backend_layout
    count = len(found.devices)
    if len(array) % count:
        whole = jax.sharding.NamedSharding(layout.mesh, jax.sharding.PartitionSpec())
        return jax.make_array_from_process_local_data(whole, array, array.shape)
    share = len(array) // found.processes
    own = array[found.process * share : (found.process + 1) * share]
    return jax.make_array_from_process_local_data(layout, own, array.shape)


def _jax() -> Spread:
    import jax  # pyright: ignore[reportMissingImports]

    if any(os.environ.get(name) for name in PROCESSES) and not jax.distributed.is_initialized():
        try:
            keras.distribution.initialize()
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            help = f"every process needs {', '.join(PROCESSES)}, and process 0 must be reachable"
            raise SpecError(Problem("K167", f"the processes do not find each other: {text}", help=help)) from error
    devices = tuple(keras.distribution.list_devices())
    return Spread(devices, jax.process_count(), jax.process_index(), _parallel(devices))


def _tensorflow() -> Spread:
    import tensorflow as tf

    asked = [name for name in (*PROCESSES, "TF_CONFIG") if os.environ.get(name)]
    if asked:
        raise SpecError(
            _refused(
                f"training by several processes on TensorFlow, which {asked[0]} in the environment asks for, is not "
                "supported by Keras 3 (keras#20585)",
                "use JAX: `--backend jax`",
            )
        )
    # logical devices: a machine's processor can be several, and a GPU can be shared
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    names = tuple(device.name.removeprefix("/device:").lower() for device in devices)
    if len(devices) == 1:
        return Spread(names, 1, 0, None)
    return Spread(names, 1, 0, tf.distribute.MirroredStrategy([device.name for device in devices]))


def _torch() -> Spread:
    raise SpecError(
        _refused(
            "`distribute: data_parallel` does not work on the torch backend: Keras 3 has no distribution for it, and "
            "the `DistributedDataParallel` of torch cannot train in Keras's `fit`",
            "use JAX: `--backend jax`",
        )
    )


_ENGINES: dict[str, Callable[[], Spread]] = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}


def _refused(message: str, help: str) -> Problem:
    return Problem("K167", message, help=help, path=_PATH)


def _uneven(batch_size: int, count: int) -> Problem:
    below, above = batch_size - batch_size % count, batch_size - batch_size % count + count
    near = f"{below} or {above}" if below else f"{above}"
    return Problem(
        "K167",
        f"a batch of {batch_size} cannot be shared evenly by {count} devices",
        help=f"take a `batch_size` of {near}",
        path="data.batch_size",
    )
