"""Study → Run: the best trial once more, on the training and the validation part together."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kbuild.search.study import Study
from kbuild.spec.load import load
from kbuild.train import rundir
from kbuild.train.fit import fit
from kbuild.train.progress import Reporter
from kbuild.train.run import Run
from kbuild.train.runset import RunSet

FOLDER = "refit"


def refit(
    study: Study, *, data_roots: Sequence[str | Path] = (), trust: bool = False, report: Reporter | None = None
) -> Run | RunSet:
    """Train the best spec as long as its best epoch, without a validation part.

    Args:
        report: shows how it goes; None shows it on standard output.

    Returns:
        The run in `refit/` of the study; one that is there already is not made again.
    """
    from kbuild.train.run import open_run

    assert study.best is not None
    out = study.path / FOLDER
    if (out / "run.json").is_file() and json.loads((out / "run.json").read_text("utf-8")).get("status") == "done":
        return open_run(out)
    run: dict[str, Any] = rundir.info(study.run(study.best))
    epochs = run.get("best_epoch") or study.best.epochs
    changes: dict[str, object] = {
        "data.split.validation": 0, "train.epochs": max(int(epochs), 1), "train.early_stopping": False,
        "name": f"{run['name']}-refit",
    }  # fmt: skip
    spec = load(study.path / "best.yaml", changes, data_roots=data_roots, trust=trust)
    return fit(spec, out=out, backend=str(run.get("backend")), command=("kbuild", "tune", "--refit"), report=report)
