"""The verbs of the Python API that are more than one room's function. Keras is imported when it is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kbuild.plan.check import check as _check
from kbuild.plan.check import unless_open
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError

if TYPE_CHECKING:
    import keras

    from kbuild.train.ensemble import How
    from kbuild.train.progress import Reporter
    from kbuild.train.run import Run


def check(spec: Spec) -> list[Problem]:
    """Everything that can be known of a spec before it is built: errors, warnings and hints. Keras is not loaded."""
    try:
        return list(_check(spec).problems)
    except SpecError as error:
        return list(error.problems)


def build(spec: Spec, backend: str | None = None) -> "keras.Model":
    """The network of a spec as a functional Keras model, not compiled, with the weights that it starts from.

    Args:
        backend: `tensorflow`, `jax` or `torch`; None is the one that is imported, configured or installed.

    Raises:
        SpecError: problems of the data's header (K4xx), of the weights (K116, K225), of the graph (K2xx) and of the
            backend (K5xx).
    """
    from kbuild.model import backend as engine

    found = unless_open(spec)
    engine.start(backend)
    from kbuild.model import build as builder
    from kbuild.model import learn, use
    from kbuild.model import start as starting
    from kbuild.plan.applications import asking

    use.trusted(spec.use if spec.trust else ())
    if found is None:
        with asking(learn.ahead):
            found = _check(spec)
    model = builder.build(found.plan)
    starting.start(model, found.plan, spec)
    return model


def compile(model: "keras.Model", spec: Spec) -> "keras.Model":
    """Put the spec's optimizer, losses, metrics and schedule on a model that `build` made of it; returns the model.

    A schedule counts in steps, so the data are read to know how many an epoch has. Of several phases it is the first.

    Raises:
        SpecError: K163 if nothing is trained; problems of the data (K4xx).
    """
    from kbuild.model import thaw
    from kbuild.plan.head import heads
    from kbuild.train.phase import ready

    found = _check(spec)
    outputs = found.heads
    steps = 1
    if spec.data is not None:
        from kbuild.data.load import load

        names = tuple(entry.name for entry in spec.inputs) or None
        dataset = load(spec.data, spec.train.seed, features=names, trust=spec.trust)
        outputs = heads(spec, found.plan, dataset.header)
        steps = -(-len(dataset.train) // spec.data.batch_size)
    ready(model, found.plan, thaw.states(model), found.phases[0], outputs, steps)
    return model


def ensemble(
    runs: Sequence[Path | str],
    how: "How" = "average",
    *,
    top: int | None = None,
    out: Path | None = None,
    backend: str | None = None,
    trust: bool = False,
    command: Sequence[str] = (),
    report: "Reporter | None" = None,
) -> "Run":
    """Make one model of several runs; see `kbuild.train.ensemble`.

    Args:
        runs: run directories, a set, or a study.
        top: so many of the best trials of a study.

    Raises:
        SpecError: K630 for a study without `top`, or one that has too few trials that are done.
    """
    from kbuild.search.study import is_study, open_study
    from kbuild.train import rundir
    from kbuild.train.ensemble import ensemble as join

    found: list[Path] = []
    if top is not None and not any(is_study(rundir.info(Path(path))) for path in runs):
        help = "leave `top` out, or give the directory that `kbuild tune` made"
        raise SpecError(Problem("K630", f"`top` is of a study, and `{runs[0]}` is none", help=help))
    for path in map(Path, runs):
        if not is_study(rundir.info(path)):
            found.append(path)
            continue
        study = open_study(path)
        ranked = study.ranked
        if top is None or len(ranked) < top:
            message = f"`{path}` is a search, {len(ranked)} of whose trials are done"
            help = f"say how many of the best to take: `--top {max(2, min(5, len(ranked)))}`"
            raise SpecError(Problem("K630", message, help=help))
        found += [study.run(trial) for trial in ranked[:top]]
    return join(found, how, out=out, backend=backend, trust=trust, command=command, report=report)
