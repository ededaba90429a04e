"""Run and new examples → for each what the model says of it. Raises SpecError."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kbuild.model import backend as engine
from kbuild.model.use import trusted
from kbuild.text.problem import SpecError
from kbuild.train import examples, metrics, run, rundir, score
from kbuild.train.runset import is_set, several

BATCH = 256


def predict(
    path: Path | str,
    inputs: Sequence[Path | examples.Row],
    *,
    backend: str | None = None,
    trust: bool = False,
) -> list[dict[str, object]]:
    """Ask the saved model of a run about new examples.

    Args:
        inputs: see `kbuild.train.examples.read`.
        backend: None takes the one that is imported, or the one of the run.
        trust: run the code that the run's spec names in `use`.

    Returns:
        For each example `input`, where it came from, and what the model says: `class`, `probability` and
        `probabilities` by class name, or `value`; for several outputs a map of such under `outputs`.

    Raises:
        SpecError: K603–K607 if there is no usable run, K625 if there are several, K610 and K611 for
            inputs that do not fit.
    """
    path = Path(path)
    info = rundir.info(path)
    if is_set(info):
        raise SpecError(several(path, info))
    engine.start(backend or score.installed(info))
    if info.get("use"):
        trusted(score.spec_of(path, trust).use)
    model: Any = run.load_model(path)
    from kbuild.train.feed import feed

    told: Mapping[str, Any] = info.get("inputs") or {}  # pyright: ignore[reportAssignmentType]
    known = examples.Known(
        {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs},
        {name: tuple(of["range"]) for name, of in told.items()},
        _encoding(path),
        {name: of["key"] for name, of in told.items()},
    )
    part = examples.read(inputs, known)
    raw = model.predict(feed(part, BATCH, ()).data, verbose=0)
    outputs: list[Mapping[str, object]] = list(info.get("outputs") or [])  # pyright: ignore[reportArgumentType]
    values = dict(raw) if isinstance(raw, Mapping) else {str(outputs[0]["name"]): raw}
    said = {str(of["name"]): _said(of, np.asarray(values[str(of["name"])])) for of in outputs}
    ids = part.ids or ()
    if len(said) == 1:
        return [{"input": ids[at], **one} for at, one in enumerate(next(iter(said.values())))]
    return [{"input": ids[at], "outputs": {name: rows[at] for name, rows in said.items()}} for at in range(len(part))]


def _said(output: Mapping[str, object], value: np.ndarray) -> list[dict[str, object]]:
    """What one output says of each example."""
    names = [str(name) for name in output.get("classes") or ()]  # pyright: ignore[reportGeneralTypeIssues]
    task, logits = output.get("task"), bool(output.get("logits"))
    if task in ("binary", "multiclass") and value.ndim == 2:
        return _classes(metrics.probabilities(value, logits), names)
    if task == "multilabel" and value.ndim == 2:
        share = metrics.sigmoid(value) if logits else value
        names += [str(at) for at in range(len(names), share.shape[1])]
        return [
            {
                "labels": [name for name, one in zip(names, row, strict=False) if one > 0.5],
                "probabilities": {name: float(one) for name, one in zip(names, row, strict=False)},
            }
            for row in share
        ]
    return [{"value": float(one.reshape(-1)[0]) if one.size == 1 else one.tolist()} for one in value]


def _classes(probability: np.ndarray, names: list[str]) -> list[dict[str, object]]:
    if probability.shape[1] == 1:
        probability = np.concatenate([1.0 - probability, probability], axis=1)
    names = [*names, *(str(at) for at in range(len(names), probability.shape[1]))]
    return [
        {
            "class": names[int(row.argmax())],
            "probability": round(float(row.max()), 6),
            "probabilities": {name: round(float(share), 6) for name, share in zip(names, row, strict=False)},
        }
        for row in probability
    ]


def _encoding(path: Path) -> Mapping[str, object]:
    file = path / "encoding.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}
