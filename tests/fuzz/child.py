"""Check specs under an audit hook: `python child.py SPEC…` says the codes of each, and every file, socket and command
that was touched and is none of kbuild's business.
"""

import importlib.util
import json
import sys
import sysconfig
from pathlib import Path

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

WRITES = set("wax+")
HARMLESS = (
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.chmod", "import", "compile", "exec", "marshal.",
    "object.__", "sys._getframe", "sys.excepthook", "code.__new__", "os.putenv", "tempfile.", "pathlib.", "glob.", "builtins.id",
    "cpython.", "gc.", "function.__", "os.utime", "fcntl.", "array.__new__", "ctypes.", "time.sleep", "os.fwalk", "os.walk",
)  # fmt: skip


def allowed_roots(folder: Path) -> list[Path]:
    """Where a check may read: the spec's folder, kbuild, Keras and Python themselves."""
    roots = [folder, Path(importlib.util.find_spec("kbuild").origin).parents[2]]
    roots += [Path(path) for path in {*sysconfig.get_paths().values(), *sys.path, sys.prefix, sys.base_prefix} if path]
    return [root.resolve() for root in roots]


class Watch:
    """What was touched; hooks cannot be taken off, so it is switched."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.roots = allowed_roots(folder)
        self.cache = (Path.home() / ".cache").resolve()
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self)

    def __call__(self, event: str, given: tuple[object, ...]) -> None:
        if not self.on:
            return
        self.on = False
        try:
            if event in ("open", "os.listdir", "os.scandir"):
                self.file(event, given)
            elif not event.startswith(HARMLESS):
                self.seen.append(f"{event} {given!r}"[:200])
        finally:
            self.on = True

    def file(self, event: str, given: tuple[object, ...]) -> None:
        if not isinstance(given[0], str | bytes | Path):
            return
        path = Path(given[0].decode() if isinstance(given[0], bytes) else given[0]).absolute()
        real = path.resolve()
        mode = given[1] if event == "open" and isinstance(given[1], str) else "r"
        if real.is_relative_to(self.cache):
            return
        if WRITES & set(mode) or not any(real.is_relative_to(root) for root in self.roots):
            self.seen.append(f"{event} {path} {mode}")


def main(paths: list[str]) -> None:
    watch = Watch(Path(paths[0]).resolve().parent)
    for path in paths:
        watch.seen = []
        watch.on = True
        try:
            codes = sorted({p.code for p in check(load(Path(path))).problems if p.severity == "error"})
        except SpecError as error:
            codes = sorted({p.code for p in error.problems if p.severity == "error"})
        finally:
            watch.on = False
        print(json.dumps({"spec": path, "codes": codes, "touched": watch.seen}))


if __name__ == "__main__":
    main(sys.argv[1:])
