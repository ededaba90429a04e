"""What a machine brings that would change a run, and how it is kept out: variables, `keras.json`, a home without room,
and what libraries print while they are imported."""

import atexit
import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")


class Quiet:
    """A context in which nothing reaches file descriptor 2; `replay` lets out what was held back so far."""

    def __enter__(self) -> "Quiet":
        """Hold back; a process without a file descriptor 2 goes on as it is."""
        self._stderr: int | None = None
        self._held: IO[bytes] | None = None
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
            self._stderr = os.dup(2)
            self._held = tempfile.TemporaryFile()
            os.dup2(self._held.fileno(), 2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let print again; what was held back is forgotten."""
        self._restore()
        if self._held is not None:
            self._held.close()

    def replay(self) -> None:
        """Stop holding back, and print what was."""
        if self._stderr is None or self._held is None:
            return
        self._restore()
        self._held.seek(0)
        os.write(2, self._held.read())

    def _restore(self) -> None:
        if self._stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(self._stderr, 2)
            os.close(self._stderr)
            self._stderr = None


def purge() -> list[str]:
    """Before Keras is imported: drop the variables that would shorten a run, and give Keras a home it can write to.

    Returns:
        A sentence for each thing that was changed.
    """
    notes = []
    for name in LIMITS:
        value = os.environ.pop(name, None)
        if value is not None and value.lower() not in {"", "0", "false"}:
            notes.append(f"{name}={value} in the environment was ignored")
    # Keras reads this one from keras.json too, and the variable wins.
    os.environ["KERAS_NNX_ENABLED"] = "false"
    home = _home()
    if not _writable(home):
        notes.append(f"the folder {home} cannot be written to; Keras used a temporary one")
    elif not _sound(home / "keras.json"):
        notes.append(f"{home / 'keras.json'} is not a valid Keras configuration and was ignored")
    else:
        return notes
    temporary = tempfile.mkdtemp(prefix="kbuild-keras-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    os.environ["KERAS_HOME"] = temporary
    return notes


def adopt() -> list[str]:
    """After Keras is imported: the settings that specs are written for, whatever `keras.json` says.

    Returns:
        A sentence for each setting that was another.
    """
    from keras import config

    notes = []
    for name, wanted in (("floatx", "float32"), ("epsilon", 1e-7), ("image_data_format", "channels_last")):
        found = getattr(config, name)()
        if found != wanted:
            getattr(config, f"set_{name}")(wanted)
            notes.append(f"{name} was {found} in Keras's configuration and is {wanted} in this run")
    for name in ("max_epochs", "max_steps_per_epoch"):
        found = getattr(config, name)()
        if found is not None:
            getattr(config, f"set_{name}")(None)
            notes.append(f"{name} was limited to {found} in Keras's configuration and is not in this run")
    return notes


def _home() -> Path:
    if os.environ.get("KERAS_HOME"):
        return Path(os.environ["KERAS_HOME"])
    return Path(os.path.expanduser("~")) / ".keras"  # noqa: PTH111, Path.expanduser raises where there is no home


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _sound(path: Path) -> bool:
    # Keras takes a file that is no JSON for an empty one, and raises on any other mistake.
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return (
        isinstance(found, dict)
        and found.get("floatx", "float32") in {"float16", "float32", "float64"}
        and isinstance(found.get("epsilon", 1e-7), float)
        and found.get("image_data_format", "channels_last") in {"channels_last", "channels_first"}
    )
