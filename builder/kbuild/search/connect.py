"""An address → a Ray cluster that this process is connected to. Raises SpecError K516 and K517."""

import importlib.util
import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from kbuild.model.ambient import Quiet
from kbuild.search.cluster import Cluster
from kbuild.search.workers import cores, gpus
from kbuild.text.problem import Problem, SpecError

SECONDS = 10.0
"""How long a cluster may take to answer."""
QUIETLY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # what nodes and actors say is in Ray's own logs: none of it is let out, least of all on standard output
    "RAY_DEDUP_LOGS_ALLOW_REGEX": "(?!)",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
}


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """A Ray cluster, for as long as it is used.

    Args:
        address: `local` begins one on this machine, whose ports are those of 127.0.0.1, and ends it; `auto` takes the
            one that runs on this machine; `HOST:PORT` that whose head is there; `ray://HOST:PORT` goes through Ray's
            client. A process that is connected already stays so.

    Raises:
        SpecError: K516 if Ray is not installed, K517 if no cluster answers there.
    """
    if importlib.util.find_spec("ray") is None:
        raise SpecError(Problem("K516", "`--ray` needs Ray, which is not installed", help='pip install "kbuild[ray]"'))
    match = re.fullmatch(r"(?:ray://)?(.+):(\d{1,5})", address)
    if match is None and address not in ("local", "auto"):
        help = "give `local`, `auto`, `HOST:PORT` or `ray://HOST:PORT`"
        raise SpecError(Problem("K517", f"`{address}` is no address of a Ray cluster", help=help))
    if match is not None:
        _answers(address, match[1].strip("[]"), int(match[2]))
    os.environ.update({name: value for name, value in QUIETLY.items() if name not in os.environ})
    if address == "local":
        # the only way to have Ray listen on the loopback alone; what it is called is history
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    mine = not ray.is_initialized()
    if mine:
        _begin(address)
    try:
        yield Cluster()
    finally:
        if mine:
            ray.shutdown()


def _begin(address: str) -> None:
    import ray

    how: dict[str, object] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        how |= {"include_dashboard": False, "num_cpus": len(cores()), "num_gpus": len(gpus())}
    try:
        with Quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**how)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # Ray's own are of many kinds
        raise SpecError(_unreachable(address, f"{error}".strip().partition("\n")[0])) from error


def _answers(address: str, host: str, port: int) -> None:
    """Ray itself would wait for minutes."""
    try:
        socket.create_connection((host, port), SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise SpecError(_unreachable(address, f"{getattr(error, 'strerror', None) or error}")) from None


def _unreachable(address: str, why: str) -> Problem:
    help = "begin one with `ray start --head`, or leave the search to this machine: `--ray local`"
    if address == "local":
        help = "try again when the machine has less to do, or search without `--ray`"
        return Problem("K517", f"Ray does not begin a cluster on this machine: {why}", help=help)
    return Problem("K517", f"no Ray cluster answers at `{address}`: {why}", help=help)
