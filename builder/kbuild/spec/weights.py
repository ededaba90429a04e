"""Node → the file or run that weights are taken from. Raises SpecError; reads no more than a file's first bytes."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from kbuild.spec.paths import allowed
from kbuild.spec.scope import Scope, evaluate
from kbuild.spec.spec import Spec
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar, brief
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem, Severity, mistake
from kbuild.text.source import Span

KERAS, H5 = ".keras", ".weights.h5"
INSIDE = "model.weights.h5"
"""The weights in a `.keras` file."""
_HDF5 = b"\x89HDF\r\n\x1a\n"


def start_weights(node: Node | None, scope: Scope, home: Path, roots: Sequence[Path] = ()) -> Path | None:
    """The absolute path that a key `weights` names; None for no key, `null` and `false`.

    A run of the current folder's `runs` may be named as the command line does, `runs/base-001`.

    Raises:
        SpecError: K105 if it is no path, K112 if it leads out of where files may lie, K116 for a file of another kind.
    """
    if node is None:
        return None
    value = evaluate(node, scope.at("weights"))
    if isinstance(value, Scalar) and value.value in (None, False):
        return None
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        help = "name a run, a `.keras` or a `.weights.h5` file"
        raise mistake("K105", f"`weights` takes a path, not `{brief(value)}`", node.span, help=help)
    path = allowed(value, home, roots, beside=Path.cwd() / "runs")
    if path.suffix and not path.is_dir() and not path.name.endswith((KERAS, H5)):
        known = path.suffix in {".h5", ".hdf5", ".npz", ".npy", ".json", ".pb", ".pt", ".pth", ".ckpt", ".safetensors"}
        if known or path.is_file():
            raise _kind(value.value, node.span)
    return path


def _kind(text: str, span: Span):
    help = (
        "load it with Keras and write it again: `model.save('start.keras')` or `model.save_weights('start.weights.h5')`"
    )
    return mistake("K116", f"`{text}` is no run, `.keras` or `.weights.h5` file", span, help=help)


def absent(path: Path, span: Span | None, severity: Severity = "warning") -> Problem | None:
    """K116 if no weights can be read at `path`: a warning, as for data that are not on this machine, or an error."""
    said = help = None
    if not path.exists():
        said, help = (
            f"the weights to start from are not there: `{near(path)}`",
            "train the run that they come from first",
        )
    elif path.is_dir():
        said, help = _no_run(path)
    elif not _is_what_it_says(path):
        what = "a zip file with weights in it" if path.name.endswith(KERAS) else "an HDF5 file"
        said, help, severity = f"`{near(path)}` is not {what}", "it is torn, or has another file's name", "error"
    return None if said is None else Problem("K116", said, span, severity, help)


def file(path: Path) -> Path:
    """The file in which the weights are: a run's model, or the file itself."""
    return path / "model.keras" if path.is_dir() else path


def near(path: Path) -> Path:
    """A path from the current folder, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _no_run(path: Path) -> tuple[str | None, str | None]:
    if (path / "model.keras").is_file():
        return None, None
    try:
        status = json.loads((path / "run.json").read_text("utf-8")).get("status")
    except (OSError, ValueError, AttributeError):
        return (
            f"`{near(path)}` is no run: it has no `run.json` that can be read",
            "name the folder that `kbuild fit` made",
        )
    return (
        f"the run `{near(path)}` has no model: its status is `{status}`",
        f"`kbuild fit --resume {near(path)}` ends it",
    )


def _is_what_it_says(path: Path) -> bool:
    try:
        if path.name.endswith(KERAS):
            with zipfile.ZipFile(path) as archive:
                return INSIDE in archive.namelist()
        with path.open("rb") as opened:
            return opened.read(len(_HDF5)) == _HDF5
    except (OSError, zipfile.BadZipFile):
        return False


def settled(chain: Node, spec: Spec) -> Node:
    """A chain with every path in an entry's key `weights` absolute, as a run keeps it."""
    match chain:
        case SequenceNode():
            return SequenceNode(tuple(settled(item, spec) for item in chain.items), chain.span)
        case MappingNode():
            return MappingNode(
                tuple((key, _beside(str(key.value), item, spec)) for key, item in chain.pairs), chain.span
            )
    return chain


def _beside(key: str, value: Node, spec: Spec) -> Node:
    if key == "chain":
        return settled(value, spec)
    if key == "branches" and isinstance(value, SequenceNode):
        return SequenceNode(tuple(settled(item, spec) for item in value.items), value.span)
    if key == "weights" and isinstance(value, Scalar) and "$" not in str(value.value):
        path = start_weights(value, spec.scope, spec.home, spec.data_roots)
        return value if path is None else Scalar(str(path), value.span)
    return value
