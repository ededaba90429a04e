"""A file or text → Spec: read, resolve, parse, in that order."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from kbuild.spec.first import first
from kbuild.spec.hole import Choose, default
from kbuild.spec.parse import parse
from kbuild.spec.resolve import resolve
from kbuild.spec.shipped import shipped, shipped_names
from kbuild.spec.spec import Spec
from kbuild.text.node import Node
from kbuild.text.problem import mistake
from kbuild.text.read import read, read_file
from kbuild.text.source import Source


def load(
    spec: str | Path,
    overrides: Mapping[str, object] | None = None,
    *,
    sets: Sequence[str] = (),
    data_roots: Sequence[str | Path] = (),
    trust: bool = False,
    choose: Choose = default,
) -> Spec:
    """Read a spec.

    Args:
        spec: a path; `kbuild:NAME` for a shipped spec; or the text itself, if it has more than one line.
        overrides: dotted path → value, laid over the spec: `{"train.epochs": 5}`.
        sets: the same as text, `"train.epochs=5"`, with YAML values.
        data_roots: folders beside the spec's own that data may lie in.
        trust: let the spec run code of its own (`use`, `Lambda`, …).
        choose: what to take for a hole.

    Raises:
        SpecError: all problems of the stage that found them.

    Example:
        >>> load("kbuild: 1\\nmodel:\\n  - Dense: 10\\n").name
        'spec'
    """
    root, stem, home = _read(spec)
    roots = tuple(Path(r).absolute() for r in data_roots)
    home, roots = _of_run(root.span.source.path, home, roots)
    resolved = resolve(root, home, sets, overrides, first)
    return parse(resolved.node, stem, home, resolved.sources, roots, trust, choose)


def _read(spec: str | Path) -> tuple[Node, str, Path]:
    text = str(spec)
    if isinstance(spec, str) and ("\n" in text or text.lstrip().startswith("{")):
        return read(Source("<string>", text)), "spec", Path.cwd()
    if text.startswith("kbuild:"):
        from kbuild.spec.names import suggestion

        name = text.removeprefix("kbuild:")
        path = shipped(name)
        if path is None:
            help = suggestion(name, shipped_names(), "see `kbuild ls`")
            raise mistake("K001", f"kbuild ships no spec `{name}`", help=help)
        return read_file(path, text), name, path.parent
    path = Path(text).absolute()
    return read_file(path, text), path.stem, path.parent


def _of_run(path: Path | None, home: Path, roots: tuple[Path, ...]) -> tuple[Path, tuple[Path, ...]]:
    """A spec that a run or a study keeps starts where the one that it was made of started: `run.json` keeps that folder
    and the roots.
    """
    if path is None:
        return home, roots
    kept = {"spec.yaml": path.parent, "best.yaml": path.parent}.get(path.name)
    kept = path.parent.parent if kept is None and path.parent.name == "top" else kept
    if kept is None:
        return home, roots
    try:
        run = json.loads((kept / "run.json").read_text(encoding="utf-8"))
        own, *others = (Path(root) for root in run["data_roots"])
        return own, (*roots, *others)
    except (OSError, ValueError, KeyError, TypeError):
        return home, roots
