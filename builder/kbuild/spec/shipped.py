"""Name → file of a spec that kbuild ships: in the wheel they are a folder of the package, in a checkout the
repository's `specs/`.
"""

from functools import cache
from pathlib import Path

SCHEMA = "kbuild.schema.json"
"""The file that `kbuild schema --out` writes beside specs, for editors."""
MODELINE = f"# yaml-language-server: $schema={SCHEMA}"
"""The line by which an editor finds it; each shipped spec opens with it."""


@cache
def shipped_dir() -> Path:
    """The folder of the shipped specs."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "specs"
    return installed if installed.is_dir() else package.parent.parent / "specs"


def shipped_names() -> tuple[str, ...]:
    """Their names, without the ending, sorted."""
    return tuple(sorted(path.stem for path in shipped_dir().glob("*.yaml")))


def shipped(name: str) -> Path | None:
    """The file of one, or None."""
    path = shipped_dir() / f"{name}.yaml"
    return path if name in shipped_names() else None
