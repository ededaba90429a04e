"""Spec → Run or RunSet: all that can be is checked, then Keras is started, then training begins. Raises SpecError."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kbuild.data.bootstrap import bootstrapped
from kbuild.data.load import load
from kbuild.model import backend as engine
from kbuild.model.use import trusted
from kbuild.plan.applications import asking
from kbuild.plan.check import check, starts, unless_open
from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train import rundir, shortage
from kbuild.train.members import members
from kbuild.train.progress import Reporter, reporter
from kbuild.train.run import Run
from kbuild.train.runset import RunSet

if TYPE_CHECKING:
    from kbuild.train.job import Job


def fit(
    spec: Spec,
    *,
    out: Path | None = None,
    backend: str | None = None,
    command: Sequence[str] = (),
    report: Reporter | None = None,
) -> Run | RunSet:
    """Train the network of a spec and leave a run directory; with `train.repeats` or folds a directory of several.

    Args:
        out: the run directory, absent or empty; None makes `runs/NAME-NNN`.
        backend: `tensorflow`, `jax` or `torch`; None is the one that is imported, configured or installed.
        command: the command line, for the record.
        report: shows how it goes; None shows it on standard output.

    Returns:
        The run, `done` or `stopped` by SIGINT or SIGTERM; for several their set, which is `failed` where the loss of
        one of them did not stay a number.

    Raises:
        SpecError: K166 if the spec has no data; K601, K602 if there is no place for the run; K510 if the loss is not
            finite; K511 if a step fails; problems of the data (K4xx) and of the graph.
    """
    needs_data(spec)
    if out is not None:
        rundir.free(Path(out))
    found, report = members(spec), report or reporter()
    try:
        if len(found) == 1:
            return _fit(spec, out, backend, command, report)
        from kbuild.train import several

        return several.fit(spec, found, out=out, backend=backend, command=command, report=report)
    except SpecError as error:
        raise SpecError(placed(problem, spec) for problem in error.problems) from error


def _fit(spec: Spec, out: Path | None, backend: str | None, command: Sequence[str], report: Reporter) -> Run:
    with prepared(spec, backend) as job:
        from kbuild.train import session

        return session.train(job, out=out, command=command, report=report)


@contextmanager
def prepared(spec: Spec, backend: str | None, execution: object = None) -> "Iterator[Job]":
    """Start Keras, read the data and make all that training needs; what is made inside computes as the spec says.

    Args:
        execution: what `run.json` says of how the steps were run, for a run that goes on or is to be repeated.
    """
    assert spec.data is not None
    looked = unless_open(spec)
    lacks = [] if looked is None else starts(spec, looked.plan, "error")
    if lacks:
        raise SpecError(lacks)
    engine.start(backend)
    from kbuild.train import distribute

    spread, told = distribute.spread(spec.train, spec.data.batch_size)
    trusted(spec.use)
    with shortage.told(spec):
        dataset = load(spec.data, spec.train.seed, features=features(spec), trust=spec.trust)
    if spec.train.bootstrap:
        dataset, drawn = bootstrapped(dataset, spec.train.seed)
        told = (*told, drawn)
    # these import Keras, which must not happen before the backend is chosen
    from kbuild.model import learn
    from kbuild.train import execution as how
    from kbuild.train import execution_rule as rule
    from kbuild.train import job

    with asking(learn.ahead) if looked is None else nullcontext():
        # what the values tell, a header did not
        found = check(spec, dataset.header)
    with how.precision(spec.train):
        with shortage.told(spec, found):
            made = job.prepare(spec, found.plan, found.heads, dataset, rule.stored(execution), spread)
        yield replace(made, notes=(*made.notes, *told))


def features(spec: Spec) -> dict[str, tuple[int | None, ...] | None]:
    """The inputs that the model declares, which columns of a table can be."""
    return {entry.name: entry.shape for entry in spec.inputs}


def needs_data(spec: Spec) -> None:
    """Raise SpecError K166 if the spec has no data."""
    if spec.data is None:
        raise SpecError(
            Problem(
                "K166",
                "the spec has no `data`, so there is nothing to train on",
                spec.span(""),
                help="add a section, such as `data: {source: digits}`",
                path="data",
            )
        )


def placed(problem: Problem, spec: Spec) -> Problem:
    """A problem that knows its path in the spec only, at its place in the file."""
    return replace(problem, span=spec.span(problem.path)) if problem.span is None and problem.path else problem
