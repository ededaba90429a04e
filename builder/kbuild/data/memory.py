"""How much memory this process may have, and whether data fit into it. Reads what the system tells, nothing else."""

import os
from pathlib import Path

from kbuild.spec.data import InMemory

SHARE = 4
"""Data stay in memory up to this part of it, one in SHARE: while a set is split and handed to the backend there are
three copies, and the network wants room too.
"""


def fits(needed: int, wanted: InMemory) -> bool:
    """Whether `needed` bytes of examples are to be held in memory.

    >>> fits(2000, 3000), fits(2000, 1000), fits(2000, True), fits(2000, False)
    (True, False, True, False)
    """
    if isinstance(wanted, bool):
        return wanted
    if isinstance(wanted, int):
        return needed <= wanted
    most = limit()
    return most is None or needed * SHARE <= most


def limit() -> int | None:
    """Bytes: the machine's, less what the control groups or limits of the process forbid; None if nothing is known."""
    found = [size for size in (_physical(), *_limits(), *_groups()) if size is not None and size > 0]
    return min(found, default=None)


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _limits() -> list[int]:
    try:
        import resource
    except ImportError:  # a system without them
        return []
    both = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return [size for size in both if size != resource.RLIM_INFINITY]


def _groups(proc: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Limits of the process's control groups and of all above them, of version 2 and 1."""
    try:
        lines = proc.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        inside = base / path.lstrip("/")
        # in a container the path is the host's, and the limit lies at the root
        for folder in (inside, *inside.parents):
            if folder.is_relative_to(base):
                found.append(_number(folder / name))
        found.append(_number(base / name))
    return [size for size in found if size is not None]


def _number(file: Path) -> int | None:
    """`max`, or what cannot be read, is no limit."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
