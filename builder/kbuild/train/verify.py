"""Run directory → whether its first steps give the same numbers again. Raises SpecError K624."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kbuild.spec.load import load
from kbuild.text.problem import Problem, SpecError
from kbuild.train import rundir
from kbuild.train.progress import Reporter
from kbuild.train.runset import FOLDER, is_ensemble, is_set
from kbuild.train.signals import Signals


def verify(
    path: Path | str, *, backend: str | None = None, data_roots: Sequence[str | Path] = (), trust: bool = False
) -> Mapping[str, object]:
    """Train the first steps of a run, of a set those of its first member, again in a place of their own, and compare.

    Returns:
        `steps`: how many; `loss`: after them. All variables of the model and its optimizer are then equal, bit for bit.

    Raises:
        SpecError: K603–K605 if it is no run, K624 if the numbers differ, with both losses and what else is different.
    """
    path = Path(path)
    info = rundir.info(path)
    if is_set(info):
        path = path / FOLDER / "1"
        info = rundir.info(path)
    before = info.get("witness")
    if is_ensemble(info):
        help = "do the first steps of its members again"
        raise SpecError(Problem("K624", f"`{path}` is an ensemble, which is not trained itself", help=help))
    if not isinstance(before, Mapping):
        raise SpecError(Problem("K624", f"`{path}` was stopped before its first steps were done"))
    spec = load(path / "spec.yaml", data_roots=data_roots, trust=trust)
    from kbuild.train.fit import prepared

    found: dict[str, object] = {}
    backend, how = backend or str(info["backend"]), info.get("execution")
    with prepared(spec, backend, how) as job, tempfile.TemporaryDirectory() as place:
        from kbuild.train import loop, witness

        with Signals() as signals:
            made = loop.loop(job, Path(place), "", [], lambda row, best: None, signals, Reporter())
            watch = witness.Witness(found.update, only=True)
            failed = loop.run(loop.first_steps(made, watch), None)
        if failed is not None:
            raise failed
        same = job.dataset.digest == dict(info["data"])["digest"]  # pyright: ignore
    if found != before:
        raise SpecError(_different(path, info, before, found, same))
    return {"run": str(path), "steps": found["steps"], "loss": found["loss"]}


def _different(path: Path, info: Mapping, before: Mapping, found: Mapping, same_data: bool) -> Problem:
    said = f"after {found.get('steps')} steps the loss is {found.get('loss')}, and was {before.get('loss')}"
    if found.get("loss") == before.get("loss"):
        said = f"after {found.get('steps')} steps the weights differ, though the loss is the same"
    now = rundir.versions()
    causes = [
        f"{name} was {old} and is {now.get(name)}" for name, old in info["versions"].items() if now.get(name) != old
    ]
    causes += [] if same_data else ["the data hold other examples"]
    help = "; ".join(causes) or "without `train.deterministic: true`, and on other hardware, sums come in another order"
    return Problem("K624", f"`{path}` does not repeat: {said}", help=help)
