"""Problems of the data, K4xx: how they are made, and how files and names are written in them."""

from collections.abc import Iterable
from pathlib import Path

from kbuild.spec.names import suggestion
from kbuild.text.problem import Problem, SpecError


def fail(code: str, message: str, help: str | None = None, path: str = "data.source") -> SpecError:
    """An error to raise; `path` tells where in the spec its cause is written."""
    return SpecError(Problem(code, message, help=help, path=path))


def shown(path: Path) -> str:
    """A path as short as it can be said: from the working directory if it lies there."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def there(path: Path, *, folder: bool = False) -> Path:
    """The path itself, if there is such a file (or folder). Raises SpecError K402, K404."""
    if not path.exists():
        raise fail(
            "K402",
            f"there is no {'folder' if folder else 'file'} `{shown(path)}`",
            "correct the path, or put the data there",
        )
    if path.is_dir() != folder:
        wanted, found = ("a folder", "a file") if folder else ("a file", "a folder")
        raise fail("K404", f"`{shown(path)}` is {found} and not {wanted}", "correct the path")
    return path


def unknown(code: str, what: str, word: str, words: Iterable[str], path: str = "data.source") -> SpecError:
    """`what` is the sentence; the help is the nearest of `words`, or what there is."""
    words = list(words)
    few = ", ".join(f"`{one}`" for one in words[:12]) + (", …" if len(words) > 12 else "")
    return fail(code, what, suggestion(word, words) or f"there is {few}", path)
