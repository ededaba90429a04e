"""Which Keras runs: picks the backend, imports Keras quietly, and keeps the machine's settings from changing a run."""

import importlib
import importlib.metadata
import importlib.util
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kbuild.model.ambient import Quiet, adopt, purge
from kbuild.text.problem import Problem, SpecError

BACKENDS = ("tensorflow", "jax", "torch")
LOWEST = (3, 15, 1)
CVE = "CVE-2026-12481"

_OF_A_CALL = re.compile(r"(CustomGradient|PartitionedCall)-\d+")
_notes: list[str] = []


def start(backend: str | None = None) -> str:
    """Import Keras on a backend; every later call in the process must want the same one.

    Args:
        backend: `tensorflow`, `jax` or `torch`; None takes what is imported already, else `KERAS_BACKEND`, else the
            first of the three that is installed.

    Returns:
        The backend's name. What the machine wanted otherwise is told by `notes`.

    Raises:
        SpecError: K501 no such backend, K502 it is not installed, K503 Keras runs on another one already, K504 this
            Keras is too old to be safe, K505 the import failed (what it printed is replayed).
    """
    chosen = choose(backend)
    if "keras" in sys.modules:
        return chosen
    for note in purge():
        _note(note)
    os.environ["KERAS_BACKEND"] = chosen
    _import(chosen)
    _hush()
    _settle()
    return chosen


def choose(backend: str | None = None) -> str:
    """The backend that `start` takes, without importing it. Raises SpecError K501–K504, as `start`."""
    _check_version()
    return _running(backend) if "keras" in sys.modules else _choose(backend)


def notes() -> tuple[str, ...]:
    """What `start` took from the environment or overruled, one sentence each, for the record of a run."""
    return tuple(_notes)


@contextmanager
def forgetting() -> Iterator[None]:
    """What is traced inside is given back when its models are gone; without this TensorFlow keeps it for ever.

    For each function with a gradient of its own that a graph calls, TensorFlow registers that gradient by a new name:
    with it stays the graph, and with that every variable of the model. Nothing that is made inside may be traced anew
    afterwards.
    """
    registry: dict[str, object] = {}
    if "tensorflow" in sys.modules:
        ops = importlib.import_module("tensorflow.python.framework.ops")
        # it offers no way out; where it is kept elsewhere, memory grows as it would without this
        registry = getattr(getattr(ops, "gradient_registry", None), "_registry", registry)
    before = set(registry)
    try:
        yield
    finally:
        for name in [name for name in registry if name not in before and _OF_A_CALL.fullmatch(name)]:
            del registry[name]


def seed(seed: int, deterministic: bool = False) -> None:
    """Seed Python, NumPy and the backend; after `start`.

    Args:
        seed: 0 ≤ seed < 2**32.
        deterministic: also ask the backend for operations that give the same bits each time. It stays on for the
            rest of the process.
    """
    import keras

    if deterministic:
        _DETERMINISM[keras.config.backend()]()
    keras.utils.set_random_seed(seed)


def share(count: int) -> str | None:
    """Have so many threads share an operation on a CPU; before the first operation of the process.

    Returns:
        What a user should know of it, if there is something.

    Raises:
        SpecError: K506 if TensorFlow has begun with another number.
    """
    running = sys.modules["keras"].config.backend()
    if running == "torch":
        sys.modules["torch"].set_num_threads(count)
    if running == "jax":
        return "`train.threads` changes nothing on JAX, which takes the cores that the process may use"
    if running == "tensorflow" and threads() != count:
        try:
            sys.modules["tensorflow"].config.threading.set_intra_op_parallelism_threads(count)
        except RuntimeError:
            message = f"TensorFlow runs with {threads()} threads in this process already, `train.threads` says {count}"
            raise SpecError(
                Problem("K506", message, help="train in a process of its own", path="train.threads")
            ) from None
    return None


def threads() -> int:
    """Threads that share an operation on a CPU. On TensorFlow their number decides the last bits of a convolution."""
    told = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if sys.modules["keras"].config.backend() == "tensorflow":
        of_python = sys.modules["tensorflow"].config.threading.get_intra_op_parallelism_threads()
        if of_python or (told.isdecimal() and int(told)):
            return of_python or int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_memory() -> int | None:
    """Bytes of the GPU or TPU that is used; None on a CPU, and where the backend does not tell."""
    running = sys.modules["keras"].config.backend() if "keras" in sys.modules else ""
    if running == "jax":
        stats = sys.modules["jax"].local_devices()[0].memory_stats()
        return int(stats["bytes_limit"]) if stats and "bytes_limit" in stats else None
    if running == "torch" and sys.modules["torch"].cuda.is_available():
        return int(sys.modules["torch"].cuda.mem_get_info()[1])
    return None


def _note(text: str) -> None:
    if text not in _notes:
        _notes.append(text)


def _check_version() -> None:
    try:
        version = importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        raise SpecError(Problem("K502", "Keras is not installed", help='pip install "keras>=3.15.1"')) from None
    found = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if found < LOWEST:
        message = f"Keras {version} runs code hidden in model files ({CVE})"
        raise SpecError(Problem("K504", message, help='pip install "keras>=3.15.1"'))


def _running(backend: str | None) -> str:
    import keras

    running = keras.config.backend()
    if backend is not None and backend != running:
        _known(backend, "the backend")
        message = f"Keras runs on `{running}` in this process already and cannot change to `{backend}`"
        raise SpecError(Problem("K503", message, help=f"start a new process, or choose the backend `{running}`"))
    _settle()
    return running


def _choose(backend: str | None) -> str:
    wanted = os.environ.get("KERAS_BACKEND") or None
    if backend is not None:
        _known(backend, "the backend")
        if wanted not in {None, backend}:
            _note(f"KERAS_BACKEND={wanted} in the environment was overruled by the choice of {backend}")
        return _installed(backend, "")
    if wanted is not None:
        _known(wanted, "KERAS_BACKEND in the environment")
        _note(f"the backend {wanted} was chosen by KERAS_BACKEND in the environment")
        return _installed(wanted, ", which KERAS_BACKEND in the environment asks for,")
    found = next((name for name in BACKENDS if importlib.util.find_spec(name)), None)
    if found is None:
        raise SpecError(Problem("K502", "no backend for Keras is installed", help="pip install tensorflow"))
    return found


def _known(backend: str, what: str) -> None:
    if backend not in BACKENDS:
        message = f"{what} is `{backend}`, which kbuild does not know"
        raise SpecError(Problem("K501", message, help=f"choose one of {', '.join(BACKENDS)}"))


def _installed(backend: str, why: str) -> str:
    if importlib.util.find_spec(backend) is None:
        package = "kbuild" if backend == "tensorflow" else f"kbuild[{backend}]"
        message = f"the backend `{backend}`{why} is not installed"
        raise SpecError(Problem("K502", message, help=f'pip install "{package}", or choose another backend'))
    return backend


def _import(backend: str) -> None:
    # TensorFlow writes to the file descriptor before any setting can stop it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with Quiet() as quiet:
        try:
            importlib.import_module("keras")
            _find_devices(backend)
        except Exception as error:
            quiet.replay()
            message = f"Keras does not start on `{backend}`: {type(error).__name__}: {error}".splitlines()[0]
            raise SpecError(Problem("K505", message, help=f"try: python -c 'import {backend}'")) from error


def _find_devices(backend: str) -> None:
    # Looking for a GPU prints too, so it is done while nobody hears it.
    if backend == "tensorflow":
        import tensorflow

        tensorflow.config.list_physical_devices()


def _hush() -> None:
    for name in ("absl", "tensorflow", "jax._src.xla_bridge"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if "absl.logging" in sys.modules:
        sys.modules["absl.logging"].set_verbosity("error")


def _settle() -> None:
    for note in adopt():
        _note(note)


def _tensorflow_determinism() -> None:
    import tensorflow

    tensorflow.config.experimental.enable_op_determinism()


def _jax_determinism() -> None:
    flag = "--xla_gpu_deterministic_ops=true"
    flags = os.environ.get("XLA_FLAGS", "")
    if flag not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {flag}".strip()


def _torch_determinism() -> None:
    import torch  # pyright: ignore[reportMissingImports]

    torch.use_deterministic_algorithms(True)


_DETERMINISM: dict[str, Callable[[], None]] = {
    "tensorflow": _tensorflow_determinism,
    "jax": _jax_determinism,
    "torch": _torch_determinism,
}
