"""An exception of a backend that has no more memory → Problem K512: how much is needed, and what would fit."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kbuild.model.backend import device_memory
from kbuild.plan.budget import fitting
from kbuild.plan.check import Checked, check
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError

_TYPES = frozenset({"ResourceExhaustedError", "OutOfMemoryError", "MemoryError", "_ArrayMemoryError"})
"""Of TensorFlow, torch, Python and NumPy. JAX has one type for all that goes wrong on a device."""
_SAYS = (
    "RESOURCE_EXHAUSTED",
    "OUT_OF_MEMORY",
    "Out of memory",
    "OOM when allocating",
    "CUDA out of memory",
    "Status: 1, message: could not",  # of oneDNN, in TensorFlow on a CPU: its status 1 is `out_of_memory`
)


def is_shortage(error: BaseException | None) -> bool:
    """Whether an exception, or one that led to it, says that there is no more memory."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if type(error).__name__ in _TYPES or any(text in str(error) for text in _SAYS):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def told(spec: Spec, checked: Checked | None = None) -> Iterator[None]:
    """What runs out of memory inside raises SpecError K512 instead.

    Args:
        checked: the network that is built inside; None while the data are read.
    """
    try:
        yield
    except Exception as error:
        known = isinstance(error, SpecError) and any(problem.code == "K512" for problem in error.problems)
        if known or not is_shortage(error):
            raise
        release(error)
        if checked is None:
            help = "free some, or give an `npz` file that is not compressed: it is read while training"
            raise SpecError(
                Problem("K512", "there is not enough memory for the data", help=help, path="data")
            ) from error
        raise SpecError(shortage(spec, "the network and its first batch", checked)) from error


def release(error: BaseException | None) -> None:
    """Let go of what the frames of an exception hold: the largest tensors are among it."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def shortage(spec: Spec, where: str, checked: Checked | None = None, run: Path | None = None) -> Problem:
    """The problem to tell.

    Args:
        where: what was under way: `epoch 3`.
        run: a run that has a checkpoint to go on with.
    """
    checked = checked or _checked(spec)
    said, help = fitting(spec, checked.plan, checked.costs, device_memory()) if checked is not None else ("", "")
    message = f"there is not enough memory for {where}" + (f": {said}" if said else "")
    go_on = f"with more memory, `kbuild fit --resume {run}` goes on" if run is not None else ""
    path = "data.batch_size" if "batch_size" in help else "model"
    return Problem("K512", message, spec.span(path), help="; ".join(filter(None, (help, go_on))) or None, path=path)


def _checked(spec: Spec) -> Checked | None:
    try:
        return check(spec)
    except SpecError:
        return None
