"""Run directory → Run: training goes on where its newest checkpoint was taken. Raises SpecError K62x."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kbuild.spec.load import load
from kbuild.spec.spec import Spec
from kbuild.text.node import plain
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read
from kbuild.text.source import Source
from kbuild.train import checkpoint, lock, longer, rundir
from kbuild.train.checkpoint import Position
from kbuild.train.progress import Reporter, reporter
from kbuild.train.run import Run
from kbuild.train.runset import RunSet, is_ensemble, is_set


def resume(
    path: Path | str,
    *,
    epochs: int | str | None = None,
    backend: str | None = None,
    data_roots: Sequence[str | Path] = (),
    trust: bool = False,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> Run | RunSet:
    """Go on with a run that was stopped, killed or failed, or make a finished one longer; or with a set of runs.

    What comes out is, number for number, what the run would have been if nothing had stopped it.

    Args:
        path: the run directory.
        epochs: train until this epoch; `"+10"` for ten more; None as the run's spec says.
        backend: must be the run's; None is that one.
        data_roots: folders that the data may lie in, beside those of the run.

    Raises:
        SpecError: K603–K605 if it is no run; K620 if another process trains in it; K621 if nothing is left to do; K622
            if its spec, its data, its backend or Keras is another than before; K623 if it has no whole checkpoint.
    """
    path = Path(path)
    info, report = rundir.info(path), report or reporter()
    _trained(path, info)
    if is_set(info):
        from kbuild.train import several

        return several.go_on(
            path, info, epochs=epochs, backend=backend, data_roots=data_roots, trust=trust, command=command,
            report=report,
        )  # fmt: skip
    with lock.held(path):
        told: list[str] = []
        found = checkpoint.newest(path / "checkpoints", told.append)
        if found is None and (told or "saved" in info):
            raise SpecError(_nothing(path, told))
        spec = load(path / "spec.yaml", data_roots=data_roots, trust=trust)
        start = None if found is None else _position(found)
        overrides = longer.longer(spec.train, start, info.get("status") == "done", epochs)
        spec = load(path / "spec.yaml", overrides, data_roots=data_roots, trust=trust)
        same(path, info, None if found is None else str(found.state["spec"]), backend)
        if start is not None and overrides and _in_last(start, spec):
            # it goes on though it was stopped early
            start = replace(start, state={**start.state, "stopped": False})
        over = _over(path, info, start, spec)
        _tell(report, told, over, start)
        return _go_on(spec, path, start, info, command, report)


def _trained(path: Path, info: Mapping[str, Any]) -> None:
    """Raise SpecError K621 for an ensemble."""
    if is_ensemble(info):
        message = f"`{path}` is an ensemble, which is not trained itself"
        help = "go on with its members, then join them again with `kbuild ensemble`"
        raise SpecError(Problem("K621", message, help=help))


def _tell(report: Reporter, told: Sequence[str], over: bool, start: Position | None) -> None:
    for note in told:
        report.note(f"warning: {note}")
    report.note("all epochs are done; what follows them is done again" if over else _where(start))


def _over(path: Path, info: Mapping[str, Any], start: Position | None, spec: Spec) -> bool:
    """Whether all epochs are trained. Raises SpecError K621 if the run is done, too."""
    over = start is not None and _in_last(start, spec) and _is_over(start, spec)
    if start is not None and over and info.get("status") == "done":
        raise SpecError(_done(path, start.epoch))
    return over


def _position(found: checkpoint.Checkpoint) -> Position:
    """Where a checkpoint was taken."""
    state: Mapping[str, Any] = found.state
    return Position(int(state["epoch"]), int(state["batch"]), found.arrays, state)


def _in_last(start: Position, spec: Spec) -> bool:
    return start.phase + 1 == len(spec.train.parts)


def _is_over(start: Position, spec: Spec) -> bool:
    return bool(start.state["stopped"]) or start.epoch >= start.began + spec.train.parts[start.phase].epochs


def _where(start: Position | None) -> str:
    if start is None:
        return "begins again: it was stopped before its first checkpoint"
    return f"goes on with epoch {start.epoch + 1}" + (f", batch {start.batch + 1}" if start.batch else "")


def _go_on(
    spec: Spec, path: Path, start: Position | None, info: Mapping[str, Any], command: Sequence[str], report: Reporter
) -> Run:
    from kbuild.train.fit import prepared

    started = replace(spec, started=start is not None)
    with prepared(started, str(info["backend"]), info.get("execution")) as job:
        from kbuild.train.session import train

        if job.dataset.digest != info["data"]["digest"]:
            raise SpecError(changed(path, ["the data hold other examples than before"]))
        devices = [] if job.spread is None else list(job.spread.devices)
        if devices != list(info.get("devices") or ()):
            report.note("warning: other devices share each batch than before: what follows is rounded otherwise")
        return train(job, out=path, command=command, report=report, start=start, held=True)


def same(path: Path, info: Mapping[str, Any], spec: str | None, backend: str | None) -> None:
    """Whether what decides the numbers is as it was. Raises SpecError K622 with all that is not.

    Args:
        spec: what the checkpoint says; None if there is none yet.
    """
    now = (path / "spec.yaml").read_text("utf-8")
    found: list[str] = []
    if spec is not None and spec != now:
        found += _differences("", _tree(spec), _tree(now), _length(_tree(now)))
    if spec is None and hashlib.sha256(now.encode()).hexdigest() != info.get("spec_digest"):
        found.append("`spec.yaml` is another than before")
    if backend not in (None, info["backend"]):
        found.append(f"the backend was `{info['backend']}`, and `{backend}` is asked for")
    versions = rundir.versions()
    for name, before in dict(info["versions"]).items():
        if name in {"keras", str(info["backend"])} and versions.get(name) != before:
            found.append(f"{name} was {before} and is {versions.get(name, 'not installed')}")
    if found:
        raise SpecError(changed(path, found))


def differences(before: str, now: str) -> list[str]:
    """What is another in the text of a spec, by path."""
    return list(_differences("", _tree(before), _tree(now), ""))


def _length(tree: object) -> str:
    """Where a spec says how long the training is, or its last phase."""
    train = tree.get("train") if isinstance(tree, dict) else None
    parts = train.get("phases") if isinstance(train, dict) else None
    return f"train.phases.{len(parts) - 1}.epochs" if isinstance(parts, list) and parts else "train.epochs"


def _tree(text: str) -> object:
    return plain(read(Source("spec.yaml", text)))


def _differences(where: str, before: object, now: object, length: str) -> Iterator[str]:
    """What was changed in a spec, but for a run that is to be longer: `length` is where that is said."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            yield from _differences(f"{where}.{key}".lstrip("."), before.get(key), now.get(key), length)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for at, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences(f"{where}.{at}", *pair, length)
    elif before != now and not (where == length and isinstance(now, int) and now > int(before or 0)):  # pyright: ignore
        yield f"`{where}` was {_brief(before)} and is {_brief(now)}"


def _brief(value: object) -> str:
    text = "not there" if value is None else f"`{value}`"
    return text if len(text) < 80 else f"{text[:76]}…`"


def changed(path: Path, found: list[str]) -> Problem:
    """K622, with all that is another than before."""
    help = "put it back as it was, or begin a new run with `kbuild fit`"
    return Problem("K622", f"`{path}` cannot go on as the same run: {'; '.join(found)}", help=help)


def _done(path: Path, epoch: int) -> Problem:
    help = f"`kbuild fit --resume {path} --epochs +10` trains ten more"
    return Problem("K621", f"`{path}` is done: it has its {epoch} epochs, or was stopped early", help=help)


def _nothing(path: Path, told: list[str]) -> Problem:
    why = f": {told[0]}" if told else ""
    help = f"train again: `kbuild fit {path / 'spec.yaml'}`"
    return Problem("K623", f"`{path}` has no whole checkpoint to go on from{why}", help=help)
