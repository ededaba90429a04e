"""Run directory → Run: training goes on where its newest checkpoint was taken. Raises SpecError K62x."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kbuild.spec.load import load
from kbuild.spec.spec import Spec
from kbuild.text.node import plain
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read
from kbuild.text.source import Source
from kbuild.train import checkpoint, lock, rundir
from kbuild.train.progress import Reporter, reporter
from kbuild.train.run import Run
from kbuild.train.saver import Position


def resume(
    path: Path | str,
    *,
    epochs: int | str | None = None,
    backend: str | None = None,
    data_roots: Sequence[str | Path] = (),
    trust: bool = False,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> Run:
    """Go on with a run that was stopped, killed or failed, or make a finished one longer.

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
    info = rundir.info(path)
    with lock.held(path):
        told: list[str] = []
        found = checkpoint.newest(path / "checkpoints", told.append)
        if found is None:
            raise SpecError(_nothing(path, told))
        start = Position(
            int(found.state["epoch"]),  # pyright: ignore[reportArgumentType]
            int(found.state["batch"]),  # pyright: ignore[reportArgumentType]
            found.arrays,
            found.state,
        )
        planned = _length(info, start, epochs)
        overrides = {} if planned is None else {"train.epochs": planned}
        spec = load(path / "spec.yaml", overrides, data_roots=data_roots, trust=trust)
        _same(path, info, str(start.state["spec"]), backend)
        ended = bool(start.state["stopped"]) and epochs is None
        if ended or start.epoch >= spec.train.epochs:
            raise SpecError(_done(path, start.epoch))
        return _go_on(spec, path, start, info, told, command, report or reporter())


def _go_on(
    spec: Spec, path: Path, start: Position, info: Mapping[str, Any], told: list[str], command: Sequence[str],
    report: Reporter,
) -> Run:  # fmt: skip
    from kbuild.train.fit import prepared

    with prepared(spec, str(info["backend"])) as job:
        from kbuild.train.session import train

        if job.dataset.digest != info["data"]["digest"]:
            raise SpecError(_changed(path, ["the data hold other examples than before"]))
        for note in told:
            report.note(f"warning: {note}")
        report.note(f"goes on with epoch {start.epoch + 1}" + (f", batch {start.batch + 1}" if start.batch else ""))
        return train(job, out=path, command=command, report=report, start=start)


def _length(info: Mapping[str, Any], start: Position, epochs: int | str | None) -> int | None:
    """Until which epoch, if it is not the spec that says so."""
    if not isinstance(epochs, str):
        return epochs
    text = epochs.strip()
    if not text.removeprefix("+").isdigit() or int(text) < 1:
        raise SpecError(Problem("K105", f"`{epochs}` is no number of epochs", help="write `--epochs 30` or `+10`"))
    if not text.startswith("+"):
        return int(text)
    over = info.get("status") == "done" or start.state["stopped"]
    return (start.epoch if over else int(info.get("planned_epochs") or start.epoch)) + int(text)


def _same(path: Path, info: Mapping[str, Any], spec: str, backend: str | None) -> None:
    """Whether what decides the numbers is as it was. Raises SpecError K622 with all that is not."""
    now = (path / "spec.yaml").read_text("utf-8")
    found = list(_differences("", _tree(spec), _tree(now))) if now != spec else []
    if backend not in (None, info["backend"]):
        found.append(f"the backend was `{info['backend']}`, and `{backend}` is asked for")
    versions = rundir.versions()
    for name, before in dict(info["versions"]).items():
        if name in {"keras", str(info["backend"])} and versions.get(name) != before:
            found.append(f"{name} was {before} and is {versions.get(name, 'not installed')}")
    if found:
        raise SpecError(_changed(path, found))


def _tree(text: str) -> object:
    return plain(read(Source("spec.yaml", text)))


def _differences(where: str, before: object, now: object) -> Iterator[str]:
    """What was changed in a spec, but for a run that is to be longer."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            yield from _differences(f"{where}.{key}".lstrip("."), before.get(key), now.get(key))
    elif before != now and not (where == "train.epochs" and isinstance(now, int) and now > int(before or 0)):  # pyright: ignore
        yield f"`{where}` was {_brief(before)} and is {_brief(now)}"


def _brief(value: object) -> str:
    text = "not there" if value is None else f"`{value}`"
    return text if len(text) < 80 else f"{text[:76]}…`"


def _changed(path: Path, found: list[str]) -> Problem:
    help = "put it back as it was, or begin a new run with `kbuild fit`"
    return Problem("K622", f"`{path}` cannot go on as the same run: {'; '.join(found)}", help=help)


def _done(path: Path, epoch: int) -> Problem:
    help = f"`kbuild fit --resume {path} --epochs +10` trains ten more"
    return Problem("K621", f"`{path}` is done: it has its {epoch} epochs, or was stopped early", help=help)


def _nothing(path: Path, told: list[str]) -> Problem:
    why = f": {told[0]}" if told else ""
    help = f"train again: `kbuild fit {path / 'spec.yaml'}`"
    return Problem("K623", f"`{path}` has no whole checkpoint to go on from{why}", help=help)
