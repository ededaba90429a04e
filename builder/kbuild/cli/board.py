"""board: TensorBoard on run directories, on this machine only."""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from kbuild.cli.options import Debug, Quiet
from kbuild.text.problem import Problem, SpecError

Where = Annotated[Path, typer.Argument(metavar="DIR", help="A run directory, or a folder of them.")]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Default 6006, or the next one that is free.")
]

LOOK_SECONDS = 5.0
PATTERNS = (
    "tensorboard",
    "*/tensorboard",
    "*/*/tensorboard",
    "*/members/*/tensorboard",
    "trials/*/members/*/tensorboard",
    "*/trials/*/tensorboard",
    "*/trials/*/members/*/tensorboard",
)
"""Of a run, of a set, of a study, and of a folder of them."""


def board(dir: Where = Path("runs"), port: Port = None, quiet: Quiet = False, debug: Debug = False) -> int:
    """Show runs in TensorBoard on 127.0.0.1, until Ctrl-C."""
    if not dir.is_dir():
        raise SpecError(
            Problem("K603", f"there is no directory `{dir}`", help="`kbuild fit SPEC` makes run directories in `runs`")
        )
    over = threading.Event()
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with tempfile.TemporaryDirectory(prefix="kbuild-board-") as links:
        link(dir, Path(links))
        url = _launch(links, port)
        print(f"TensorBoard shows {dir} at {url}" + ("" if quiet else " (Ctrl-C ends it)"), flush=True)
        while not over.wait(LOOK_SECONDS):
            link(dir, Path(links))
    return 128 + received[0] if received and received[0] != signal.SIGINT else 0


def link(dir: Path, links: Path) -> None:
    """Let TensorBoard see each run under its own name: `mnist_mlp-001/train`, without `tensorboard` amid it."""
    root = dir.resolve()
    for pattern in PATTERNS:
        for events in root.glob(pattern):
            run = events.parent
            if run != root and (run / "trials").is_dir():
                continue  # a study describes the columns of one table; among other runs TensorBoard finds them itself
            name = root.name if run == root else str(run.relative_to(root)).replace(os.sep, "-")
            with contextlib.suppress(FileExistsError):
                (links / name).symlink_to(events, target_is_directory=True)


def _launch(folder: str, port: int | None) -> str:
    import logging
    import warnings

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # TensorBoard looks for a module of this name; if it is there, it does without TensorFlow and its seconds
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
        from tensorboard import default, program
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = program.TensorBoard(default.get_static_plugins())
    # its data server does not follow links
    options = {"--logdir": folder, "--host": "127.0.0.1", "--load_fast": "false", "--reload_interval": "5"}
    if port is not None:
        options["--port"] = str(port)
    server.configure(["kbuild board", *(word for pair in options.items() for word in pair)])
    try:
        return server.launch()
    except program.TensorBoardServerException as error:
        raise SpecError(
            Problem("K613", f"TensorBoard does not start: {error}", help="choose another port with `--port`")
        ) from None
