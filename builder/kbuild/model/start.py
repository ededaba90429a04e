"""(keras.Model, Plan) → the same model with the weights that its spec starts from, and what was taken of which file."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from kbuild.model import stored
from kbuild.plan.graph import written
from kbuild.plan.plan import Plan, Start
from kbuild.spec.spec import Spec
from kbuild.spec.weights import file, near
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Span

_TOLD = 8
"""Names that a message tells of."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a network took from a file.

    Args:
        source: the file or run, absolute.
        digest: SHA-256 of the file.
        layers: the layers that start from it, by their names in the network; in a model inside it `model/layer`.
        missing: those that the file does not have.
        differing: those that are another there: what is there and what is here.
    """

    source: str
    digest: str
    layers: tuple[str, ...]
    missing: tuple[str, ...]
    differing: Mapping[str, str]

    def __str__(self) -> str:
        count = len(self.layers) + len(self.missing) + len(self.differing)
        said = f"weights: {len(self.layers)} of {count} layers from {near(Path(self.source))}"
        if self.missing:
            said += f"; not in the file: {_names(self.missing)}"
        if self.differing:
            told = [f"`{name}` {what}" for name, what in self.differing.items()]
            said += f"; other there: {_some(told)}"
        return said

    def as_json(self) -> dict[str, object]:
        """What `run.json` and `fit --json` keep of it."""
        return {
            "source": self.source,
            "sha256": self.digest,
            "layers": len(self.layers),
            "missing": list(self.missing),
            "differing": dict(self.differing),
        }


def start(model: keras.Model, plan: Plan, spec: Spec) -> tuple[Taken, ...]:
    """Give a model the weights that its spec names, by layer name.

    An entry's own file goes before that of the whole. In the file a layer has its name here, or its name within the
    entry. Whole numbers (what a layer counts) and what `data.preprocess` learns from the data stay as they are.

    Returns:
        A record for each file, in the order of the layers; none if the spec names none.

    Raises:
        SpecError: K116 for a file that is not there or cannot be read, K225 if nothing in it fits.
    """
    starts = _starts(plan, spec)
    if not starts:
        return ()
    with tempfile.TemporaryDirectory() as place:
        mine = Path(place) / "mine.weights.h5"
        model.save_weights(mine)
        with h5py.File(mine, "r+") as own:
            here = {
                layer: arrays for layer, arrays in stored.layers(own).items() if any(map(_learned, arrays.values()))
            }
            taken = [_take(path, here, starts) for path in dict.fromkeys(found.path for found in starts.values())]
        model.load_weights(mine)
    return tuple(taken)


def _starts(plan: Plan, spec: Spec) -> dict[str, Start]:
    """What each layer of the network starts from, by step."""
    whole = Start(str(spec.weights), "", spec.span("weights")) if spec.weights else None
    found = {step.layer: step.weights or whole for step in plan.steps if step.name not in plan.preprocess}
    return {} if spec.started else {name: one for name, one in found.items() if one is not None}


def _take(path: str, here: stored.Layers, starts: Mapping[str, Start]) -> Taken:
    """Copy what fits from one file into the arrays of `here`."""
    of_it = {layer: starts[layer[0]] for layer in here if layer[0] in starts and starts[layer[0]].path == path}
    span = next((one.span for one in starts.values() if one.path == path), None)
    layers: list[str] = []
    missing: list[str] = []
    differing: dict[str, str] = {}
    source = file(Path(path))
    try:
        with stored.opened(source) as there:
            for layer, one in of_it.items():
                name = "/".join(layer)
                found = next((there[key] for key in _called(layer, one.entry) if there.get(key)), None)
                other = None if found is None else _other(found, here[layer])
                if found is None:
                    missing.append(name)
                elif other:
                    differing[name] = other
                else:
                    _copy(found, here[layer])
                    layers.append(name)
            if not layers:
                raise _nothing(path, span, there, differing or [*map("/".join, of_it)])
        with source.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200].strip("'\"")
        help = "train the run that they come from first, or save the weights again with Keras"
        problem = Problem("K116", f"no weights can be read from `{near(Path(path))}`: {said}", span, help=help)
        raise SpecError([problem]) from error
    return Taken(path, digest, tuple(layers), tuple(missing), differing)


def _called(layer: stored.Layer, entry: str) -> Iterator[stored.Layer]:
    """What a layer may be called in a file: as here, else as within its entry."""
    first, *rest = layer
    yield layer
    if entry and first == entry and rest:
        yield tuple(rest)
    elif entry and first.startswith(f"{entry}-"):
        yield (first.removeprefix(f"{entry}-"), *rest)


def _other(there: Mapping[stored.Where, Any], here: Mapping[stored.Where, Any]) -> str | None:
    """Why a layer of a file cannot be this one; None if it can."""
    if there.keys() != here.keys():
        return f"has {len(there)} arrays for {len(here)}" if len(there) != len(here) else "is another layer"
    for where, mine in here.items():
        if there[where].shape != mine.shape:
            return f"{written(there[where].shape)} for {written(mine.shape)}"
        if there[where].dtype.kind != mine.dtype.kind or (mine.dtype.kind == "V" and there[where].dtype != mine.dtype):
            return f"{there[where].dtype} for {mine.dtype}"
    return None


def _copy(there: Mapping[stored.Where, Any], here: Mapping[stored.Where, Any]) -> None:
    for where, mine in here.items():
        if _learned(mine):
            mine[...] = there[where][...]


def _learned(array: Any) -> bool:
    """Whole numbers are how far a layer has come, or its random state."""
    return array.dtype.kind in "fV"


def _nothing(path: str, span: Span | None, there: stored.Layers, here: Mapping[str, str] | Iterable[str]) -> SpecError:
    names = ["/".join(layer) for layer, arrays in there.items() if arrays]
    if isinstance(here, Mapping):
        said = f"no layer in `{near(Path(path))}` fits: {_some([f'`{name}` {what}' for name, what in here.items()])}"
        return SpecError([Problem("K225", said, span, help="build the layers as they were, or leave `weights` out")])
    said = f"no layer in `{near(Path(path))}` has the name of one here"
    help = f"there are {_names(names)}; the network has {_names(here)}" if names else "there are no weights in it"
    return SpecError([Problem("K225", said, span, help=help)])


def _names(names: Iterable[str]) -> str:
    return _some([f"`{name}`" for name in names])


def _some(texts: list[str]) -> str:
    more = len(texts) - _TOLD
    return ", ".join(texts[:_TOLD]) + (f" and {more} more" if more > 0 else "")
