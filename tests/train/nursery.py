"""Real `kbuild` processes without the seconds that Keras takes to start: one process imports it and forks the others.

`python nursery.py` takes orders as lines of JSON and answers in lines of JSON. A child runs the command line that it was
given, on a disk that fails or until it is killed, as `disk.c` was asked to.
"""

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILDER = HERE.parents[1] / "builder"


LATE = (
    "matplotlib.backends.backend_agg", "matplotlib.figure", "sklearn.datasets", "sklearn.metrics",
    "tensorboard.backend.event_processing.event_file_loader",
)  # fmt: skip
"""What a training imports when it needs it: a third of what a child would compute."""


@dataclass(frozen=True)
class Disk:
    """What is to happen at the `at`-th of these operations below a folder; at 0 nothing, they are only noted.

    Args:
        operations: some of `open write fsync rename mkdir unlink rmdir`; empty for all.
        part: text that the path must have.
        error: an errno, or 0 to be killed (in a write: after half of it).
        sticky: whether all later ones fail too.
    """

    below: Path
    operations: Sequence[str] = ()
    part: str = ""
    at: int = 0
    error: int = 0
    sticky: bool = False


@dataclass(frozen=True)
class Done:
    """A process that ended: its exit code (or minus the signal), what it said, and what it did to files."""

    code: int
    out: str
    err: str
    touched: tuple[str, ...]

    @property
    def hit(self) -> tuple[str, ...]:
        """The operations that failed, or the one that it died at."""
        return tuple(line[2:] for line in self.touched if line.startswith("! "))


class Nursery:
    """The process that forks. Use it in a `with`.

    Args:
        modules: imported besides those that training takes.
    """

    def __init__(self, folder: Path, modules: Sequence[str] = ()):
        self.folder, self._number = folder, 0
        library = folder / "disk.so"
        build = ["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "disk.c", "-ldl"]
        self.disk = shutil.which("cc") is not None and sys.platform == "linux" and not subprocess.run(build).returncode
        environment = {**os.environ, "PYTHONPATH": str(BUILDER)}
        if self.disk:
            environment["LD_PRELOAD"] = str(library)
        self._process = subprocess.Popen(
            [sys.executable, __file__, *modules],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._ask({"verb": "ready"})

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(
        self, *arguments: object, disk: Disk | None = None, kill: Sequence[tuple[str, int, int]] = (),
        limits: Mapping[str, int] | None = None, environment: Mapping[str, str] | None = None, cwd: Path | None = None,
    ) -> int:  # fmt: skip
        """Start `kbuild ARGUMENTS`, or Python with `-c CODE`; its process number.

        Args:
            kill: places, how often each is passed until then, and the signal that comes: `batch` (before Keras tells
                its callbacks), `epoch` (before), `between` (after), `test` (a batch), `compile`, `predict`.
            limits: by name of `resource`, such as `RLIMIT_FSIZE`.
        """
        self._number += 1
        order = {
            "verb": "start", "arguments": [str(one) for one in arguments], "kill": list(kill), "limits": limits or {},
            "environment": environment or {}, "cwd": str(cwd or self.folder), "place": str(self.folder / str(self._number)),
            "disk": None if disk is None else {**vars(disk), "below": str(disk.below)},
        }  # fmt: skip
        return int(self._ask(order)["pid"])

    def wait(self, pid: int) -> Done:
        """Wait for a process."""
        found = self._ask({"verb": "wait", "pid": pid})
        place = Path(found["place"])
        out, err, touched = (place.with_suffix(f".{name}") for name in ("out", "err", "log"))
        told = tuple(touched.read_text().splitlines()) if touched.exists() else ()
        return Done(found["code"], out.read_text(), err.read_text(), told)

    def run(self, *arguments: object, **options) -> Done:
        """Start `kbuild ARGUMENTS` and wait for it."""
        return self.wait(self.start(*arguments, **options))

    def _ask(self, order: Mapping[str, object]) -> dict:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise RuntimeError("the nursery does not live; what it said stands above")
        return json.loads(line)


def _child(order: Mapping) -> None:
    for number, suffix in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{order['place']}.{suffix}", os.O_WRONLY | os.O_CREAT), number)
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    _killing(order["kill"])
    for name, value in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if order["disk"] is not None:
        disk = order["disk"]
        log = os.open(f"{order['place']}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        ctypes.CDLL(None).disk_arm(
            disk["below"].encode(), ",".join(disk["operations"]).encode(), disk["part"].encode(),
            ctypes.c_long(disk["at"]), disk["error"], int(disk["sticky"]), log,
        )  # fmt: skip
    arguments = order["arguments"]
    if arguments[0] == "-c":
        exec(arguments[1], {})
        return
    from kbuild.cli.main import main

    main(arguments)


def _killing(kill: Sequence[tuple[str, int, int]]) -> None:
    """Have this process send itself signals."""
    import keras

    counts: Counter[str] = Counter()

    def count(name: str) -> None:
        counts[name] += 1
        for place, at, number in kill:
            if place == name and at == counts[name]:
                os.kill(os.getpid(), number)

    def counted(owner: type, method: str, before: str, after: str = "") -> None:
        real = getattr(owner, method)

        def wrapped(*arguments, **named):
            count(before)
            found = real(*arguments, **named)
            count(after)
            return found

        setattr(owner, method, wrapped)

    if kill:
        counted(keras.callbacks.CallbackList, "on_train_batch_end", "batch")
        counted(keras.callbacks.CallbackList, "on_epoch_end", "epoch", "between")
        counted(keras.callbacks.CallbackList, "on_test_batch_begin", "test")
        counted(keras.Model, "compile", "compile")
        counted(keras.Model, "predict", "predict")


def _serve() -> None:
    from kbuild.model import backend

    backend.start()
    for module in ("cli.main", "train.fit", "train.session", "train.resume", "train.score"):
        __import__(f"kbuild.{module}")
    for module in (*LATE, *sys.argv[1:]):
        __import__(module)
    places: dict[int, str] = {}
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, object] = {"ready": True}
        if order["verb"] == "start":
            pid = os.fork()
            if pid == 0:
                code = 99
                try:
                    answers = None
                    os.close(0)
                    _child(order)
                    code = 0
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else 0
                except BaseException:
                    import traceback

                    traceback.print_exc()
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os._exit(code)
            places[pid] = order["place"]
            answer = {"pid": pid}
        elif order["verb"] == "wait":
            _, status = os.waitpid(order["pid"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status), "place": places.pop(order["pid"])}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # a shell that runs this in the background has it ignore Ctrl-C, and its children with it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("MPLCONFIGDIR", home)
        _serve()
