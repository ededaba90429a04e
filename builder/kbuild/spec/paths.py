"""Where the files that a spec names may lie: below the spec's folder or a root given on the command line, nowhere
else.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from kbuild.text.node import Scalar, brief
from kbuild.text.problem import mistake

_LONGEST = 255
"""Bytes of one name, on every usual file system."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:[\\/]|\\\\|~")


def allowed(
    node: object, home: Path, roots: Sequence[Path] = (), help: str | None = None, beside: Path | None = None
) -> Path:
    """The absolute path that `node` names.

    A relative one starts at the folder of the file it is written in; if nothing is there, at each of the roots. One
    typed on
    the command line may also start at the current folder. Links are followed before it is decided where it lies.

    Args:
        node: the scalar that holds the path; its span tells the file it stands in.
        home: the folder of the spec.
        roots: further folders that may be read.
        beside: one more, which is named from the folder that it stands in: `runs/base-001` is in `runs`.

    Raises:
        SpecError: K112 if it leads elsewhere.
    """
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
        raise mistake("K105", f"a path is a string, not `{brief(node)}`", node.span)  # type: ignore[arg-type, attr-defined]
    text = node.value
    if (
        "\0" in text
        or _SCHEME.match(text)
        or any(len(part.encode(errors="replace")) > _LONGEST for part in Path(text).parts)
    ):
        raise mistake("K112", f"`{brief(node)!r}` is no path of a local file", node.span, help=help)
    own = node.span.source.path
    starts = [own.parent if own else home, home, *roots]
    readable = [home, *roots]
    if own is None:
        starts.append(Path.cwd())
        readable.append(Path.cwd())
    if beside is not None:
        starts.append(beside.parent)
        readable.append(beside)
    candidates = [Path(os.path.normpath(start / text)) for start in starts]
    inside = [path for path in candidates if _inside(path, readable)]
    if not inside:
        raise mistake(
            "K112",
            f"`{text}` leads out of the spec's folder",
            node.span,
            help=help or f"allow its folder with `--data-root {candidates[0].parent}`",
        )
    return next((path for path in inside if _exists(path)), inside[0])


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be looked into
        return False


def _inside(path: Path, roots: Sequence[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)
