"""A training whose numbers are no numbers any more → Problem K510: what, when, what is left, and what to change."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbuild.plan.check import check
from kbuild.spec.phases import written
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Span
from kbuild.train.findings import EXPLODING, Probe, slower
from kbuild.train.guard import Failure
from kbuild.train.health import inner, known
from kbuild.train.job import Job

RATE, SCALE = "K336", "K338"
"""The rules that know of learning rates no recipe has, and of inputs that are not scaled."""
FRAGILE = frozenset({"log", "log2", "log10", "exp", "sqrt", "rsqrt", "divide", "true_divide", "reciprocal", "power"})
"""Operations of `keras.ops` that give infinity or NaN, or whose derivative does, for a 0, a negative or a large number.
"""
WIDE = 1e6
"""Mean square of the numbers to be predicted from which on they are worth scaling."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something to change, and where."""

    text: str
    path: str
    span: Span | None


def not_finite(
    job: Job, failure: Failure, path: Path, best: int | None, probes: Sequence[Probe] = (), phase: int = 0
) -> Problem:
    """The problem to tell, at the place of the likeliest cause.

    Args:
        path: the run directory.
        best: the best epoch, from 1, whose model is in it; None if no epoch was finished.
        probes: the last look at the network, if there was one.
        phase: in which it happened, from 0.
    """
    kept = f"; the model of epoch {best} is in `{path}`" if best is not None else ""
    found = list(remedies(job, probes[-1] if probes else None, phase))
    first, *more = found
    help = "; or ".join([first.text, *(one.text for one in more[:1])])
    span = first.span or job.spec.span(first.path)
    return Problem("K510", f"{failure}{kept}", span, help=help, path=first.path)


def remedies(job: Job, probe: Probe | None = None, phase: int = 0) -> Iterator[Remedy]:
    """What to change, the likeliest cause first; at least one.

    Args:
        probe: the last look at the network.
        phase: the one under way, from 0.
    """
    seen = job.dataset.header.seen
    ranges = {**seen.targets, **seen.inputs}
    bad = [name for name, of in ranges.items() if not (math.isfinite(of.low) and math.isfinite(of.high))]
    if bad:
        yield Remedy(f"the training data are not finite in `{bad[0]}`; clean them", "data.source", None)
        return
    told = list(_told(job, phase))
    yield from (one for code, one in told if code == RATE)
    yield from _fragile(job)
    yield from (one for code, one in told if code == SCALE)
    yield from _half(job)
    yield from _targets(job)
    yield from _shorter(job, probe, any(code == RATE for code, _ in told), phase)


def _told(job: Job, phase: int) -> Iterator[tuple[str, Remedy]]:
    """What rules say of the spec that may be the cause; what they say of other phases is none."""
    try:
        problems = check(job.spec, job.dataset.header).problems
    except SpecError:
        return
    for one in problems:
        text = f"lower it: {one.message}" if one.code == RATE else f"scale the inputs: {one.help}"
        if one.code in (RATE, SCALE) and one.severity == "warning" and _in(job, one.path or "train", phase):
            yield one.code, Remedy(text, one.path or "train", one.span)


def _in(job: Job, path: str, phase: int) -> bool:
    """Whether what stands at a path of the spec holds in a phase."""
    top, *rest = path.split(".")
    if top != "train" or not rest:
        return True
    if rest[0] == "phases":
        return rest[1:2] == [str(phase)]
    return rest[0] not in written(job.spec, phase)


def _fragile(job: Job) -> Iterator[Remedy]:
    for step in job.plan.steps:
        call = step.call
        exponential = call.args.get("activation") == "exponential"
        if (call.namespace == "ops" and call.name in FRAGILE) or exponential:
            name = "exponential" if exponential else f"ops.{call.name}"
            text = f"keep what goes into `{name}` of `{step.name}` in bounds, such as with `ops.clip`"
            yield Remedy(text, step.path or "model", step.span)


def _half(job: Job) -> Iterator[Remedy]:
    if job.spec.train.precision == "mixed_float16":
        text = "write `precision: mixed_bfloat16`: float16 ends at 65,504"
        yield Remedy(text, "train.precision", job.spec.span("train.precision"))


def _targets(job: Job) -> Iterator[Remedy]:
    scale = known(job, None).scale
    if scale > WIDE:
        text = f"scale the numbers to be predicted: they are about {math.sqrt(scale):,.3g}"
        yield Remedy(text, "data.source", job.spec.span("data.source"))


def _shorter(job: Job, probe: Probe | None, said: bool, phase: int) -> Iterator[Remedy]:
    """Shorter steps: what helps where nothing else is known.

    Args:
        said: a rule has told of the learning rate.
    """
    about, call = known(job, None, phase), inner(job.phases[phase].spec.train.optimizer)
    path = f"train.phases.{phase}.optimizer" if "optimizer" in written(job.spec, phase) else "train.optimizer"
    span = call.spans.get("learning_rate", call.span)
    if not said:
        yield Remedy(slower(about), f"{path}.learning_rate" if "learning_rate" in call.args else path, span)
    if not about.clipped:
        norm = math.sqrt(sum(value * value for value in probe.gradient_norm.values())) if probe is not None else 0.0
        grown = f" (the gradient's norm was {norm:,.3g})" if norm > EXPLODING else ""
        yield Remedy(f"set `global_clipnorm: 1.0` in the optimizer{grown}", path, span)
