"""Run → report: what its model is worth on a part of the data, in numbers and pictures. Raises SpecError."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kbuild.data.dataset import Dataset, Part
from kbuild.data.lazy import Array, Lazy, whole
from kbuild.data.load import load
from kbuild.model import backend as engine
from kbuild.model.use import trusted
from kbuild.plan.expand import expand
from kbuild.plan.head import Head, heads
from kbuild.spec.load import load as load_spec
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train import atomic, figures, metrics, run, rundir, runset, weights
from kbuild.train.runset import is_ensemble, is_set

if TYPE_CHECKING:
    from kbuild.train.execution_loop import Running

WORST = 24
PartName = Literal["train", "validation", "test"]


def evaluate(
    path: Path | str, part: PartName = "test", *, backend: str | None = None, trust: bool = False
) -> dict[str, object]:
    """Evaluate the saved model of a run and write `report/evaluation.json` and the pictures.

    Args:
        part: which part of the run's data.
        backend: None takes the one that is imported, or the one of the run.
        trust: run the code that the run's spec names in `use`.

    Returns:
        `part`, `examples`, `metrics` by name and `outputs` by name: for classes `classes`, `per_class` (precision,
        recall, f1, support), `confusion` (rows are true classes) and `worst` (id, true, predicted, probability), for
        numbers `mae`, `rmse`, `r2` and `worst`. Of a set what `runset.report` gives: all of this of each member is in
        the report of the member.

    Raises:
        SpecError: K603–K607 if there is no usable run, K609 if the data has no such part, K632 if a member of an
            ensemble learned from it.
    """
    path = Path(path)
    info = rundir.info(path)
    if is_set(info):
        return _of_set(path, info, part, backend, trust)
    _new_to_all(path, info, part)
    spec = spec_of(path, trust)
    assert spec.data is not None
    engine.start(backend or installed(info))
    trusted(spec.use)
    shapes = {entry.name: entry.shape for entry in spec.inputs}
    dataset = load(spec.data, spec.train.seed, features=shapes, trust=spec.trust)
    plan = expand(spec, dataset.header)
    from kbuild.model import build
    from kbuild.train import compile, job

    model: Any = run.load_model(path)
    found = heads(spec, plan, dataset.header)
    dataset = job.aligned(dataset, plan, found)
    inner = model
    if is_ensemble(info):
        from kbuild.train.ensemble_model import FIRST, of_probabilities

        found, inner = tuple(of_probabilities(head) for head in found), model.get_layer(FIRST)
    compile.compile(model, spec.train, found, 1)
    features = build.features(inner, plan)
    chosen = _chosen(dataset, part)
    return _written(model, found, chosen, part, features, spec, path)


def _chosen(dataset: Dataset, part: PartName) -> Part:
    """Raise SpecError K609 if it is not there."""
    chosen: Part | None = getattr(dataset, part)
    if chosen is None or not len(chosen):
        there = [name for name in ("train", "validation", "test") if len(getattr(dataset, name) or ())]
        raise SpecError(
            Problem(
                "K609",
                f"the data has no part `{part}`",
                help="choose one of " + ", ".join(f"`{name}`" for name in there),
            )
        )
    return chosen


def _new_to_all(path: Path, info: Mapping[str, Any], part: PartName) -> None:
    """Raise SpecError K632 if some of an ensemble learned from a part that is no training part."""
    if not is_ensemble(info) or part in ("train", *info["held"]):
        return
    message = f"`{path}` cannot be measured on the part `{part}`: some of it learned from these examples"
    there = ", ".join(f"`{name}`" for name in ("train", *info["held"]))
    raise SpecError(Problem("K632", message, help=f"choose one of {there}"))


def report(
    model, heads: Sequence[Head], dataset: Dataset, features, spec: Spec, path: Path, running: "Running | None" = None
) -> dict[str, float]:
    """Evaluate a compiled model at the end of its training; the numbers of the test part, empty if there is none.

    Args:
        running: how its steps were run; None is as Keras runs them.

    The files in `report/` are of the test part, else of the validation part.
    """
    for name in ("test", "validation"):
        part: Part | None = getattr(dataset, name)
        if part is not None and len(part):
            found = _written(model, heads, part, name, features, spec, path, running)
            return found["metrics"] if name == "test" else {}  # pyright: ignore[reportReturnType]
    return {}


def described(head: Head) -> dict[str, object]:
    """What `run.json` says of an output, so that predictions can be read without the data."""
    return {
        "name": head.output,
        "task": head.task,
        "classes": list(head.classes),
        "count": head.count,
        "loss": None if head.loss is None else head.loss.name,
        "logits": head.logits,
        "why": head.why,
    }


def _of_set(path: Path, info: Mapping[str, Any], part: PartName, backend: str | None, trust: bool) -> dict[str, object]:
    """Evaluate the members that are done."""
    done = [run.path for run in runset.open_set(path, info).done]
    if not done:
        help = f"go on with `kbuild fit --resume {path}`"
        raise SpecError(Problem("K606", f"no member of `{path}` has come to its end", help=help))
    return runset.report(path, [(member, evaluate(member, part, backend=backend, trust=trust)) for member in done])


def spec_of(path: Path, trust: bool = False) -> Spec:
    """The spec of a run, from its `spec.yaml`; what it reads lies where it lay when the run was made."""
    file = path / "spec.yaml"
    if not file.is_file():
        raise SpecError(Problem("K605", f"the run `{path}` has no `spec.yaml`", help="train again"))
    return load_spec(file, trust=trust)


def installed(info: Mapping[str, object]) -> str | None:
    """The backend of a run, if Keras is free to choose it and this machine has it."""
    import importlib.util
    import sys

    name = str(info.get("backend") or "")
    return name if name and "keras" not in sys.modules and importlib.util.find_spec(name) else None


def _written(
    model, heads, part: Part, name: str, features, spec: Spec, path: Path, running: "Running | None" = None
) -> dict[str, object]:
    from kbuild.train import stream

    # these import Keras, which must not happen before the backend is chosen
    from kbuild.train.job import batches
    from kbuild.train.outputs import predicted

    feed = batches(spec, heads, part, features)
    assert spec.data is not None
    with stream.reading():
        data = feed.data if running is None else running.measured(feed)
        logs = model.evaluate(data, verbose=0, return_dict=True)
        outputs = predicted(model, heads, part, feed.data, spec.data.batch_size)
    numbers = {key: float(value) for key, value in logs.items()}
    result: dict[str, object] = {"part": name, "examples": len(part), "metrics": numbers, "outputs": {}}
    for head in heads:
        suffix = "" if len(heads) == 1 else f"-{head.output}"
        value = outputs[head.output]
        if spec.data.target == "input":
            one = _reconstruction(part, value, features, head.output, path, suffix)
        else:
            one = _output(head, part, value, path, suffix, name)
        result["outputs"][head.output] = one  # pyright: ignore[reportIndexIssue]
    atomic.write_json(path / "report" / "evaluation.json", result)
    return result


def _output(head: Head, part: Part, value: Array, path: Path, suffix: str, name: str) -> dict[str, object]:
    true = part.y.get(head.output)
    report = path / "report"
    if true is None:
        return {}
    if head.task in ("binary", "multiclass") and value.ndim == 2:
        return _classes(head, part, weights.integers(true), whole(value), report, suffix, name)
    if head.task == "regression":
        found = metrics.compared(true, value)
        error = found.absolute
        shown = slice(figures.POINTS)
        figures.scatter(report / f"prediction{suffix}.png", true[shown], value[shown], f"{head.output}, {name}")
        rows = [
            {"id": _id(part, at), "true": np.asarray(true[at]), "predicted": value[at], "error": error[at]}
            for at in metrics.worst(error, WORST)
        ]
        return {"task": head.task, **found.numbers, "worst": atomic.finite(rows)}
    return {"task": head.task}


def _classes(head, part: Part, true: np.ndarray, value: np.ndarray, report: Path, suffix: str, name: str) -> dict:
    probability = metrics.probabilities(value, head.logits)
    predicted = metrics.chosen(probability)
    count = max(int(max(true.max(), predicted.max())) + 1, head.count or 0, len(head.classes), 2)
    classes = [*head.classes, *(str(number) for number in range(len(head.classes), count))]
    matrix = metrics.confusion(true, predicted, count)
    figures.confusion(report / f"confusion{suffix}.png", matrix, classes, f"{head.output}, {name}")
    sure = metrics.confidence(probability)
    wrong = np.flatnonzero(true != predicted)
    wrong = wrong[metrics.worst(sure[wrong], WORST)]
    rows = [
        {
            "id": _id(part, at),
            "true": classes[true[at]],
            "predicted": classes[predicted[at]],
            "probability": round(float(sure[at]), 6),
        }
        for at in wrong
    ]
    images = _images(part)
    if images is not None and len(wrong):
        titles = [f"{row['true']} → {row['predicted']}\n{row['probability']:.2f}" for row in rows]
        figures.pictures(report / f"worst{suffix}.png", [images[at] for at in wrong], titles)
    return {
        "task": head.task,
        "classes": classes,
        "per_class": metrics.per_class(true, predicted, classes),
        "confusion": matrix.tolist(),
        "mistakes": int((true != predicted).sum()),
        "worst": rows,
    }


def _reconstruction(part: Part, value: Array, features, output: str, path: Path, suffix: str) -> dict:
    from kbuild.train.feed import targets

    def inputs(rows: np.ndarray) -> np.ndarray:
        return np.asarray(targets({name: array[rows] for name, array in part.x.items()}, [output], features)[output])

    true = Lazy((len(part), *inputs(np.arange(1)).shape[1:]), np.dtype("float32"), inputs)
    found = metrics.compared(true, value)
    error = found.squared
    worst = metrics.worst(error, WORST)
    if true.ndim == 4 and true.shape == value.shape and true.shape[-1] in (1, 3):
        images = [image for at in worst[: WORST // 2] for image in (true[at], value[at])]
        titles = [text for at in worst[: WORST // 2] for text in (f"{_id(part, at)}", f"mse {error[at]:.3g}")]
        figures.pictures(path / "report" / f"worst{suffix}.png", images, titles)
    rows = [{"id": _id(part, at), "mse": float(error[at])} for at in worst]
    return {"task": "reconstruction", **found.numbers, "worst": rows}


def _images(part: Part) -> Array | None:
    for array in part.x.values():
        if (array.ndim == 4 and array.shape[-1] in (1, 3)) or (array.ndim == 3 and min(array.shape[1:]) >= 8):
            return array
    return None


def _id(part: Part, at: int) -> str:
    return part.ids[at] if part.ids is not None else str(int(at))
