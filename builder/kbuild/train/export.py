"""Run → a file for others: its model in another format, loaded again by a fresh process and compared. SpecError K66x.

Keras's own `Model.export` writes the formats; what is written takes its place only when it gives the same numbers.
"""

import importlib.util
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kbuild.model import backend as engine
from kbuild.model.use import trusted
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train import atomic, run, rundir, runset, score, script

if TYPE_CHECKING:
    import keras

NEAR = 1e-5
"""How far the numbers of what was written may be from the model's: of the largest of them, if that is above 1."""
BATCHES = (1, 7)
ENDINGS = (".keras", ".h5", ".hdf5", ".onnx", ".tflite", ".pb", ".pt2", ".py")
Arrays = Mapping[str, np.ndarray]
_OF_SAVEDMODEL = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is written.

    Args:
        name: as Keras's `Model.export` calls it; empty where the model is saved.
        suffix: of the file; a folder has none.
        needs: by backend that can write it, the packages beside it that must be there; None is any backend.
    """

    name: str
    suffix: str
    needs: Mapping[str, tuple[str, ...]] | None = None


FORMATS = {
    "keras": Format("", ".keras"),
    "savedmodel": Format("tf_saved_model", "", {"tensorflow": (), "jax": ("tensorflow",)}),
    "onnx": Format("onnx", ".onnx", {"tensorflow": ("tf2onnx", "onnx"), "jax": ("jax2onnx", "onnx")}),
    "litert": Format("litert", ".tflite", {"tensorflow": ()}),
    "python": Format("", ".py"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        path: the file or folder.
        difference: the largest difference between its numbers and the model's; None for a model that draws random
            numbers.
        notes: what a user should know, a line each.
    """

    run: Path
    to: str
    path: Path
    difference: float | None
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        """The object that `export --json` prints."""
        told = {"run": str(self.run), "to": self.to, "path": str(self.path), "difference": self.difference}
        return {**told, "notes": list(self.notes)}


def export(
    path: Path | str, to: str, out: Path | str | None = None, *, backend: str | None = None, trust: bool = False
) -> Exported:
    """Write the model of a run in another format.

    Args:
        to: one of `FORMATS`.
        out: the file, or for `savedmodel` the folder; None is `RUN/export/NAME` with the suffix of the format.
        backend: what writes it; None is the one that is imported, else the first that can and is installed: weights
            are the same on each.
        trust: run the code that the run's spec names in `use`.

    Raises:
        SpecError: K603–K607 and K625 if there is no usable run, K660 if a package is missing, K661 if it cannot be
            written, K662 if what was written gives other numbers, K663 if something else is in its place.
    """
    path = Path(path)
    info = rundir.info(path)
    if to not in FORMATS:
        raise SpecError(Problem("K661", f"`{to}` is no format", help=f"one of {', '.join(FORMATS)}"))
    if runset.is_set(info):
        raise SpecError(runset.several(path, info))
    if to == "python" and runset.is_ensemble(info):
        help = "export its members, or choose another format"
        raise SpecError(Problem("K661", f"`{path}` is an ensemble, which no spec describes", help=help))
    target, notes = _target(path, info, to, out)
    engine.start(_chosen(to, backend, info))
    spec = score.spec_of(path, trust) if info.get("use") or to == "python" else None
    trusted(() if spec is None else spec.use)
    model: Any = run.load_model(path)
    own = any(_own(layer) for layer in model._flatten_layers())
    if own and to == "keras":
        notes.append("the model has layers of kbuild's own: `import kbuild.model.layers` before you load it")
    target.parent.mkdir(parents=True, exist_ok=True)
    # a model has to be called before Keras exports it to some formats
    given = {size: _examples(model, info, size) for size in BATCHES}
    wanted = {size: _asked(model, x) for size, x in given.items()}
    with _staged(target, to) as staged:
        if to == "python":
            assert spec is not None
            _as_python(spec, info, model, staged)
        else:
            _write(model, to, staged)
        used = [str(file) for file in spec.use] if spec is not None else []
        difference = _compared(model, given, wanted, to, staged, used, own)
    if difference is None:
        notes.append("the model draws random numbers, so what was written is not compared with it")
    return Exported(path, to, target, difference, tuple(notes))


def _target(path: Path, info: Mapping[str, Any], to: str, out: Path | str | None) -> tuple[Path, list[str]]:
    """Where it goes, and what is to be said of that. Raises SpecError K663."""
    suffix, notes = FORMATS[to].suffix, list[str]()
    if out is None:
        name = str(info.get("name") or "model")
        target = path / "export" / (f"{name}{suffix}" if suffix else f"{name}-{to}")
    else:
        target = Path(out)
        if suffix and target.suffix != suffix:
            target = target.with_suffix(suffix) if target.suffix in ENDINGS else target.with_name(target.name + suffix)
            notes.append(f"the file is `{target}`: the suffix of `{to}` is `{suffix}`")
    if target.is_symlink() or (target.exists() and not _replaceable(target, to)):
        message = f"`{target}` is there already, and nothing that `kbuild export --to {to}` wrote"
        raise SpecError(Problem("K663", message, help="choose another place with `--out`"))
    return target, notes


def _replaceable(target: Path, to: str) -> bool:
    if to == "python":
        return target.is_file() and target.with_suffix(script.WEIGHTS).is_file()
    if to != "savedmodel":
        return target.is_file()
    return target.is_dir() and {entry.name for entry in target.iterdir()} <= _OF_SAVEDMODEL


def _chosen(to: str, asked: str | None, info: Mapping[str, Any]) -> str | None:
    """The backend that writes it; None leaves it as it is. Raises SpecError K660, K661."""
    needs = FORMATS[to].needs
    if needs is None:
        return asked or score.installed(info)
    running = sys.modules["keras"].config.backend() if "keras" in sys.modules else None
    there = [name for name in needs if _installed(name)]
    chosen = asked or running or next(iter(there), None) or next(iter(needs))
    if chosen not in needs:
        able = " or ".join(f"`{name}`" for name in needs)
        help = f"write `--backend {there[0]}`" if there else f"`pip install {next(iter(needs))}`"
        raise SpecError(Problem("K661", f"`{to}` is written by {able}, and not by `{chosen}`", help=help))
    missing = [name for name in (chosen, *needs[chosen]) if not _installed(name)]
    if missing:
        named = " and ".join(f"`{name}`" for name in missing)
        where = "" if chosen in missing else f" on `{chosen}`"
        said = f"`{to}` needs {named}{where}, and {'they are' if len(missing) > 1 else 'it is'} not installed"
        raise SpecError(Problem("K660", said, help=f"`pip install {' '.join(missing)}`"))
    return chosen


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@contextmanager
def _staged(target: Path, to: str) -> Iterator[Path]:
    """A place beside the target whose content takes its place when the block ends well."""
    if to == "python":
        with tempfile.TemporaryDirectory(prefix=".kbuild-", dir=target.parent) as place:
            yield Path(place) / target.name
            # a script whose weights are there; one without them would be of no use
            for file in (Path(place) / target.with_suffix(script.WEIGHTS).name, Path(place) / target.name):
                atomic.sync(file)
                file.replace(target.with_name(file.name))
            atomic.sync(target.parent)
        return
    if to != "savedmodel":
        with atomic.writing(target) as temporary:
            yield temporary
        return
    with tempfile.TemporaryDirectory(prefix=".kbuild-", dir=target.parent) as place:
        yield Path(place) / "new"
        for file in (Path(place) / "new").rglob("*"):
            atomic.sync(file)
        if target.exists():
            target.rename(Path(place) / "old")
        try:
            (Path(place) / "new").rename(target)
        except OSError:
            if (Path(place) / "old").exists():
                (Path(place) / "old").rename(target)
            raise
        atomic.sync(target.parent)


def _write(model: "keras.Model", to: str, staged: Path) -> None:
    """Let Keras write it. Raises SpecError K661 with its reason."""
    from kbuild.model import objects

    try:
        if FORMATS[to].name:
            with warnings.catch_warnings():
                # of the converters about themselves
                warnings.simplefilter("ignore")
                model.export(str(staged), format=FORMATS[to].name, verbose=False)
        else:
            model.save(staged)
    except OSError:
        raise
    except Exception as error:
        help = "choose another format; `keras` takes every model"
        raise SpecError(Problem("K661", f"`{to}` cannot be written: {objects.sentence(error)}", help=help)) from error


def _as_python(spec: Spec, info: Mapping[str, Any], model: "keras.Model", staged: Path) -> None:
    """Write the script and its weights. Raises SpecError, of `check`."""
    staged.write_text(script.script(spec, info, model), "utf-8")
    model.save_weights(staged.with_suffix(script.WEIGHTS))


def _compared(
    model: "keras.Model", given: Mapping[int, Arrays], wanted: Mapping[int, Arrays], to: str, staged: Path,
    used: list[str], own: bool,
) -> float | None:  # fmt: skip
    """Load it in another process, ask it what the model was asked. Raises SpecError K662."""
    last = BATCHES[-1]
    if any((wanted[last][name] != value).any() for name, value in _asked(model, given[last]).items()):
        return None
    worst = 0.0
    with tempfile.TemporaryDirectory() as place:
        for size, x in given.items():
            np.savez(Path(place) / f"{size}.npz", allow_pickle=False, **x)
        _elsewhere(to, staged, Path(place), used, own)
        for size in BATCHES:
            with np.load(Path(place) / f"{size}-out.npz", allow_pickle=False) as found:
                worst = max(worst, _difference(wanted[size], dict(found)))
    if not worst <= _tolerance(model):
        said = f"what `{to}` gives differs from the model by {worst:.1e}, {_tolerance(model):.0e} at most is right"
        raise SpecError(Problem("K662", said, help="nothing was written; choose another format or `--backend`"))
    return worst


def _elsewhere(to: str, staged: Path, place: Path, used: list[str], own: bool) -> None:
    """Ask it in a fresh process. Raises SpecError K662 if it cannot be loaded."""
    import keras

    builder = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {builder!r}); from kbuild.train.reloaded import main; main(sys.argv[1:])"
    backend = keras.config.backend()
    arguments = [to, str(staged.absolute()), str(place), backend, "own" if own else "", *used]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        last = next((line for line in reversed(done.stderr.strip().split("\n")) if line.strip()), "it ended")
        message = f"what `{to}` wrote cannot be loaded again: {last.strip()[:300]}"
        raise SpecError(Problem("K662", message, help="nothing was written; choose another format or `--backend`"))


def _examples(model: "keras.Model", info: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """Examples such as the model was trained on: of their shape, between their lowest and highest value."""
    rng, found = np.random.default_rng(0), {}
    for tensor in model.inputs:
        told = info["inputs"][tensor.name]
        low, high = told["range"]
        shape = (count, *told["shape"])
        whole = isinstance(low, int) and isinstance(high, int)
        values = rng.integers(low, high, shape, endpoint=True) if whole else rng.uniform(low, high, shape)
        found[tensor.name] = np.asarray(values, tensor.dtype)
    return found


def _asked(model: "keras.Model", x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a model gives, by name."""
    raw: Any = model.predict_on_batch(dict(x) if len(x) > 1 else next(iter(x.values())))
    values = dict(raw) if isinstance(raw, Mapping) else {"": raw}
    return {name: np.asarray(value, "float64") for name, value in values.items()}


def _difference(wanted: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> float:
    """The largest, of the largest number if that is above 1; names of a format that knows none go by their order."""
    if set(wanted) != set(found):
        found = dict(zip(sorted(wanted), (found[name] for name in sorted(found)), strict=True))
    worst = 0.0
    for name, value in wanted.items():
        if found[name].shape != value.shape:
            return float("inf")
        worst = max(worst, float(np.abs(found[name] - value).max(initial=0)) / max(1.0, np.abs(value).max(initial=0)))
    return worst


def _tolerance(model: Any) -> float:
    half = any(layer.compute_dtype in ("float16", "bfloat16") for layer in model._flatten_layers())
    return 1e-2 if half else NEAR


def _own(layer: object) -> bool:
    return type(layer).__module__.startswith("kbuild.")
